/// Upper bounds on what a GGUF header may ask for, far above any real model, so that a hostile file cannot take memory
/// out of proportion. Counts are also held against the bytes that are left in the file.
enum GGUFLimits {
  static let keys = 65_536
  static let tensors = 1 << 20
  /// Format: keys are at most 2^16 - 1 bytes.
  static let keyBytes = 65_535
  /// ggml itself accepts 63 bytes.
  static let tensorNameBytes = 256
  static let stringBytes = 16 << 20
  static let arrayElements = 1 << 22
  /// Arrays in arrays: 1 is a plain array.
  static let arrayDepth = 4
  /// Header, metadata and tensor list together.
  static let headerBytes = 256 << 20
  static let dimensions = 4
  /// Format: a multiple of 8, here a power of two besides.
  static let alignment = 8...65_536
  static let defaultAlignment = 32
  /// Key: length and one byte; type; a one-byte value. Lengths have 4 bytes in version 1 and 8 later.
  static let keyMinimumBytes = 4 + 1 + 4 + 1
  /// Name: length and one byte; dimension count; one dimension; type; offset.
  static let tensorMinimumBytes = 4 + 1 + 4 + 4 + 4 + 8
  /// Files of one model.
  static let splits = 1_000
}
