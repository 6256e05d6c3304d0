internal import AuditSigning
internal import AuditTrail
internal import Foundation
internal import GovernanceStore
internal import GovernanceTypes

/// Keeps the newest checkpoint that was signed outside the database, so that a database put back to an earlier state is noticed.
struct CheckpointKeeper: Sendable {
  let path: String
  private let verifier: CheckpointVerifier

  init(path: String, keys: KeyMaterial) {
    self.path = path
    self.verifier = keys.checkpointVerifier
  }

  func keep(_ note: String) throws { try KeyFile.replace(self.path, Array(note.utf8), mode: 0o644) }

  /// - Throws: ``StartFailure`` where the log is shorter than the checkpoint that was signed for it, or another log.
  func check(_ store: SQLiteStore, _ tree: LogTree) throws {
    guard let data = FileManager.default.contents(atPath: self.path) else { return }
    let signed: Checkpoint
    do throws(NoteError) { signed = try self.verifier.open(Array(data)) } catch {
      throw StartFailure("\(self.path) cannot be read: \(error). Restore it, or the whole data directory, from the backup.")
    }
    guard store.logSize >= signed.size else {
      throw StartFailure(
        "The log in \(store.directory) has \(store.logSize) entries, but a checkpoint of \(signed.size) was signed for it: the database was put back or lost. Restore the newest one."
      )
    }
    guard try tree.root(size: signed.size) == signed.root else {
      throw StartFailure("The log in \(store.directory) is not the one that the checkpoint in \(self.path) was signed for.")
    }
  }
}
