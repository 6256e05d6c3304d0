import Testing
import Tokenization

@Suite("SentencePiece encoding")
struct SentencePieceEncodingTests {
  @Test("the best-scoring pair is merged first, not the longest piece found")
  func bestScoreFirst() throws {
    // "abc" could become ab+c or a+bc: the scores decide, and neither leaves room for abc.
    let tokenizer = try Vocabularies.small(["bc", "ab", "a", "b", "c"], addSpacePrefix: false)
    #expect(tokenizer.encode("abc", addBOS: false) == [261, 259])
    let reversed = try Vocabularies.small(["ab", "bc", "a", "b", "c"], addSpacePrefix: false)
    #expect(reversed.encode("abc", addBOS: false) == [259, 263])
  }

  @Test("among equal scores the leftmost pair is merged first")
  func leftmostFirst() throws {
    let tokenizer = try Vocabularies.small(["aa", "a"], addSpacePrefix: false)
    #expect(tokenizer.encode("aaa", addBOS: false) == [259, 260])
    #expect(tokenizer.encode("aaaaa", addBOS: false) == [259, 259, 260])
    let tied = try Vocabularies.small(["ab", "bc", "a", "b", "c"], scores: ["ab": -1, "bc": -1], addSpacePrefix: false)
    #expect(tied.encode("abc", addBOS: false) == [259, 263])
  }

  @Test("a space becomes U+2581, and one is put before a text that is not empty")
  func spaces() throws {
    let tokenizer = try Vocabularies.small(["▁a", "▁", "a", "▁▁"])
    #expect(tokenizer.encode("a", addBOS: false) == [259])
    #expect(tokenizer.encode("a a", addBOS: false) == [259, 259])
    #expect(tokenizer.encode(" ", addBOS: false) == [262])
    #expect(tokenizer.encode("", addBOS: false) == [])
    #expect(tokenizer.encode("", addBOS: true) == [1])
    #expect(tokenizer.encode("a", addBOS: true) == [1, 259])
    // U+2581 in the text is a space too, also next to one.
    #expect(tokenizer.encode("a▁ a", addBOS: false) == tokenizer.encode("a  a", addBOS: false))
    let bare = try Vocabularies.small(["▁a", "▁", "a"], addSpacePrefix: false)
    #expect(bare.encode("a", addBOS: false) == [261])
  }

  @Test("a piece with an inner space is merged across words")
  func innerSpace() throws {
    let tokenizer = try Vocabularies.small(["a▁b", "▁b", "a", "b", "▁"], scores: ["a▁b": -9], addSpacePrefix: false)
    #expect(tokenizer.encode("a b", addBOS: false) == [259])
  }

  @Test("a character that is no piece becomes its bytes, also an invalid one")
  func byteFallback() throws {
    let tokenizer = try Vocabularies.small(["a"], addSpacePrefix: false)
    #expect(tokenizer.encode("aé", addBOS: false) == [259, 3 + 0xC3, 3 + 0xA9])
    #expect(tokenizer.encode([0x61, 0xFF, 0xC3, 0x61, 0x00], addBOS: false) == [259, 3 + 0xFF, 3 + 0xC3, 259, 3])
  }

  @Test("without byte pieces a run of unknown characters is one unknown token")
  func unknown() throws {
    let tokenizer = try SentencePieceTokenizer(
      pieces: ["<unk>", "<s>", "</s>", "a"], scores: [0, 0, 0, 0], types: [2, 3, 3, 1], bos: 1, eos: 2, unk: 0,
      addSpacePrefix: false)
    #expect(tokenizer.encode("xyaz", addBOS: false) == [0, 3, 0])
    #expect(tokenizer.decode([0, 3]) == Array(" ⁇ a".utf8))
  }

  @Test("control, byte and user-defined pieces are never read out of text")
  func noControlFromText() throws {
    let pieces = ["<", "s", ">", "<s", "</", "/", "0", "x", "4", "1", "<|user|>", "|", "u"]
    let tokenizer = try Vocabularies.small(pieces, types: ["<|user|>": 4], addSpacePrefix: false)
    for text in ["<s>", "</s>", "<unk>", "<0x41>", "<|user|>", "a<s>b</s>"] {
      let tokens = tokenizer.encode(text, addBOS: false)
      #expect(!tokens.contains { (0...2).contains($0) || $0 == 259 + 10 }, "\(text): \(tokens)")
      #expect(tokenizer.decode(tokens) == Array(text.utf8))
    }
  }

  @Test("an unused piece is a step on the way but never a result")
  func unused() throws {
    let tokenizer = try Vocabularies.small(["ab", "abc", "a", "b", "c"], types: ["ab": 5], addSpacePrefix: false)
    #expect(tokenizer.encode("abc", addBOS: false) == [260])
    #expect(tokenizer.encode("ab", addBOS: false) == [261, 262])
  }

  @Test("of two equal pieces the lower id is used")
  func duplicate() throws {
    let tokenizer = try Vocabularies.small(["a", "a"], addSpacePrefix: false)
    #expect(tokenizer.encode("a", addBOS: false) == [259])
  }
}

@Suite("SentencePiece decoding")
struct SentencePieceDecodingTests {
  @Test("bytes are joined, control tokens and unknown ids show nothing")
  func decoding() throws {
    let tokenizer = try Vocabularies.small(["▁a", "b▁", "▁user"], types: ["▁user": 4])
    #expect(tokenizer.decode([1, 259, 3 + 0xC3, 3 + 0xA9, 260, 2]) == Array(" aéb ".utf8))
    #expect(tokenizer.decode([-1, 262, .max, .min]) == [])
    #expect(tokenizer.decode([261]) == Array(" user".utf8))
  }

  @Test("one leading space goes where asked for")
  func leadingSpace() throws {
    let tokenizer = try Vocabularies.small(["▁a", "▁", "▁▁"])
    #expect(tokenizer.decode([1, 259, 259], stripLeadingSpace: true) == Array("a a".utf8))
    #expect(tokenizer.decode([261], stripLeadingSpace: true) == Array(" ".utf8))
    #expect(tokenizer.decode([259]) == Array(" a".utf8))
  }

  @Test("the end of the sequence is the end of text")
  func endOfText() throws {
    let tokenizer = try Vocabularies.small(["a"])
    #expect(tokenizer.isEndOfText(2))
    #expect(!tokenizer.isEndOfText(1) && !tokenizer.isEndOfText(259))
    #expect((tokenizer.vocabularySize, tokenizer.beginOfSequence, tokenizer.endOfSequence) == (260, 1, 2))
  }
}

@Suite("A vocabulary is refused")
struct SentencePieceRefusalTests {
  typealias Parts = (pieces: [String], scores: [Float], types: [Int32], bos: Int32?, unk: Int32?)
  static let right: Parts = (["<unk>", "<s>", "a"], [0, 0, 0], [2, 3, 1], 1, 0)

  @Test("with an error that names the part")
  func refusals() throws {
    let cases: [(String, (inout Parts) -> Void)] = [
      ("pieces", { $0 = ([], [], [], nil, nil) }),
      ("scores", { $0.scores.removeLast() }),
      ("types", { $0.types.append(1) }),
      ("type of piece 2", { $0.types[2] = 0 }),
      ("type of piece 2", { $0.types[2] = 7 }),
      ("score of piece 1", { $0.scores[1] = .nan }),
      ("bos", { $0.bos = 3 }),
      ("unk", { $0.unk = -1 }),
      ("unknown token", { $0.unk = nil }),
      ("piece 2", { $0.types[2] = 6 }),
      ("piece 2", { $0.pieces[2] = String(repeating: "a", count: 1_025) }),
    ]
    for (field, change) in cases {
      var parts = Self.right
      change(&parts)
      let error = #expect(throws: TokenizerError.self) {
        try SentencePieceTokenizer(
          pieces: parts.pieces, scores: parts.scores, types: parts.types, bos: parts.bos, eos: nil, unk: parts.unk)
      }
      #expect(error?.field == field)
    }
  }

  @Test("for a malformed byte piece", arguments: ["<0x4>", "<0x041>", "<0xGG>", "<0x+1>", "<0x41", "0x41>>"])
  func bytePieces(piece: String) {
    #expect(throws: TokenizerError.self) {
      try SentencePieceTokenizer(
        pieces: ["<unk>", piece], scores: [0, 0], types: [2, 6], bos: nil, eos: nil, unk: 0)
    }
  }
}
