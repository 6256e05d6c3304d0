import Documents
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

@Suite("Hostile term files and tables")
struct HostileTermFileTests {
  /// Reads a text as whatever it may be; only typed errors come out.
  private func read(_ bytes: [UInt8], _ file: TermFile) -> Bool {
    do throws(DocumentError) {
      let document = try Document.parseYAML(bytes)
      if document["cases"] != nil {
        return try !DecisionTable(document, terms: [file]).cases.isEmpty
      }
      let other = try TermFile(document, digest: file.digest, sha256: sha256)
      _ = standing(
        of: StandingRequest(
          party: Party(id: "c", facts: .empty), operator: .empty, model: GovernedModel(name: "m", facts: .empty),
          terms: [other], at: RandomFacts.time))
      return true
    } catch {
      return error.message.isEmpty
    }
  }

  @Test("mutated bytes are read or refused, never a crash", arguments: [TestFiles.terms, TestFiles.cases], [11, 12] as [UInt64])
  func mutatedBytes(path: String, seed: UInt64) throws {
    let file = try TestFiles.termFile(TestFiles.terms)
    let bytes = try TestFiles.bytes(path)
    var generator = SplitMix64(seed: seed)
    var refused = 0
    for _ in 0..<25 {
      var mutated = bytes
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let index = Int.random(in: 0..<mutated.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: mutated[index] = UInt8.random(in: 0...255, using: &generator)
        case 1: mutated.remove(at: index)
        case 2: mutated.insert(Array("[]{}:,&*!|>'\"-# \n\t0".utf8).randomElement(using: &generator) ?? 0, at: index)
        default: mutated.removeSubrange(index..<min(mutated.count, index + Int.random(in: 1...200, using: &generator)))
        }
      }
      if !self.read(mutated, file) { refused += 1 }
    }
    #expect(refused > 8, "seed \(seed)")
  }

  @Test("values of the wrong kind in every place are refused with a place", arguments: [21, 22] as [UInt64])
  func mutatedValues(seed: UInt64) throws {
    let bytes = try TestFiles.bytes(TestFiles.terms)
    let document = try Document.parseYAML(bytes)
    var generator = SplitMix64(seed: seed)
    let total = count(document)
    for _ in 0..<150 {
      var index = Int.random(in: 0..<total, using: &generator)
      let strange: [Document.Content] = [
        .null, .bool(true), .number("1e400"), .number("-99999999999999999999999999"), .string(""), .list([]), .map([]),
        .string(String(repeating: "x", count: 300)), .number("9223372036854775807"),
      ]
      let content = strange.randomElement(using: &generator) ?? .null
      let mutated = replacing(document, &index, with: content)
      do throws(DocumentError) {
        _ = try TermFile(mutated, digest: sha256(bytes), sha256: sha256)
      } catch {
        #expect(error.position.line >= 1 && !error.message.isEmpty)
      }
    }
  }

  private func count(_ document: Document) -> Int {
    switch document.content {
    case .list(let elements): 1 + elements.map(count).reduce(0, +)
    case .map(let members): 1 + members.map { count($0.value) }.reduce(0, +)
    case .null, .bool, .number, .string: 1
    }
  }

  private func replacing(_ document: Document, _ index: inout Int, with content: Document.Content) -> Document {
    index -= 1
    if index == -1 { return Document(content, position: document.position) }
    switch document.content {
    case .list(let elements):
      var replaced: [Document] = []
      for element in elements { replaced.append(replacing(element, &index, with: content)) }
      return Document(.list(replaced), position: document.position)
    case .map(let members):
      var replaced: [Document.Member] = []
      for member in members {
        let value = replacing(member.value, &index, with: content)
        replaced.append(Document.Member(key: member.key, position: member.position, value: value))
      }
      return Document(.map(replaced), position: document.position)
    case .null, .bool, .number, .string: return document
    }
  }
}
