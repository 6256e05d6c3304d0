/// Why the machine could not do what a model needs.
public struct TensorError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    /// The instruction set asked for is unknown or missing on this processor.
    case instructionSetUnavailable = "instruction_set_unavailable"
    /// The system grants no more threads.
    case threadsUnavailable = "threads_unavailable"
    /// The stored bytes do not have the stated shape.
    case shapeMismatch = "shape_mismatch"
    /// All blocks of a key-value pool are in use.
    case cacheExhausted = "cache_exhausted"
    /// A weight is not a number that its new layout can hold.
    case valueOutOfRange = "value_out_of_range"
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { "\(self.code.rawValue): \(self.message)" }
}
