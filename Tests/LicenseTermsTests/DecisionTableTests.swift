import Documents
import LicenseTerms
import Testing
import YAMLDocuments

@Suite("The decision table of the shipped term file")
struct DecisionTableTests {
  @Test("every case comes out as written")
  func cases() throws {
    let file = try TestFiles.termFile(TestFiles.terms)
    let table = try DecisionTable(Document.parseYAML(TestFiles.bytes(TestFiles.cases)), terms: [file])
    #expect(table.cases.count >= 30)
    for failure in table.run() { Issue.record("\(failure)") }
  }
}
