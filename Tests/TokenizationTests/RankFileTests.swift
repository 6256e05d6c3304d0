import Foundation
import Testing
import Tokenization

@Suite("Lists of ranks, as Llama 3's tokenizer.model")
struct RankFileTests {
  static func golden() throws -> [UInt8] {
    [UInt8](try Data(contentsOf: VectorSet.golden.appending(path: "ranks.tokenizer.model")))
  }

  /// A list of the 256 bytes and more tokens.
  static func list(_ more: [String]) -> [UInt8] {
    let tokens = (0..<256).map { Data([UInt8($0)]) } + more.map { Data($0.utf8) }
    return Array(tokens.enumerated().map { "\($1.base64EncodedString()) \($0)\n" }.joined().utf8)
  }

  @Test("of several ways to merge a run the leftmost is taken, as tiktoken does")
  func runs() throws {
    let tokenizer = try VocabularySource(rankFile: try Self.golden(), generation: .llama3).makeTokenizer()
    // By tiktoken 0.14; the list has runs of 2, 3, 5 and 6 letters.
    let wanted: [[Int32]] = [[64], [500], [501], [500, 500], [502], [503], [500, 502], [500, 500, 500, 500]]
    for (index, ids) in wanted.enumerated() {
      #expect(tokenizer.encode(String(repeating: "a", count: index + 1), addBOS: false) == ids)
    }
  }

  @Test("a pair merges by what it makes, whatever else makes the same")
  func equalRanks() throws {
    let tokenizer = try VocabularySource(rankFile: Self.list(["ab", "bc", "abc", "xab"]), generation: .llama3).makeTokenizer()
    #expect(tokenizer.encode("xabcy", addBOS: false) == [120, 258, 121])
    #expect(tokenizer.encode("bcb", addBOS: false) == [257, 98])
  }

  @Test("control tokens of the generation follow the ranks")
  func markers() throws {
    for (generation, reserved) in [(VocabularySource.RankedGeneration.llama3, 251), (.llama3_1, 248)] {
      let source = try VocabularySource(rankFile: Self.list([]), generation: generation)
      #expect(source.pieces.count == 512 && source.bos == 256 && source.eos == 257 && source.addsBOS)
      let tokenizer = try source.makeTokenizer()
      #expect(tokenizer.markerToken("<|start_header_id|>") == 262 && tokenizer.markerToken("<|eot_id|>") == 265)
      #expect(tokenizer.isEndOfText(257) && tokenizer.isEndOfText(265))
      #expect(tokenizer.markerToken("<|python_tag|>") == (generation == .llama3 ? nil : 266))
      #expect(tokenizer.markerToken("<|reserved_special_token_\(reserved - 1)|>") == 511)
      #expect(tokenizer.markerToken("<|reserved_special_token_\(reserved)|>") == nil)
      #expect(tokenizer.encode("<|eot_id|>", addBOS: true).first == 256)
      #expect(!tokenizer.encode("<|eot_id|>", addBOS: false).contains(265))
    }
  }

  @Test(
    "a damaged list is refused by its line",
    arguments: [
      ("", "line 1"), ("IQ== 0\nIg== 2\n", "line 2"), ("IQ== 0\nIQ== 1\n", "line 2"), ("IQ==\n", "line 1"), ("IQ= 0\n", "line 1"),
      ("IQ== 0\n\nIg== 1", "line 2"), ("I*== 0", "line 1"), ("IR== 0", "line 1"), ("IQ== 0 0", "line 1"), ("IQ== -1", "line 1"),
      ("IQ== 00", "line 1"), ("IQ== 99999999999999999999", "line 1"), ("==== 0", "line 1"), ("IQ== 0\nIg==\t1", "line 2"),
      (String(repeating: "AAAA", count: 100) + " 0", "line 1"),
    ])
  func refusals(text: String, field: String) {
    let error = #expect(throws: TokenizerError.self) { try VocabularySource(rankFile: Array(text.utf8), generation: .llama3) }
    #expect(error?.field == field, "\(error?.message ?? "")")
  }

  @Test("a list without some byte makes no tokenizer")
  func missingByte() throws {
    let source = try VocabularySource(rankFile: Array("IQ== 0\nIg== 1\r\n".utf8), generation: .llama3)
    #expect(throws: TokenizerError.self) { try source.makeTokenizer() }
  }

  @Test("cut short at any place, or with any byte changed, a list is read or refused")
  func hostile() throws {
    let bytes = try Self.golden()
    var random = SplitMix64(seed: 5)
    for _ in 0..<300 {
      var changed = bytes
      if Bool.random(using: &random) { changed = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))) }
      for _ in 0..<Int.random(in: 0..<3, using: &random) where !changed.isEmpty {
        changed[Int.random(in: changed.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      }
      do throws(TokenizerError) {
        let tokenizer = try VocabularySource(rankFile: changed, generation: .llama3_1).makeTokenizer()
        #expect(tokenizer.decode(tokenizer.encode("a text", addBOS: false)) == Array("a text".utf8))
      } catch {
        #expect(error.field.hasPrefix("line ") || error.field == "pieces", "seed 5: \(error)")
      }
    }
  }
}
