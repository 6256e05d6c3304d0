internal import Glibc
internal import Synchronization

/// The directory of one store, held by one process: an advisory lock on `<directory>/lock` that ends with the process.
final class DirectoryLock: Sendable {
  private let descriptor: Mutex<Int32?>

  /// Creates the directory (mode 0700) where it is missing, and takes the lock without waiting.
  init(directory: String) throws(StoreError) {
    try createDirectory(directory)
    let path = directory + "/lock"
    let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw notWritable(path, "the lock file cannot be opened", errno) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      let owner = readOwner(file)
      _ = Glibc.close(file)
      guard reason == EWOULDBLOCK else { throw notWritable(path, "the lock cannot be taken", reason) }
      throw StoreError(
        .locked, path: directory,
        "another process\(owner.map { " (pid \($0))" } ?? "") has this data directory open; stop it, or use another directory")
    }
    self.descriptor = Mutex(file)
    let owner = Array("\(getpid())\n".utf8)
    guard ftruncate(file, 0) == 0, pwrite(file, owner, owner.count, 0) == owner.count else {
      let reason = errno
      self.release()
      throw notWritable(path, "the lock file cannot be written", reason)
    }
  }

  /// Gives the directory free. Further calls do nothing.
  func release() {
    self.descriptor.withLock { descriptor in
      if let file = descriptor { _ = Glibc.close(file) }
      descriptor = nil
    }
  }

  deinit { self.release() }
}

/// Creates an empty file that only its owner may read, where there is none: SQLite gives its own files the same mode.
func createPrivateFile(_ path: String) throws(StoreError) {
  let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
  guard file >= 0 else { throw notWritable(path, "the database file cannot be opened for writing", errno) }
  _ = Glibc.close(file)
}

/// Bytes that an ordinary user may still write to the file system of `path`; nil where it does not say.
func freeBytes(at path: String) -> Int? {
  var status = statvfs()
  guard statvfs(path, &status) == 0 else { return nil }
  let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
  return overflow ? Int.max : Int(clamping: bytes)
}

private func createDirectory(_ directory: String) throws(StoreError) {
  var path = directory.hasPrefix("/") ? "" : "."
  for part in directory.split(separator: "/") {
    let parent = path.isEmpty ? "/" : path
    path += "/" + part
    if mkdir(path, 0o700) == 0 {
      try synchronize(directory: parent)
      continue
    }
    if errno == EEXIST { continue }
    // A parent that exists may still refuse mkdir with another error (a read-only mount, say): only the last one counts.
    var status = stat()
    guard stat(path, &status) == 0 else { throw notWritable(directory, "the directory cannot be created", errno) }
  }
  var status = stat()
  guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
    throw StoreError(.notWritable, path: directory, "this is not a directory; name one that may be created or written")
  }
}

/// A new directory is in its parent for good only once the parent is synced; what is synced inside it would be lost with it.
private func synchronize(directory: String) throws(StoreError) {
  let file = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard file >= 0 else { throw notWritable(directory, "the directory cannot be opened", errno) }
  let result = fsync(file)
  let reason = errno
  _ = Glibc.close(file)
  guard result == 0 else { throw notWritable(directory, "the directory cannot be synced", reason) }
}

private func readOwner(_ file: Int32) -> Int? {
  var bytes = [UInt8](repeating: 0, count: 20)
  let count = pread(file, &bytes, bytes.count, 0)
  guard count > 0 else { return nil }
  return Int(String(decoding: bytes.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
}

private func notWritable(_ path: String, _ what: String, _ reason: Int32) -> StoreError {
  StoreError(
    .notWritable, path: path,
    "\(what): \(String(cString: strerror(reason))); make the directory writable for the user that runs the gateway")
}
