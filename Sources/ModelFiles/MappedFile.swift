internal import Glibc

/// A file's bytes, mapped read-only for as long as this object lives.
///
/// The mapping is private and never written, so any number of threads may read it. Its address is kept as an integer:
/// the invariant that makes this type `Sendable` is that `address ..< address + byteCount` stays mapped and unchanged
/// from `init` to `deinit`. A file that another process shortens while it is mapped breaks this (the system then
/// signals `SIGBUS` on access): replace model files by renaming, never in place.
public final class MappedFile: Sendable {
  /// The file as the caller named it.
  public let path: String
  /// The length of the mapping in bytes, at least 1.
  public let byteCount: Int
  private let address: UInt
  private let isFile: Bool

  /// Maps a regular, non-empty file.
  ///
  /// - Throws: `cannotOpen`, `notRegularFile`, `empty` or `cannotMap`.
  public init(path: String) throws(ModelFileError) {
    guard !path.utf8.contains(0) else {
      throw ModelFileError(.cannotOpen, path: path, message: "The path holds a NUL byte.")
    }
    // O_NONBLOCK: opening a named pipe must fail below, not wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw ModelFileError(.cannotOpen, path: path, message: "Cannot open: \(MappedFile.reason(errno)).")
    }
    defer { close(descriptor) }
    let size = try MappedFile.regularFileSize(descriptor, path: path)
    guard let mapping = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), mapping != MAP_FAILED else {
      throw ModelFileError(.cannotMap, path: path, message: "Cannot map \(size) bytes: \(MappedFile.reason(errno)).")
    }
    self.isFile = true
    self.path = path
    self.byteCount = size
    self.address = UInt(bitPattern: mapping)
  }

  /// Copies bytes into page-aligned memory of their own, so that a file in memory is read like one on disk.
  ///
  /// - Parameter name: stands in for the path in errors.
  /// - Throws: `empty` or `cannotMap`.
  public init(bytes: [UInt8], name: String) throws(ModelFileError) {
    guard !bytes.isEmpty else { throw MappedFile.emptyFile(name) }
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let mapping = mmap(nil, bytes.count, PROT_READ | PROT_WRITE, flags, -1, 0), mapping != MAP_FAILED else {
      throw ModelFileError(.cannotMap, path: name, message: "Cannot map \(bytes.count) bytes: \(MappedFile.reason(errno)).")
    }
    // The mapping is as long as the source, and nothing else knows it yet.
    UnsafeMutableRawBufferPointer(start: mapping, count: bytes.count).copyBytes(from: bytes)
    self.isFile = false
    self.path = name
    self.byteCount = bytes.count
    self.address = UInt(bitPattern: mapping)
  }

  /// Memory of its own that `fill` writes once, for data that no file holds in one piece.
  ///
  /// - Parameter byteCount: at least 1.
  /// - Throws: `cannotMap`.
  public init(
    byteCount: Int, name: String, fill: (UnsafeMutableRawBufferPointer) -> Void
  ) throws(ModelFileError) {
    precondition(byteCount > 0)
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let mapping = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0), mapping != MAP_FAILED else {
      throw ModelFileError(.cannotMap, path: name, message: "Cannot get \(byteCount) bytes: \(MappedFile.reason(errno)).")
    }
    // Nothing else knows the mapping until `fill` has returned.
    fill(UnsafeMutableRawBufferPointer(start: mapping, count: byteCount))
    self.isFile = false
    self.path = name
    self.byteCount = byteCount
    self.address = UInt(bitPattern: mapping)
  }

  deinit {
    munmap(UnsafeMutableRawPointer(bitPattern: self.address), self.byteCount)
  }

  /// All bytes of the file; valid only while this object is alive.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: self.address), count: self.byteCount)
  }

  /// Lets the system drop its copy of pages that were read and are not needed soon; they are read again when touched. Memory that no
  /// file backs is left alone.
  public func forget() {
    guard self.isFile else { return }
    madvise(UnsafeMutableRawPointer(bitPattern: self.address), self.byteCount, MADV_DONTNEED)
  }

  private static func regularFileSize(_ descriptor: Int32, path: String) throws(ModelFileError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw ModelFileError(.cannotOpen, path: path, message: "Cannot examine: \(MappedFile.reason(errno)).")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ModelFileError(.notRegularFile, path: path, message: "Not a regular file; name the model file itself.")
    }
    guard status.st_size > 0 else { throw MappedFile.emptyFile(path) }
    return status.st_size
  }

  private static func emptyFile(_ path: String) -> ModelFileError {
    ModelFileError(.empty, path: path, message: "The file is empty; copy or download it again.")
  }

  private static func reason(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
  }
}
