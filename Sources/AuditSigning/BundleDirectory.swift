public import AuditTrail
internal import Glibc

/// A file or directory of a bundle that cannot be read or written.
public struct BundleDirectoryError: Error, Sendable, Equatable, CustomStringConvertible {
  public var path: String
  public var message: String

  public var description: String { "\(self.path): \(self.message)" }
}

/// A bundle on disk, read. Files are opened when they are asked for and read in pieces of 1 MiB.
public struct BundleDirectory: BundleSource, Sendable {
  public let path: String

  private static let filesMaximum = 100_000
  private static let depthMaximum = 4
  private static let pieceSize = 1 << 20

  public init(path: String) { self.path = path }

  /// The relative paths of all regular files.
  ///
  /// - Throws: ``BundleDirectoryError`` for links and anything else that is neither file nor directory, and past four levels.
  public func paths() throws -> [String] {
    var found: [String] = []
    try self.collect("", depth: 1, into: &found)
    return found
  }

  private func collect(_ folder: String, depth: Int, into found: inout [String]) throws(BundleDirectoryError) {
    let absolute = folder.isEmpty ? self.path : "\(self.path)/\(folder)"
    guard depth <= Self.depthMaximum else { throw BundleDirectoryError(path: absolute, message: "lies too deep for a bundle") }
    guard let directory = opendir(absolute) else { throw BundleDirectoryError(path: absolute, message: systemText(errno)) }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = Self.name(of: entry)
      if name == "." || name == ".." { continue }
      let relative = folder.isEmpty ? name : "\(folder)/\(name)"
      var status = stat()
      guard lstat("\(self.path)/\(relative)", &status) == 0 else {
        throw BundleDirectoryError(path: relative, message: systemText(errno))
      }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try self.collect(relative, depth: depth + 1, into: &found)
      case S_IFREG: found.append(relative)
      default: throw BundleDirectoryError(path: relative, message: "is neither a file nor a directory")
      }
      guard found.count <= Self.filesMaximum else { throw BundleDirectoryError(path: absolute, message: "has too many files") }
    }
  }

  private static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
    // `d_name` is an array of 256 bytes that holds a string ending in zero; the entry lives until the next readdir.
    withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  public func open(_ path: String) throws -> () throws -> [UInt8]? {
    let file = try OpenFile(reading: "\(self.path)/\(path)")
    return { try file.read(atMost: Self.pieceSize) }
  }
}

/// A bundle on disk, written into a directory that must not exist before. Each file is on disk when it is closed.
public struct BundleDirectorySink: BundleSink {
  private let path: String
  private var files: [String: OpenFile] = [:]

  /// Creates the directory.
  public init(path: String) throws(BundleDirectoryError) {
    guard mkdir(path, 0o755) == 0 else { throw BundleDirectoryError(path: path, message: systemText(errno)) }
    self.path = path
  }

  public mutating func open(_ path: String) throws {
    if let slash = path.lastIndex(of: "/") {
      let folder = "\(self.path)/\(path[..<slash])"
      guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
        throw BundleDirectoryError(path: folder, message: systemText(errno))
      }
    }
    self.files[path] = try OpenFile(creating: "\(self.path)/\(path)")
  }

  public mutating func append(_ bytes: [UInt8], to path: String) throws { try self.file(path).write(bytes) }

  public mutating func close(_ path: String) throws {
    try self.file(path).synchronize()
    self.files[path] = nil
  }

  private func file(_ path: String) throws(BundleDirectoryError) -> OpenFile {
    guard let file = self.files[path] else { throw BundleDirectoryError(path: "\(self.path)/\(path)", message: "is not open") }
    return file
  }
}

/// One open file, closed when the last reference goes.
final class OpenFile {
  private let descriptor: Int32
  private let path: String

  init(reading path: String) throws(BundleDirectoryError) {
    self.path = path
    self.descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard self.descriptor >= 0 else { throw BundleDirectoryError(path: path, message: systemText(errno)) }
  }

  init(creating path: String) throws(BundleDirectoryError) {
    self.path = path
    self.descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard self.descriptor >= 0 else { throw BundleDirectoryError(path: path, message: systemText(errno)) }
  }

  deinit { if self.descriptor >= 0 { Glibc.close(self.descriptor) } }

  func read(atMost count: Int) throws(BundleDirectoryError) -> [UInt8]? {
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      // The system initializes `result` bytes, at most the buffer's count.
      repeat { result = Glibc.read(self.descriptor, buffer.baseAddress, buffer.count) } while result < 0 && errno == EINTR
      initialized = max(0, result)
    }
    guard result >= 0 else { throw BundleDirectoryError(path: self.path, message: systemText(errno)) }
    return bytes.isEmpty ? nil : bytes
  }

  /// In bytes.
  func size() throws(BundleDirectoryError) -> Int {
    var status = stat()
    guard fstat(self.descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw BundleDirectoryError(path: self.path, message: "is no regular file")
    }
    return status.st_size
  }

  /// At most `count` bytes from a place on; none at the end.
  func read(at offset: Int, count: Int) throws(BundleDirectoryError) -> [UInt8] {
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      // The system initializes `result` bytes, at most the buffer's count.
      repeat {
        result = Glibc.pread(self.descriptor, buffer.baseAddress, buffer.count, offset)
      } while result < 0 && errno == EINTR
      initialized = max(0, result)
    }
    guard result >= 0 else { throw BundleDirectoryError(path: self.path, message: systemText(errno)) }
    return bytes
  }

  func write(_ bytes: [UInt8]) throws(BundleDirectoryError) {
    guard writeAll(bytes, to: self.descriptor) else { throw BundleDirectoryError(path: self.path, message: systemText(errno)) }
  }

  func synchronize() throws(BundleDirectoryError) {
    guard fsync(self.descriptor) == 0 else { throw BundleDirectoryError(path: self.path, message: systemText(errno)) }
  }
}
