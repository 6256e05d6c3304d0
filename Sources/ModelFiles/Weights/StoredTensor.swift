/// A tensor under the name that a model knows it by, and where its bytes are: in one file, or in pieces that several files hold.
///
/// Whoever makes one has checked it: every piece lies inside its file, and together they are exactly the tensor.
public struct StoredTensor: Sendable {
  /// A part of the tensor: its own (rows, columns), row-major, adjacent.
  public struct Piece: Sendable {
    public let file: MappedFile
    public let byteOffset: Int
    public let byteCount: Int
    public let rows: Int

    public init(file: MappedFile, byteOffset: Int, byteCount: Int, rows: Int) {
      precondition(byteOffset >= 0 && byteCount >= 0 && byteOffset <= file.byteCount - byteCount && rows > 0)
      self.file = file
      self.byteOffset = byteOffset
      self.byteCount = byteCount
      self.rows = rows
    }

    /// Valid only while ``file`` is alive.
    public var bytes: UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(rebasing: self.file.bytes[self.byteOffset..<self.byteOffset + self.byteCount])
    }
  }

  /// How the pieces lie to one another.
  public enum Seam: Sendable {
    /// One above the other.
    case rows
    /// Side by side; every piece has all rows.
    case columns
  }

  public let name: String
  /// What the file calls it.
  public let storedName: String
  public let type: TensorType
  /// Innermost first.
  public let dimensions: [Int]
  public let pieces: [Piece]
  public let seam: Seam

  public init(
    name: String, storedName: String, type: TensorType, dimensions: [Int], pieces: [Piece], seam: Seam = .rows
  ) {
    self.name = name
    self.storedName = storedName
    self.type = type
    self.dimensions = dimensions
    self.pieces = pieces
    self.seam = seam
  }

  public init(_ tensor: TensorInfo, name: String, in file: MappedFile) {
    let piece = Piece(file: file, byteOffset: tensor.byteOffset, byteCount: tensor.byteCount, rows: tensor.rows)
    self.init(name: name, storedName: tensor.name, type: tensor.type, dimensions: tensor.dimensions, pieces: [piece])
  }

  public var columns: Int { self.dimensions.first ?? 0 }
  public var rows: Int { self.dimensions.dropFirst().reduce(1, *) }
  public var byteCount: Int { self.pieces.reduce(0) { $0 + $1.byteCount } }
  /// Bytes that have to be copied before the tensor can be used: all, where pieces lie side by side.
  public var copiedByteCount: Int { self.seam == .columns && self.pieces.count > 1 ? self.byteCount : 0 }
  public var rowByteCount: Int { self.columns / self.type.blockElements * self.type.blockBytes }

  /// The pieces one above the other: as they are, or copied together where they lie side by side. O(bytes) then.
  ///
  /// - Throws: `cannotMap` where the memory for the copy cannot be had.
  public func stacked() throws(ModelFileError) -> [Piece] {
    guard self.copiedByteCount > 0 else { return self.pieces }
    let (rows, rowBytes) = (self.rows, self.rowByteCount)
    let file = try MappedFile(byteCount: self.byteCount, name: self.storedName) { target in
      var column = 0
      for piece in self.pieces {
        // Exact: every piece has all rows.
        let width = piece.byteCount / rows
        let source = piece.bytes
        for row in 0..<rows {
          let part = UnsafeRawBufferPointer(rebasing: source[row * width..<(row + 1) * width])
          UnsafeMutableRawBufferPointer(rebasing: target[row * rowBytes + column..<row * rowBytes + column + width])
            .copyMemory(from: part)
        }
        column += width
      }
    }
    return [Piece(file: file, byteOffset: 0, byteCount: self.byteCount, rows: rows)]
  }
}
