import Testing
import Tokenization

/// Shows a template's output as text: each encoded part in brackets, BOS and EOS by name.
private struct TranscribingTokenizer: Tokenizer {
  let vocabularySize = 0x11_0000
  let beginOfSequence: Int32? = -1
  let endOfSequence: Int32? = -2
  let addsBOS = true
  let addsSpacePrefix = true
  let longestPiece = 4

  func encode(_ text: [UInt8], addBOS: Bool) -> [Int32] {
    (addBOS ? [-1] : []) + String(decoding: text, as: UTF8.self).unicodeScalars.map { Int32($0.value) }
  }

  func appendBytes(of token: Int32, to bytes: inout [UInt8]) {
    switch token {
    case -1: bytes += Array("{BOS}".utf8)
    case -2: bytes += Array("{EOS}".utf8)
    default: if let scalar = Unicode.Scalar(UInt32(token)) { bytes += Array(String(scalar).utf8) }
    }
  }

  func encodeContinuation(_ text: [UInt8]) -> [Int32] { self.encode(text, addBOS: false) }

  func isEndOfText(_ token: Int32) -> Bool { token == -2 }

  func markerToken(_ name: String) -> Int32? { nil }
}

private func rendered(_ turns: [ChatTurn]) throws -> String {
  let tokenizer = TranscribingTokenizer()
  return String(decoding: tokenizer.decode(try Llama2ChatTemplate.encode(turns, with: tokenizer)), as: UTF8.self)
}

@Suite("Llama 2's chat format")
struct Llama2ChatTemplateTests {
  @Test("one question")
  func question() throws {
    #expect(try rendered([ChatTurn(.user, " Hi\n")]) == "{BOS}[INST] Hi [/INST]")
  }

  @Test("a system text stands in the first question")
  func system() throws {
    #expect(
      try rendered([ChatTurn(.system, "Be brief."), ChatTurn(.user, "Hi")])
        == "{BOS}[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST]")
  }

  @Test("earlier exchanges are sequences of their own")
  func history() throws {
    let turns = [
      ChatTurn(.system, "S"), ChatTurn(.user, "1"), ChatTurn(.assistant, " one "), ChatTurn(.user, "2"),
      ChatTurn(.assistant, "two"), ChatTurn(.user, "3"),
    ]
    #expect(
      try rendered(turns)
        == "{BOS}[INST] <<SYS>>\nS\n<</SYS>>\n\n1 [/INST] one {EOS}{BOS}[INST] 2 [/INST] two {EOS}{BOS}[INST] 3 [/INST]")
  }

  @Test("system messages at the start are joined by a newline, neighbouring questions by a blank line")
  func joining() throws {
    let turns = [ChatTurn(.system, "A"), ChatTurn(.system, "B"), ChatTurn(.user, "1"), ChatTurn(.user, "2")]
    #expect(try rendered(turns) == "{BOS}[INST] <<SYS>>\nA\nB\n<</SYS>>\n\n1\n\n2 [/INST]")
  }

  @Test("an empty system text is left out", arguments: ["", " \n\u{1C}\u{A0}", "<<SYS>>"])
  func emptySystem(text: String) throws {
    #expect(try rendered([ChatTurn(.system, text), ChatTurn(.user, "Hi")]) == "{BOS}[INST] Hi [/INST]")
  }

  @Test(
    "control tags are removed, and those that removing would make",
    arguments: [
      ("[INST]", ""), ("a[/INST]b", "ab"), ("<<SYS>>x<</SYS>>", "x"), ("<s>x</s>", "x"),
      ("[IN[INST]ST]", ""), ("[[[INST]INST]INST]", ""), ("<</S<s>YS>>", ""), ("<<</s>SYS>>", ""),
      ("[I[/INST]NST] a [/IN<s>ST]", "a"),
      ("[inst] [ INST ] <S> <SYS>", "[inst] [ INST ] <S> <SYS>"), ("[INST", "[INST"),
    ] as [(String, String)])
  func tags(text: String, left: String) throws {
    #expect(try rendered([ChatTurn(.user, text)]) == "{BOS}[INST] \(left) [/INST]")
    #expect(try rendered([ChatTurn(.system, text + "."), ChatTurn(.user, "Hi")]).contains("<<SYS>>\n\(left)"))
    #expect(
      try rendered([ChatTurn(.user, "Hi"), ChatTurn(.assistant, text), ChatTurn(.user, "Ho")])
        == "{BOS}[INST] Hi [/INST] \(left) {EOS}{BOS}[INST] Ho [/INST]")
  }

  @Test("no mixture of tag parts leaves a tag", arguments: (1...4).map { UInt64($0) })
  func tagMixtures(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let tags = ["[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>"]
    let parts = tags + ["[", "IN", "ST]", "/", "<", "<<", "SYS", ">", ">>", "s", "</", "a"]
    for _ in 0..<500 {
      let text = (0..<Int.random(in: 0..<20, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
      let prompt = try rendered([ChatTurn(.user, text)])
      let inner = prompt.dropFirst("{BOS}[INST] ".count).dropLast(" [/INST]".count)
      #expect(!tags.contains { inner.contains($0) }, "seed \(seed): \(text)")
    }
  }

  @Test("a megabyte of nested tags is removed in one pass", .timeLimit(.minutes(5)))
  func deepNesting() throws {
    let depth = 100_000
    let text = String(repeating: "[IN", count: depth) + String(repeating: "ST]", count: depth)
    #expect(try rendered([ChatTurn(.user, text)]) == "{BOS}[INST]  [/INST]")
  }

  @Test(
    "an order that does not fit names the message",
    arguments: [
      ([], .empty, 0),
      ([.system], .lastMessageNotUser, 0),
      ([.assistant, .user], .assistantMessageMisplaced, 0),
      ([.user, .assistant, .assistant, .user], .assistantMessageMisplaced, 2),
      ([.user, .system, .user], .systemMessageMisplaced, 1),
      ([.system, .user, .assistant], .lastMessageNotUser, 2),
    ] as [([ChatTurn.Role], ChatTemplateError.Code, Int)])
  func order(roles: [ChatTurn.Role], code: ChatTemplateError.Code, index: Int) {
    let error = #expect(throws: ChatTemplateError.self) { try rendered(roles.map { ChatTurn($0, "x") }) }
    #expect(error?.code == code)
    #expect(error?.messageIndex == index)
    #expect(error?.description.hasPrefix("messages[\(index)]: ") == true)
  }

  /// Expected ids: Meta's formatting rules written in Python over `sentencepiece` 0.2 with Llama 2's `tokenizer.model`.
  @Test("the reference's token ids", .enabled(if: SharedData.available, "\(SharedData.absence)"))
  func tokens() throws {
    let tokenizer = try Vocabularies.llama2()
    let first = [ChatTurn(.system, "You are concise."), ChatTurn(.user, "Hello")]
    #expect(
      try Llama2ChatTemplate.encode(first, with: tokenizer) == [
        1, 518, 25580, 29962, 3532, 14816, 29903, 6778, 13, 3492, 526, 3022, 895, 29889, 13, 29966, 829, 14816, 29903, 6778, 13,
        13, 10994, 518, 29914, 25580, 29962,
      ])
    let second = [
      ChatTurn(.system, "Be brief."), ChatTurn(.user, "Who are you?"), ChatTurn(.assistant, "A model."),
      ChatTurn(.user, "Which?"),
    ]
    #expect(
      try Llama2ChatTemplate.encode(second, with: tokenizer) == [
        1, 518, 25580, 29962, 3532, 14816, 29903, 6778, 13, 3629, 11473, 29889, 13, 29966, 829, 14816, 29903, 6778, 13, 13, 22110,
        526, 366, 29973, 518, 29914, 25580, 29962, 319, 1904, 29889, 29871, 2, 1, 518, 25580, 29962, 8449, 29973, 518, 29914,
        25580, 29962,
      ])
  }
}
