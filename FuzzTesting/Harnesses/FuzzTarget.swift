/// The parsers that are fuzzed, by the name that `make fuzz TARGET=…` takes.
public enum FuzzTarget: String, CaseIterable, Sendable {
  case gguf
  case safetensors
  case checkpoint
  case pickle
  case tokenizerJSON = "tokenizer-json"
  case sentencePiece = "sentencepiece"
  case rankFile = "rank-file"
  case configuration = "model-folder"
  case json
  case yaml
  case termFile = "term-file"
  case rulePack = "rule-pack"
  case text
  case requests
  case upstream
  case schema
  case note
  case sketch

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
    case .rankFile: fuzzRankFile(bytes)
    case .configuration: fuzzConfiguration(bytes)
    case .json: fuzzJSON(bytes)
    case .yaml: fuzzYAML(bytes)
    case .termFile: fuzzTermFile(bytes)
    case .rulePack: fuzzRulePack(bytes)
    case .text: fuzzText(bytes)
    case .requests: fuzzRequests(bytes)
    case .upstream: fuzzUpstream(bytes)
    case .schema: fuzzSchema(bytes)
    case .note: fuzzNote(bytes)
    case .sketch: fuzzSketch(bytes)
    }
  }
}
