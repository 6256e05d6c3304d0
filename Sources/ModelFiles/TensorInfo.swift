/// One tensor of a model file: what it is called, its shape and where its bytes are.
///
/// The parser that makes it has checked it: the element count does not overflow, a row is a whole number of blocks, and
/// `byteOffset ..< byteOffset + byteCount` lies inside the file and overlaps no other tensor.
public struct TensorInfo: Sendable, Equatable {
  public let name: String
  public let type: TensorType
  /// One to four lengths, innermost (contiguous) first, each at least 1.
  public let dimensions: [Int]
  /// From the start of the file; a multiple of the file's alignment.
  public let byteOffset: Int
  public let byteCount: Int

  /// The length of one row: the innermost dimension.
  public var columns: Int { self.dimensions.first ?? 0 }
  /// The number of rows: the product of all other dimensions, 1 for a vector.
  public var rows: Int { self.dimensions.dropFirst().reduce(1, *) }
}
