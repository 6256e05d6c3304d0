internal import Glibc

/// A key file that cannot be read or written.
public struct KeyFileError: Error, Sendable, Equatable, CustomStringConvertible {
  public var path: String
  public var message: String

  public var description: String { "\(self.path): \(self.message)" }
}

/// Files with private keys: mode 0600, written whole or not at all, never over an existing one.
enum KeyFile {
  private static let bytesMaximum = 1 << 16

  /// - Throws: ``KeyFileError`` where the file is missing, not regular, too large, or can be read by others than its owner.
  static func read(_ path: String, isPrivate: Bool = true) throws(KeyFileError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw KeyFileError(path: path, message: systemText(errno)) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw KeyFileError(path: path, message: systemText(errno)) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw KeyFileError(path: path, message: "is no regular file") }
    guard !isPrivate || status.st_mode & 0o077 == 0 else {
      let mode = String(status.st_mode & 0o777, radix: 8)
      throw KeyFileError(path: path, message: "has mode \(mode), so that others can read the key; run chmod 600 on it")
    }
    guard status.st_size <= bytesMaximum else { throw KeyFileError(path: path, message: "is too large for a key") }
    var bytes = [UInt8](repeating: 0, count: bytesMaximum)
    var filled = 0
    while filled < bytes.count {
      // The read is bounded by the room that is left.
      let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw KeyFileError(path: path, message: systemText(errno)) }
      if count == 0 { break }
      filled += count
    }
    return Array(bytes.prefix(filled))
  }

  /// Writes a new file of mode 0600 and waits until it is on disk.
  ///
  /// - Throws: ``KeyFileError``, also where the file exists already.
  static func create(_ path: String, _ bytes: [UInt8], mode: mode_t = 0o600) throws(KeyFileError) {
    let temporary = "\(path).new-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw KeyFileError(path: temporary, message: systemText(errno)) }
    defer { unlink(temporary) }
    defer { close(descriptor) }
    guard fchmod(descriptor, mode) == 0, writeAll(bytes, to: descriptor), fsync(descriptor) == 0 else {
      throw KeyFileError(path: temporary, message: systemText(errno))
    }
    // A link, unlike a rename, refuses to replace what is there.
    guard link(temporary, path) == 0 else { throw KeyFileError(path: path, message: systemText(errno)) }
    try synchronizeDirectory(of: path)
  }

  private static func synchronizeDirectory(of path: String) throws(KeyFileError) {
    let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw KeyFileError(path: directory, message: systemText(errno)) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw KeyFileError(path: directory, message: systemText(errno)) }
  }
}

/// Writes all bytes to a descriptor; false leaves the reason in `errno`.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  var written = 0
  while written < bytes.count {
    // The write is bounded by the bytes that are left.
    let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written) }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return false }
    written += count
  }
  return true
}

/// The system's words for an error number.
func systemText(_ number: Int32) -> String {
  // strerror returns a string that ends in zero and lives until the next call on this thread.
  strerror(number).map { String(cString: $0) } ?? "error \(number)"
}
