/// The parsers that are fuzzed, by the name that `make fuzz TARGET=…` takes.
public enum FuzzTarget: String, CaseIterable, Sendable {
  case gguf
  case safetensors
  case checkpoint
  case pickle
  case tokenizerJSON = "tokenizer-json"
  case sentencePiece = "sentencepiece"

  /// - Returns: whether the bytes were accepted.
  @discardableResult
  public func run(_ bytes: [UInt8]) -> Bool {
    switch self {
    case .gguf: fuzzGGUF(bytes)
    case .safetensors: fuzzSafetensors(bytes)
    case .checkpoint: fuzzCheckpoint(bytes)
    case .pickle: fuzzPickle(bytes)
    case .tokenizerJSON: fuzzTokenizerJSON(bytes)
    case .sentencePiece: fuzzSentencePiece(bytes)
    }
  }
}
