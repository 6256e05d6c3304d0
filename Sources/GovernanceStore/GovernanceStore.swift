// GovernanceStore: the journal and the archive of governance in one SQLite database, written by group commit.
// Holds the schema and its migrations, the single writer, the read-only connections, and the state that a start loads.
// It must never know HTTP, an engine, a rule of a license or a price; what a record means is decided before it arrives here.

/// What the store may use, and when it refuses.
public struct StoreOptions: Sendable {
  /// Records that may wait for the disk; a submission beyond it fails at once with `queueFull`.
  public var queueLimit: Int
  /// Records in one transaction. The records of one submission are never split.
  public var batchLimit: Int
  /// Free bytes of the file system below which nothing more is written.
  public var minimumFreeBytes: Int
  /// The size that the database file may reach; nil means that only the file system bounds it.
  public var maximumBytes: Int?
  /// Read-only connections.
  public var readers: Int
  /// Reads the whole database once at the start (`PRAGMA quick_check`).
  public var checksIntegrity: Bool

  public init(
    queueLimit: Int = 65_536, batchLimit: Int = 1024, minimumFreeBytes: Int = 64 << 20, maximumBytes: Int? = nil,
    readers: Int = 2, checksIntegrity: Bool = false
  ) {
    self.queueLimit = max(1, queueLimit)
    self.batchLimit = max(1, batchLimit)
    self.minimumFreeBytes = max(0, minimumFreeBytes)
    self.maximumBytes = maximumBytes
    self.readers = max(1, readers)
    self.checksIntegrity = checksIntegrity
  }
}

/// Why the store could not be opened or read.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    /// Another process has the directory open.
    case locked
    case notWritable
    case corrupt
    /// Written by a later version than this one.
    case newerSchema
    case diskFull
    /// SQLite did not take the settings that durability rests on.
    case unsafeSettings
    case failed
  }

  public var code: Code
  public var path: String
  /// What is wrong and what to do about it. For the operator; it may name files.
  public var message: String

  public init(_ code: Code, path: String, _ message: String) {
    self.code = code
    self.path = path
    self.message = message
  }

  public var description: String { "\(self.path): \(self.message)" }
}
