import Testing
import Tokenization

/// Merging as its definition reads, in quadratic time: scan all neighbours, join the best, repeat.
private func definition(_ text: String, _ pieces: [String: (id: Int32, score: Float)]) -> [Int32] {
  var symbols = text.map { String($0 == " " ? "▁" : $0) }
  while true {
    var best: (position: Int, score: Float)?
    for position in symbols.indices.dropLast() {
      guard let piece = pieces[symbols[position] + symbols[position + 1]] else { continue }
      if best == nil || piece.score > best?.score ?? 0 { best = (position, piece.score) }
    }
    guard let best else { break }
    symbols[best.position] += symbols.remove(at: best.position + 1)
  }
  return symbols.flatMap { symbol in
    pieces[symbol].map { [$0.id] } ?? symbol.utf8.map { 3 + Int32($0) }
  }
}

@Suite("SentencePiece against its definition and its reference")
struct SentencePieceOracleTests {
  @Test("random vocabularies and texts give what the definition gives", arguments: (1...20).map { UInt64($0) })
  func random(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let alphabet = seed.isMultiple(of: 2) ? ["a", "b", "▁"] : ["a", "b", "é", "▁", "🦙"]
    var pieces = Set<String>()
    for _ in 0..<40 {
      let length = Int.random(in: 1...5, using: &random)
      let piece = (0..<length).map { _ in alphabet.randomElement(using: &random) ?? "a" }.joined()
      // Half of the vocabularies have spaces in front only, so that texts may be cut at words.
      if seed % 4 < 2 || !piece.drop(while: { $0 == "▁" }).contains("▁") { pieces.insert(piece) }
    }
    let list = pieces.sorted()
    let scores = Dictionary(uniqueKeysWithValues: list.map { ($0, Float(Int.random(in: -9...0, using: &random))) })
    let tokenizer = try Vocabularies.small(list, scores: scores, addSpacePrefix: false)
    let known = Dictionary(
      uniqueKeysWithValues: list.enumerated().map { ($1, (id: Int32(259 + $0), score: scores[$1] ?? 0)) })
    for _ in 0..<200 {
      let length = Int.random(in: 0...40, using: &random)
      let text = (0..<length).map { _ in alphabet.randomElement(using: &random) ?? "a" }.joined()
        .map { $0 == "▁" ? " " : String($0) }.joined()
      #expect(tokenizer.encode(text, addBOS: false) == definition(text, known), "seed \(seed), text \(text)")
    }
  }

  @Test("llama.cpp's vectors for Llama 2", .enabled(if: SharedData.available, "\(SharedData.absence)"))
  func vectors() throws {
    let tokenizer = try Vocabularies.llama2()
    let base = "tokenizer/ggml-vocab-llama-spm.gguf"
    let inputs = try SharedData.text(base + ".inp").components(separatedBy: "\n__ggml_vocab_test__\n")
    let outputs = try SharedData.text(base + ".out").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(inputs.count == 47)
    #expect(outputs.count == inputs.count)
    for (input, output) in zip(inputs, outputs) {
      let expected = output.split(separator: " ").compactMap { Int32($0) }
      let tokens = tokenizer.encode(input, addBOS: false)
      #expect(tokens == expected, "\(input.debugDescription)")
      #expect(tokenizer.decode(tokens, stripLeadingSpace: true) == Array(input.utf8))
    }
  }

  @Test("any bytes come back from Llama 2's tokens", .enabled(if: SharedData.available, "\(SharedData.absence)"))
  func roundTrip() throws {
    let tokenizer = try Vocabularies.llama2()
    var random = SplitMix64(seed: 5)
    for _ in 0..<1_000 {
      let count = Int.random(in: 0..<60, using: &random)
      let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      let tokens = tokenizer.encode(bytes, addBOS: true)
      #expect(tokens.first == 1)
      #expect(tokenizer.decode(tokens, stripLeadingSpace: true) == bytes, "seed 5")
    }
  }

  @Test(
    "a long text without a space takes time in proportion", .timeLimit(.minutes(5)),
    arguments: ["a", " ", "=", "ab", "é", "\u{0}", "🦙"])
  func hostileLength(unit: String) throws {
    let tokenizer = try Vocabularies.small(["aa", "aaaa", "aaaaaaaa", "a", "▁▁", "▁", "==", "=", "ab", "abab", "b"])
    let text = String(repeating: unit, count: 100_000 / unit.utf8.count)
    let tokens = tokenizer.encode(text, addBOS: false)
    #expect(tokenizer.decode(tokens, stripLeadingSpace: true) == Array(text.utf8))
  }
}
