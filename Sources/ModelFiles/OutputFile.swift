internal import Glibc

/// A file that is written from front to back under a name of its own and takes its real name when it is whole, so that nobody ever
/// sees half a model. Dropped before ``finish()``, it is removed.
public struct OutputFile: ~Copyable {
  public let path: String
  private let temporary: String
  // Invariant: open from `init` to the end of this value's life.
  private let descriptor: Int32

  /// - Throws: `cannotOpen` where something is under the name already, or the folder cannot be written.
  public init(path: String) throws(ModelFileError) {
    guard !path.utf8.contains(0) else { throw ModelFileError(.cannotOpen, path: path, message: "The path holds a NUL byte.") }
    guard access(path, F_OK) != 0 else {
      throw ModelFileError(.cannotOpen, path: path, message: "Something is there already; name another file or remove it.")
    }
    let temporary = path + ".partial-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw ModelFileError(.cannotOpen, path: temporary, message: "Cannot create: \(String(cString: strerror(errno))).")
    }
    self.path = path
    self.temporary = temporary
    self.descriptor = descriptor
  }

  /// Appends bytes.
  ///
  /// - Throws: `cannotWrite`, a full disk for one.
  public func write(_ bytes: [UInt8]) throws(ModelFileError) {
    let written = bytes.withUnsafeBytes { raw -> Bool in
      var place = 0
      while place < raw.count {
        let count = Glibc.write(self.descriptor, raw.baseAddress.map { $0 + place }, raw.count - place)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        place += count
      }
      return true
    }
    guard written else { throw self.failure("Cannot write") }
  }

  /// Brings all to the disk and gives the file its name.
  ///
  /// - Throws: `cannotWrite`.
  public consuming func finish() throws(ModelFileError) {
    guard fsync(self.descriptor) == 0 else { throw self.failure("Cannot bring to the disk") }
    guard rename(self.temporary, self.path) == 0 else { throw self.failure("Cannot rename") }
  }

  private func failure(_ what: String) -> ModelFileError {
    ModelFileError(.cannotWrite, path: self.temporary, message: "\(what): \(String(cString: strerror(errno))).")
  }

  deinit {
    close(self.descriptor)
    // After `finish` nothing has this name any more.
    unlink(self.temporary)
  }
}
