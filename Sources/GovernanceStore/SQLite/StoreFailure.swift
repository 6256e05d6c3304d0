internal import GRDB
internal import Governance

/// A record that contradicts what is stored, or that cannot be stored as it is. It fails its own submission and no other.
struct Conflict: Error {
  let detail: String

  init(_ detail: String) { self.detail = detail }
}

/// A row that no version of this store has written.
struct CorruptRow: Error {
  let detail: String

  init(_ detail: String) { self.detail = detail }
}

/// A question whose exact answer does not fit into the types it is asked in, or that is too large to answer at once.
struct Unanswerable: Error {
  let detail: String

  init(_ detail: String) { self.detail = detail }
}

/// What a failed write means to those who wait for it.
func journalError(_ error: any Error) -> JournalError {
  switch error {
  case let error as JournalError: return error
  case let error as Conflict: return JournalError(.conflict, error.detail)
  case let error as CorruptRow: return JournalError(.failed, error.detail)
  case let error as DatabaseError:
    switch error.resultCode {
    case .SQLITE_CONSTRAINT, .SQLITE_TOOBIG, .SQLITE_MISMATCH: return JournalError(.conflict, text(of: error))
    case .SQLITE_FULL: return JournalError(.diskFull, text(of: error))
    case .SQLITE_READONLY: return JournalError(.readOnly, text(of: error))
    default: return JournalError(.failed, text(of: error))
    }
  default: return JournalError(.failed, "\(error)")
  }
}

/// What a failed start or read means to the operator.
func storeError(_ error: any Error, path: String) -> StoreError {
  switch error {
  case let error as StoreError: return error
  case let error as ForeignFile:
    return StoreError(.corrupt, path: path, "\(error.reason); name an empty directory, or the one that holds the gateway's data")
  case let error as CorruptRow: return corrupt(path, error.detail)
  case let error as Unanswerable: return StoreError(.failed, path: path, error.detail)
  case let error as DatabaseError: return storeError(error, path: path)
  default: return StoreError(.failed, path: path, "\(error)")
  }
}

private func storeError(_ error: DatabaseError, path: String) -> StoreError {
  let text = text(of: error)
  switch error.resultCode {
  case .SQLITE_CORRUPT, .SQLITE_NOTADB: return corrupt(path, text)
  case .SQLITE_FULL: return StoreError(.diskFull, path: path, "the disk is full (\(text)); free space and start again")
  case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
    return StoreError(.notWritable, path: path, "\(text); make the file writable for the user that runs the gateway")
  case .SQLITE_BUSY, .SQLITE_LOCKED:
    return StoreError(.locked, path: path, "another program uses the database (\(text)); close it and start again")
  default: return StoreError(.failed, path: path, text)
  }
}

func corrupt(_ path: String, _ what: String) -> StoreError {
  StoreError(
    .corrupt, path: path,
    "\(what); the database does not hold what was written to it. Keep the file as evidence and restore the newest backup")
}

private func text(of error: DatabaseError) -> String {
  "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message")"
}
