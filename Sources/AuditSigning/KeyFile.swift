internal import Glibc

/// A key file that cannot be read or written.
public struct KeyFileError: Error, Sendable, Equatable, CustomStringConvertible {
  public var path: String
  public var message: String

  public var description: String { "\(self.path): \(self.message)" }
}

/// Files with private keys: mode 0600, written whole or not at all.
public enum KeyFile {
  private static let bytesMaximum = 1 << 16

  /// - Throws: ``KeyFileError`` where the file is missing, not regular, too large, or can be read by others than its owner.
  public static func read(_ path: String, isPrivate: Bool = true) throws(KeyFileError) -> [UInt8] {
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
  public static func create(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(KeyFileError) {
    try self.write(path, bytes, mode: mode) { temporary throws(KeyFileError) in
      // A link, unlike a rename, refuses to replace what is there.
      guard link(temporary, path) == 0 else { throw KeyFileError(path: path, message: systemText(errno)) }
    }
  }

  /// Writes a file in place of the one that is there, if any, and waits until it is on disk.
  public static func replace(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(KeyFileError) {
    try self.write(path, bytes, mode: mode) { temporary throws(KeyFileError) in
      guard rename(temporary, path) == 0 else { throw KeyFileError(path: path, message: systemText(errno)) }
    }
  }

  /// Puts a file in the place of another, which is gone then.
  public static func move(_ path: String, to target: String) throws(KeyFileError) {
    guard rename(path, target) == 0 else { throw KeyFileError(path: path, message: systemText(errno)) }
    try self.synchronizeDirectory(of: target)
  }

  /// Removes a file, which is gone for good once this returns.
  public static func remove(_ path: String) throws(KeyFileError) {
    guard unlink(path) == 0 else { throw KeyFileError(path: path, message: systemText(errno)) }
    try self.synchronizeDirectory(of: path)
  }

  /// - Throws: ``KeyFileError`` where others than the owner can look into the directory, or it belongs to someone else.
  public static func requirePrivate(directory path: String) throws(KeyFileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw KeyFileError(path: path, message: systemText(errno)) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw KeyFileError(path: path, message: "is no directory") }
    guard status.st_mode & 0o077 == 0 else {
      let mode = String(status.st_mode & 0o777, radix: 8)
      throw KeyFileError(path: path, message: "has mode \(mode), so that others can reach the keys in it; run chmod 700 on it")
    }
    guard status.st_uid == geteuid() else {
      throw KeyFileError(path: path, message: "belongs to user \(status.st_uid), and the gateway runs as \(geteuid())")
    }
  }

  /// Whether a PEM text holds an encrypted private key.
  public static func isEncrypted(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: Array("-----BEGIN ENCRYPTED PRIVATE KEY-----".utf8))
  }

  /// The private key of a PEM file. A file that is not encrypted is encrypted where there is a passphrase.
  static func privateKey(_ path: String, passphrase: String?) throws -> Owned {
    let bytes = try self.read(path)
    let isEncrypted = self.isEncrypted(bytes)
    if isEncrypted, passphrase == nil {
      throw KeyFileError(
        path: path,
        message: "is encrypted; set WEIGHBRIDGE_KEY_PASSPHRASE, or data.key_file to the key file that it was encrypted with")
    }
    let key: Owned
    do throws(OpenSSLError) {
      key = try AuditSigning.privateKey(pem: bytes, from: path, passphrase: passphrase)
    } catch  where isEncrypted {
      throw KeyFileError(
        path: path, message: "cannot be decrypted: the passphrase or key file is not the one that it was encrypted with")
    }
    if !isEncrypted, let passphrase { try self.replace(path, try privateKeyPEM(key, passphrase: passphrase)) }
    return key
  }

  private static func write(
    _ path: String, _ bytes: [UInt8], mode: UInt32, publish: (_ temporary: String) throws(KeyFileError) -> Void
  ) throws(KeyFileError) {
    let temporary = "\(path).new-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw KeyFileError(path: temporary, message: systemText(errno)) }
    defer { unlink(temporary) }
    defer { close(descriptor) }
    guard fchmod(descriptor, mode) == 0, writeAll(bytes, to: descriptor), fsync(descriptor) == 0 else {
      throw KeyFileError(path: temporary, message: systemText(errno))
    }
    try publish(temporary)
    try self.synchronizeDirectory(of: path)
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
