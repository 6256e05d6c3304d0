internal import AuditSigning
internal import Foundation
internal import GovernanceTypes
internal import Synchronization

/// The keys under which end users are counted, one a month, as files below the data directory.
///
/// A key is made at the first count of its month and destroyed once it has been kept for the time set: from then on nobody can tell
/// whether a fingerprint of that month is a certain user's.
final class AudienceKeys: Sendable {
  private let directory: String
  /// Months for which a key is kept, the running one included.
  private let months: Int
  private let known = Mutex<[CalendarMonth: [UInt8]]>([:])

  init(directory: String, months: Int) throws {
    self.directory = directory
    self.months = months
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  /// The key of a month, made where there is none yet. From memory but for the first time.
  func key(of month: CalendarMonth) throws -> [UInt8] {
    try self.known.withLock { known in
      if let key = known[month] { return key }
      let path = self.path(month)
      if !FileManager.default.fileExists(atPath: path) { try self.write(try secureRandomBytes(32), to: path) }
      guard let data = FileManager.default.contents(atPath: path), data.count == 32 else {
        throw StartFailure(
          "\(path) does not hold 32 bytes. Restore it from a backup: without it this month's users cannot be told apart.")
      }
      known[month] = Array(data)
      return Array(data)
    }
  }

  /// Makes these bytes the key of a month that has none.
  func adopt(_ key: [UInt8], for month: CalendarMonth) throws { try self.write(key, to: self.path(month)) }

  /// - Throws: ``StartFailure`` where users were counted in a month whose key is gone: they would be counted again as others.
  func check(_ month: CalendarMonth, hasUsers: Bool) throws {
    guard hasUsers, !FileManager.default.fileExists(atPath: self.path(month)) else { return }
    throw StartFailure("\(self.path(month)) is missing, but users were counted in \(month). Restore it from the backup.")
  }

  /// Destroys the keys that have been kept for their time: the bytes are overwritten, then the file is removed. Returns their months.
  func destroyExpired(at now: Timestamp) throws -> [CalendarMonth] {
    var oldest = now.month
    for _ in 1..<max(1, self.months) { oldest = oldest.previous }
    let names = try FileManager.default.contentsOfDirectory(atPath: self.directory)
    let expired = names.compactMap { name in name.hasSuffix(".key") ? CalendarMonth(String(name.dropLast(4))) : nil }
      .filter { $0 < oldest }.sorted()
    for month in expired {
      let path = self.path(month)
      if let file = FileHandle(forWritingAtPath: path) {
        try file.write(contentsOf: Data(count: 32))
        try file.synchronize()
        try file.close()
      }
      try FileManager.default.removeItem(atPath: path)
      self.known.withLock { $0[month] = nil }
    }
    return expired
  }

  private func path(_ month: CalendarMonth) -> String { "\(self.directory)/\(month).key" }

  private func write(_ key: [UInt8], to path: String) throws {
    // Written beside and moved, so that a crash leaves no half of a key.
    let temporary = path + ".new"
    guard FileManager.default.createFile(atPath: temporary, contents: Data(key), attributes: [.posixPermissions: 0o600]) else {
      throw StartFailure("\(temporary) cannot be written")
    }
    if let file = FileHandle(forWritingAtPath: temporary) {
      try file.synchronize()
      try file.close()
    }
    try FileManager.default.moveItem(atPath: temporary, toPath: path)
  }
}
