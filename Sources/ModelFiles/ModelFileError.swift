/// Why a model file was refused: a stable code, where in which file, and what to do about it.
public struct ModelFileError: Error, Sendable, Equatable {
  /// The stable reason; the raw values are part of the interface.
  public enum Code: String, Sendable, CaseIterable {
    case cannotOpen = "cannot_open"
    case notRegularFile = "not_regular_file"
    case empty
    case cannotMap = "cannot_map"
    case wrongFormat = "wrong_format"
    case unsupportedVersion = "unsupported_version"
    case truncated
    case limitExceeded = "limit_exceeded"
    case invalidText = "invalid_text"
    case invalidValue = "invalid_value"
    case duplicate
    case unsupportedTensorType = "unsupported_tensor_type"
    case misaligned
    case overlapping
    case missingKey = "missing_key"
    case wrongType = "wrong_type"
    case cannotWrite = "cannot_write"
  }

  public let code: Code
  /// The file as the caller named it.
  public let path: String
  /// The byte in the file at which the fault was found; `nil` where no byte is to blame.
  public let offset: Int?
  /// The header field, metadata key or tensor concerned.
  public let field: String?
  /// What is wrong and the remedy, in one or two sentences without the place.
  public let message: String

  public init(_ code: Code, path: String, offset: Int? = nil, field: String? = nil, message: String) {
    self.code = code
    self.path = path
    self.offset = offset
    self.field = field
    self.message = message
  }
}

extension ModelFileError: CustomStringConvertible {
  /// Place and message in one line, as a user should see it.
  public var description: String {
    var place = self.path
    if let field = self.field { place += ": " + field }
    if let offset = self.offset { place += " (byte \(offset))" }
    return place + ": " + self.message
  }
}
