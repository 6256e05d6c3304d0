internal import Tokenization

/// One fuzzing step: reads the bytes as `tokenizer.json` and, where they are accepted, makes the tokenizer and uses it.
@discardableResult
public func fuzzTokenizerJSON(_ bytes: [UInt8]) -> Bool {
  use { () throws(TokenizerError) in try VocabularySource(tokenizerJSON: bytes) }
}

/// The same for SentencePiece's `tokenizer.model`.
@discardableResult
public func fuzzSentencePiece(_ bytes: [UInt8]) -> Bool {
  use { () throws(TokenizerError) in try VocabularySource(sentencePieceModel: bytes) }
}

/// The same for the list of ranks that goes by the same name in Meta's Llama 3, with the control tokens of both generations.
@discardableResult
public func fuzzRankFile(_ bytes: [UInt8]) -> Bool {
  let generations: [VocabularySource.RankedGeneration] = [.llama3, .llama3_1]
  let outcomes = generations.map { generation in
    use { () throws(TokenizerError) in try VocabularySource(rankFile: bytes, generation: generation) }
  }
  let isAccepted = outcomes.contains(true)
  precondition(!isAccepted || VocabularySource.isRankFile(bytes))
  return isAccepted
}

private func use(_ read: () throws(TokenizerError) -> VocabularySource) -> Bool {
  do throws(TokenizerError) {
    let tokenizer = try read().makeTokenizer()
    let text = Array("The 12 caf\u{E9}s, \u{1F600}\n  don't <s>".utf8) + [0xFF, 0x80]
    let tokens = tokenizer.encode(text, addBOS: true)
    precondition(tokens.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
    _ = tokenizer.decode(tokens)
    return true
  } catch {
    precondition(!error.message.isEmpty)
    return false
  }
}
