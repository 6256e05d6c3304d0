import EngineFixtures
import Foundation
import LlamaModel
import Testing
import Tokenization

/// A checkpoint as Meta publishes it with Llama 3's vocabulary, a list of ranks.
struct RankedVocabularyTests {
  static func folder(_ list: String) throws -> URL {
    let folder = try EngineFiles.copy("llama-2-meta")
    try Data(list.utf8).write(to: folder.appending(path: "tokenizer.model"))
    return folder
  }

  /// The 256 bytes.
  static let bytes = (0..<256).map { "\(Data([UInt8($0)]).base64EncodedString()) \($0)\n" }

  @Test("control tokens come after the ranks, as far as the model has rows for them")
  func load() throws {
    let model = try LlamaModel(source: WeightSource(path: Self.folder(Self.bytes.joined()).path))
    let tokenizer = model.vocabulary.tokenizer
    #expect(model.vocabulary.size == 288 && tokenizer.beginOfSequence == 256 && tokenizer.endOfSequence == 257)
    #expect(tokenizer.encode("ab", addBOS: true) == [256, 97, 98] && tokenizer.isEndOfText(265))
  }

  @Test("a damaged list is refused by file and line")
  func damaged() throws {
    let folder = try Self.folder(Self.bytes.dropLast().joined() + "/w== 7\n")
    let error = #expect(throws: LlamaModelError.self) { try WeightSource(path: folder.path) }
    #expect(error?.field == "line 256" && error?.path.hasSuffix("tokenizer.model") == true, "\(error?.description ?? "")")
  }
}
