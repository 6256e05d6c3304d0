import Foundation
import Testing
import Tokenization

@Suite("Byte-level byte-pair encoding")
struct BytePairTests {
  typealias Merge = VocabularySource.PairMerging.Merge

  /// The 256 bytes as pieces 0 to 255 in the order of the byte alphabet's file form, then `more`.
  static func source(_ more: [String], merges: [Merge], types: [Int32]? = nil, whole: Bool = false) -> VocabularySource {
    var next: UInt32 = 0x100
    let bytes = (0..<256).map { byte -> String in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return String(Unicode.Scalar(UInt8(byte)))
      default:
        defer { next += 1 }
        return Unicode.Scalar(next).map { String($0) } ?? ""
      }
    }
    return VocabularySource(
      pieces: bytes + more, types: [Int32](repeating: 1, count: 256) + (types ?? [Int32](repeating: 1, count: more.count)),
      merging: .pairs(VocabularySource.PairMerging(merges: merges, preTokenizer: .llama3, prefersWholeWords: whole)),
      bos: nil, eos: nil, unknown: nil, addsBOS: false, addsSpacePrefix: false)
  }

  @Test("the pair that stands first in the list merges first, the leftmost among equals")
  func ranks() throws {
    let first = try Self.source(["ab", "bc"], merges: [Merge("b", "c"), Merge("a", "b")]).makeTokenizer()
    #expect(first.encode("abc", addBOS: false) == [97, 257])
    let second = try Self.source(["aa"], merges: [Merge("a", "a")]).makeTokenizer()
    #expect(second.encode("aaa", addBOS: false) == [256, 97])
  }

  @Test("a word that is a piece is taken whole only where the model wants it so")
  func wholeWords() throws {
    let plain = try Self.source(["xyz"], merges: []).makeTokenizer()
    #expect(plain.encode("xyz", addBOS: false) == [120, 121, 122])
    let whole = try Self.source(["xyz"], merges: [], whole: true).makeTokenizer()
    #expect(whole.encode("xyz", addBOS: false) == [256])
  }

  @Test("control tokens and tags are never read from text, other added tokens are")
  func markers() throws {
    let source = Self.source(["<|eot_id|>", "<tool_call>", "added"], merges: [], types: [3, 4, 4])
    let tokenizer = try source.makeTokenizer()
    let text = "<|eot_id|><tool_call>x"
    #expect(tokenizer.encode(text, addBOS: false) == text.utf8.map { Int32($0) })
    #expect(tokenizer.encode("an added one", addBOS: false).filter { $0 >= 256 } == [258])
    #expect(tokenizer.markerToken("<|eot_id|>") == 256 && tokenizer.markerToken("<tool_call>") == 257)
    #expect(tokenizer.isEndOfText(256) && !tokenizer.isEndOfText(257))
    #expect(tokenizer.decode([256, 257, 258]) == Array("<tool_call>added".utf8))
  }

  @Test("any bytes come back", arguments: ["gpt-2.tokenizer.json", "llama-bpe.tokenizer.json", "characters.tokenizer.json"])
  func roundTrip(file: String) throws {
    let bytes = [UInt8](try Data(contentsOf: VectorSet.golden.appending(path: file)))
    let tokenizer = try VocabularySource(tokenizerJSON: bytes).makeTokenizer()
    var random = SplitMix64(seed: 9)
    for _ in 0..<500 {
      let text = (0..<Int.random(in: 0..<60, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      let tokens = tokenizer.encode(text, addBOS: false)
      #expect(tokenizer.decode(tokens, stripLeadingSpace: file.hasPrefix("characters")) == text, "seed 9: \(text)")
    }
  }

  @Test(
    "a long text without a cut takes time in proportion", .timeLimit(.minutes(5)), arguments: ["a", " ", "'", "1", "\r", "é"])
  func hostileLength(unit: String) throws {
    let tokenizer = try Self.source(
      ["aa", "aaaa", "ĠĠ", "''"], merges: [Merge("a", "a"), Merge("aa", "aa"), Merge("Ġ", "Ġ"), Merge("'", "'")]
    ).makeTokenizer()
    let text = [UInt8](String(repeating: unit, count: 50_000).utf8)
    #expect(tokenizer.decode(tokenizer.encode(text, addBOS: false)) == text)
  }

  @Test(
    "a damaged vocabulary names the part at fault",
    arguments: [
      (["ab"], [Merge("a", "x")], nil, "merge 0"), (["\u{200}"], [], nil, "piece 256"), (["ab"], [], [9], "type of piece 256"),
      (["ab"], [], [6], "piece 256"), ([String(repeating: "a", count: 1025)], [], nil, "piece 256"),
    ] as [([String], [Merge], [Int32]?, String)])
  func refusals(pieces: [String], merges: [Merge], types: [Int32]?, field: String) {
    let error = #expect(throws: TokenizerError.self) {
      try Self.source(pieces, merges: merges, types: types).makeTokenizer()
    }
    #expect(error?.field == field)
  }
}

@Suite("Tokenizer files as hostile bytes")
struct TokenizerFileTests {
  static func golden(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: VectorSet.golden.appending(path: name)))
  }

  @Test("cut short at any place, or with any byte changed, a tokenizer.model is read or refused")
  func model() throws {
    let bytes = try Self.golden("sentencepiece.tokenizer.model")
    var random = SplitMix64(seed: 3)
    for _ in 0..<600 {
      var changed = bytes
      if Bool.random(using: &random) { changed = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))) }
      for _ in 0..<Int.random(in: 0..<4, using: &random) where !changed.isEmpty {
        changed[Int.random(in: changed.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      }
      do throws(TokenizerError) {
        let tokenizer = try VocabularySource(sentencePieceModel: changed).makeTokenizer()
        #expect(tokenizer.decode(tokenizer.encode("a text", addBOS: false)).count >= 0)
      } catch {
        #expect(!error.message.isEmpty)
      }
    }
  }

  @Test("a model of another kind is refused by the field that says so")
  func kinds() throws {
    let bytes = try Self.golden("sentencepiece.tokenizer.model")
    #expect(throws: Never.self) { try VocabularySource(sentencePieceModel: bytes).makeTokenizer() }
    // A later message of the same kind overrides: a trainer of unigram models, a normaliser with a character map.
    for (extra, field) in [
      ([0x12, 0x02, 0x18, 0x01], "trainer_spec.model_type"),
      ([0x1A, 0x03, 0x12, 0x01, 0x07], "normalizer_spec.precompiled_charsmap"),
      ([0x1A, 0x02, 0x20, 0x01], "normalizer_spec.remove_extra_whitespaces"),
    ] as [([UInt8], String)] {
      let error = #expect(throws: TokenizerError.self) { try VocabularySource(sentencePieceModel: bytes + extra) }
      #expect(error?.field == field)
    }
  }

  @Test(
    "a tokenizer.json that asks for something else is refused by the field that does",
    arguments: [
      ("\"type\":\"BPE\"", "\"type\":\"WordPiece\"", "model.type"), ("\"dropout\":null", "\"dropout\":0.1", "model.dropout"),
      ("\"Isolated\"", "\"Removed\"", "pre_tokenizer.Split"), ("\\\\p{N}{1,3}", "\\\\p{N}{1,4}", "pre_tokenizer"),
      ("\"normalizer\":null", "\"normalizer\":{\"type\":\"Lowercase\"}", "normalizer.type"),
      ("\"merges\":[", "\"merges\":[1,", "model.merges[0]"), ("\"vocab\":{", "\"vocab\":{\"zz\":-1,", "model.vocab[\"zz\"]"),
      ("\"added_tokens\":[]", "\"added_tokens\":[{}]", "added_tokens[0]"),
      ("\"post_processor\":null", "\"post_processor\":{\"type\":\"Roberta\"}", "post_processor.type"),
    ])
  func requests(part: String, instead: String, field: String) throws {
    let text = String(decoding: try Self.golden("llama-bpe.tokenizer.json"), as: UTF8.self)
    let changed = text.replacingOccurrences(of: part, with: instead)
    try #require(changed != text)
    let error = #expect(throws: TokenizerError.self) { try VocabularySource(tokenizerJSON: Array(changed.utf8)) }
    #expect(error?.field == field, "\(error?.message ?? "")")
  }

  @Test("names of special tokens and the chat template come from tokenizer_config.json")
  func config() throws {
    var text = String(decoding: try Self.golden("llama-bpe.tokenizer.json"), as: UTF8.self)
    text = text.replacingOccurrences(
      of: "\"added_tokens\":[]",
      with:
        "\"added_tokens\":[{\"id\":600,\"content\":\"<|b|>\",\"special\":true},{\"id\":601,\"content\":\"<|e|>\",\"special\":true}]"
    )
    let config = #"{"bos_token":{"content":"<|b|>"},"eos_token":"<|e|>","add_bos_token":true,"chat_template":"x"}"#
    var source = try VocabularySource(tokenizerJSON: Array(text.utf8), tokenizerConfig: Array(config.utf8))
    #expect(source.bos == 600 && source.eos == 601 && source.addsBOS && source.chatTemplate == "x")
    source.pad(to: 700)
    let tokenizer = try source.makeTokenizer()
    #expect(tokenizer.vocabularySize == 700 && tokenizer.encode("", addBOS: true) == [600] && tokenizer.isEndOfText(601))
    #expect(tokenizer.decode([599, 650, 699]).isEmpty)
  }
}
