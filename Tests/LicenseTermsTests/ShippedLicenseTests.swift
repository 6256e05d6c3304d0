import Documents
import Foundation
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

/// Every license that comes with the gateway: its file loads, and its decision table, which a lawyer reads, comes out as written.
@Suite("Shipped licenses")
struct ShippedLicenseTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Folders of term files; a table may name any license of the same folder.
  static func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self.root.appendingPathComponent(folder).path).sorted()
  }

  static func document(_ path: String) throws -> (Document, [UInt8]) {
    let bytes = Array(try Data(contentsOf: self.root.appendingPathComponent(path)))
    return (try Document.parseYAML(bytes), bytes)
  }

  static func terms(in folder: String) throws -> [TermFile] {
    try self.names(in: folder).map { name in
      let (document, bytes) = try self.document("\(folder)/\(name)/terms.yaml")
      return try TermFile(document, digest: sha256(bytes), sha256: sha256)
    }
  }

  @Test("Each file bears the id of its folder", arguments: ["Licenses", "Jurisdictions"])
  func ids(folder: String) throws {
    #expect(try Self.terms(in: folder).map(\.id.name) == Self.names(in: folder))
  }

  @Test("Every case of every table comes out as a lawyer wrote it", arguments: [("Licenses", 300), ("Jurisdictions", 100)])
  func tables(folder: String, least: Int) throws {
    let terms = try Self.terms(in: folder)
    var cases = 0
    for file in terms {
      let table = try DecisionTable(try Self.document("\(folder)/\(file.id)/cases.yaml").0, terms: terms)
      cases += table.cases.count
      let failures = table.run().map { "\(file.id):\($0.position.line): \($0.name): \($0.message)" }
      #expect(failures == [])
      #expect(table.cases.count >= 10, "\(file.id) has \(table.cases.count) cases")
    }
    #expect(cases >= least)
  }
}
