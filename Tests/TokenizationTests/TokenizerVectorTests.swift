import Foundation
import ModelFiles
import Testing
import Tokenization

/// Token ids computed by `tokenizers`, `sentencepiece` and `tiktoken` (`Tests/Oracles/tokenizer_vectors.py`).
struct VectorSet: Decodable, Sendable, CustomTestStringConvertible {
  struct Case: Decodable, Sendable {
    let text: [UInt8]
    let ids: [Int32]

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      let digits = Array(try container.decode(String.self).utf8)
      self.text = try stride(from: 0, to: digits.count, by: 2).map { index in
        let pair = String(decoding: digits[index..<index + 2], as: UTF8.self)
        return try #require(UInt8(pair, radix: 16))
      }
      self.ids = try container.decode([Int32].self)
    }
  }

  let source: String
  let pre: String
  let seed: Int
  let cases: [Case]
  var testDescription: String { "\(self.source) \(self.pre), seed \(self.seed), \(self.cases.count) texts" }

  static let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Oracles/Tokenizers").standardized

  static func all(in folder: URL) throws -> [VectorSet] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.path.hasSuffix(".vectors.json") }.sorted { $0.path < $1.path }
      .map { try JSONDecoder().decode(VectorSet.self, from: Data(contentsOf: $0)) }
  }

  func tokenizer() throws -> any Tokenizer {
    switch self.source {
    case "gguf": return try Vocabularies.byteLevel(pre: self.pre)
    case "tokenizer.model":
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: SharedData.path("tokenizer/tokenizer.model"))))
      return try VocabularySource(sentencePieceModel: bytes).makeTokenizer()
    default:
      let bytes = [UInt8](try Data(contentsOf: Self.golden.appending(path: self.source)))
      if self.source.hasSuffix(".json") { return try VocabularySource(tokenizerJSON: bytes).makeTokenizer() }
      if VocabularySource.isRankFile(bytes) {
        return try VocabularySource(rankFile: bytes, generation: .llama3).makeTokenizer()
      }
      return try VocabularySource(sentencePieceModel: bytes).makeTokenizer()
    }
  }

  /// Texts whose ids differ, and how many were compared.
  func differences() throws -> [String] {
    let tokenizer = try self.tokenizer()
    return self.cases.compactMap { example in
      let ids = tokenizer.encode(example.text, addBOS: false)
      guard ids != example.ids else { return nil }
      let text = String(decoding: example.text, as: UTF8.self)
      let scalars = text.unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ")
      return "\(text.debugDescription) [\(scalars)]: \(ids) instead of \(example.ids)"
    }
  }
}

@Suite("Tokenizers against the reference implementations")
struct TokenizerVectorTests {
  @Test("the vectors in the repository")
  func golden() throws {
    let sets = try VectorSet.all(in: VectorSet.golden)
    #expect(sets.count == 6)
    for set in sets {
      #expect(set.cases.count == 150)
      let differences = try set.differences()
      #expect(differences.isEmpty, "\(set.testDescription): \(differences.prefix(3))")
    }
  }

  static let generated = ProcessInfo.processInfo.environment["WEIGHBRIDGE_TOKENIZER_VECTORS"]

  @Test("the vectors of `make oracle-tokenizers`", .enabled(if: Self.generated != nil, "run `make oracle-tokenizers`"))
  func oracle() throws {
    let sets = try VectorSet.all(in: URL(filePath: Self.generated ?? ""))
    #expect(sets.count >= 6)
    for set in sets {
      let differences = try set.differences()
      #expect(differences.isEmpty, "\(set.testDescription): \(differences.count) differ: \(differences.prefix(5))")
      print("\(set.testDescription): \(set.cases.count - differences.count) equal")
    }
  }
}
