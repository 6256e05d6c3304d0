/// Weights in memory that belongs to someone else, a mapped file as a rule: (rows, columns), row-major, rows adjacent.
///
/// The bytes are never written. `owner` is held so that they stay where they are.
public struct Matrix {
  public let type: ElementType
  public let rows: Int
  public let columns: Int
  // Invariant: `rows * rowBytes` readable bytes for as long as `owner` lives.
  let base: UnsafeRawPointer
  let rowBytes: Int
  private let owner: AnyObject

  /// - Parameter bytes: stays valid and unchanged while `owner` lives.
  /// - Throws: `shapeMismatch` where the bytes are not exactly those of the shape.
  public init(
    type: ElementType, rows: Int, columns: Int, bytes: UnsafeRawBufferPointer, owner: AnyObject
  ) throws(TensorError) {
    guard rows > 0, columns > 0, columns.isMultiple(of: type.blockElements), let base = bytes.baseAddress else {
      throw TensorError(.shapeMismatch, "\(rows) x \(columns) is no shape of a \(type.rawValue) matrix.")
    }
    let (rowBytes, rowOverflow) = (columns / type.blockElements).multipliedReportingOverflow(by: type.blockBytes)
    let (byteCount, overflow) = rowBytes.multipliedReportingOverflow(by: rows)
    guard !rowOverflow, !overflow, byteCount == bytes.count else {
      throw TensorError(
        .shapeMismatch, "\(bytes.count) bytes do not hold \(rows) x \(columns) values of type \(type.rawValue).")
    }
    self.type = type
    self.rows = rows
    self.columns = columns
    self.base = base
    self.rowBytes = rowBytes
    self.owner = owner
  }
}
