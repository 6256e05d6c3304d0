internal import LlamaModel
internal import ModelFiles
internal import Tensors

/// Why an engine cannot be started, or an offline operation not be done.
public struct EngineError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    case invalidOption = "invalid_option"
    /// The model file is damaged or of a kind that cannot be run.
    case invalidModel = "invalid_model"
    /// The machine lacks what was asked for: threads, an instruction set, memory.
    case machine
    /// The tokens do not fit the vocabulary or the context.
    case invalidTokens = "invalid_tokens"
  }

  public let code: Code
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  init(_ error: ModelFileError) { self.init(.invalidModel, error.description) }
  init(_ error: LlamaModelError) { self.init(.invalidModel, error.description) }
  init(_ error: TensorError) { self.init(.machine, error.message) }

  public var description: String { self.message }
}
