internal import ModelFiles

/// Why a model file cannot be run: a stable code, the key or tensor concerned, and what to do about it.
public struct LlamaModelError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    /// The file itself is damaged or a metadata key is missing or of the wrong type.
    case invalidFile = "invalid_file"
    case unsupportedArchitecture = "unsupported_architecture"
    /// The model needs something that is not built yet; going on would compute something else.
    case unsupportedFeature = "unsupported_feature"
    case invalidHyperparameter = "invalid_hyperparameter"
    case missingTensor = "missing_tensor"
    case tensorShape = "tensor_shape"
    case unsupportedTensorType = "unsupported_tensor_type"
    case unsupportedTokenizer = "unsupported_tokenizer"
    case invalidVocabulary = "invalid_vocabulary"
  }

  public let code: Code
  /// The file as the caller named it.
  public let path: String
  /// The metadata key or tensor.
  public let field: String
  public let message: String

  init(_ code: Code, path: String, field: String, _ message: String) {
    self.code = code
    self.path = path
    self.field = field
    self.message = message
  }

  init(_ error: ModelFileError) {
    self.init(.invalidFile, path: error.path, field: error.field ?? "file", error.message)
  }

  public var description: String { "\(self.path): \(self.field): \(self.message)" }
}
