/// Why a vocabulary was refused.
public struct TokenizerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The part of the vocabulary at fault, such as `scores` or `piece 17`.
  public let field: String
  /// What is wrong and the remedy.
  public let message: String

  public init(field: String, message: String) {
    self.field = field
    self.message = message
  }

  public var description: String { "vocabulary \(self.field): \(self.message)" }
}
