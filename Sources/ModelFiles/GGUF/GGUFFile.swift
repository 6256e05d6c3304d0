// ModelFiles: model files as hostile bytes, checked once so that everything above may trust what it is given.
// It holds the read-only mapping, the tensor types with their sizes, and the parsers, one folder a format.
// It must never know what a tensor is for, how to compute with it, or any license, customer or network.

/// A GGUF file, versions 1 to 3 in little-endian order, parsed and checked in full; the tensor data stays in the file.
///
/// Format: `docs/gguf.md` of the ggml project. Reading costs O(metadata + tensors); no tensor byte is touched.
public struct GGUFFile: Sendable {
  public let file: MappedFile
  /// 1 to 3.
  public let version: UInt32
  public let metadata: GGUFMetadata
  /// All tensors in file order.
  public let tensors: [TensorInfo]
  private let positions: [String: Int]

  /// Maps and parses a file.
  ///
  /// - Throws: every fault of the file, named by field and byte; a file is never accepted in part.
  public init(path: String) throws(ModelFileError) {
    try self.init(file: MappedFile(path: path))
  }

  /// Parses a file that is held in memory; `name` stands in for the path in errors.
  public init(bytes: [UInt8], name: String) throws(ModelFileError) {
    try self.init(file: MappedFile(bytes: bytes, name: name))
  }

  /// Parses a file that is mapped already.
  public init(file: MappedFile) throws(ModelFileError) {
    var reader = GGUFReader(file: file)
    let contents = try reader.read()
    self.file = file
    self.version = contents.version
    self.metadata = contents.metadata
    self.tensors = contents.tensors
    self.positions = contents.positions
  }

  public func tensor(named name: String) -> TensorInfo? {
    guard let position = self.positions[name] else { return nil }
    return self.tensors[position]
  }

  /// The stored bytes of one of this file's tensors; valid only while ``file`` is alive.
  ///
  /// - Precondition: `tensor` comes from this file.
  public func bytes(of tensor: TensorInfo) -> UnsafeRawBufferPointer {
    precondition(tensor.byteOffset + tensor.byteCount <= self.file.byteCount, "The tensor belongs to another file.")
    return UnsafeRawBufferPointer(rebasing: self.file.bytes[tensor.byteOffset..<tensor.byteOffset + tensor.byteCount])
  }
}
