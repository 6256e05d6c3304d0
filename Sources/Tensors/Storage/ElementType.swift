/// How weights are stored, as far as there are kernels for it.
public enum ElementType: String, Sendable, CaseIterable {
  case f32 = "F32"
  case f16 = "F16"
  case q8_0 = "Q8_0"
  case q4_0 = "Q4_0"
  /// Output matrices of Q4_0 files are stored so.
  case q6_K = "Q6_K"

  /// Values in one block; a row is a whole number of blocks.
  public var blockElements: Int {
    switch self {
    case .f32, .f16: 1
    case .q8_0, .q4_0: 32
    case .q6_K: 256
    }
  }

  /// Bytes of one block.
  public var blockBytes: Int {
    switch self {
    case .f32: 4
    case .f16: 2
    case .q8_0: 34
    case .q4_0: 18
    case .q6_K: 210
    }
  }
}
