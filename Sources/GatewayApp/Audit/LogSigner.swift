internal import AuditSigning
internal import AuditTrail
internal import Foundation
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import Logging
internal import ServiceLifecycle

/// Signs the log's checkpoints, each an extension of the one before it.
actor LogSigner {
  private let store: SQLiteStore
  private let keys: KeyMaterial
  private let witness: CheckpointWitness
  private let log: Logger
  private let tree = MerkleTree(digest: sha256)
  private(set) var newest: String?

  init(store: SQLiteStore, keys: KeyMaterial, witness: CheckpointWitness, log: Logger) {
    self.store = store
    self.keys = keys
    self.witness = witness
    self.log = log
  }

  var storeIsFailing: Bool { self.store.statistics.isFailing }

  /// Signs the log as it is now, unless the newest checkpoint already covers it.
  func sign() async throws {
    let frontier = self.store.frontier
    if let known = try await self.store.latestCheckpoint(), known.size >= frontier.size {
      self.newest = known.note
      return
    }
    let note = try self.note(size: frontier.size, root: frontier.root(in: self.tree))
    // The store recomputes the root from the leaves before it keeps a checkpoint, so an inconsistent one is never published.
    try await self.store.saveCheckpoint(size: frontier.size, root: frontier.root(in: self.tree), note: note)
    try self.witness.keep(note)
    self.newest = note
  }

  /// A signed checkpoint of the log at an earlier size.
  func note(atSize size: Int) throws -> String {
    let store = self.store
    let root = try self.tree.root(size: size, subtree: self.tree.subtrees(fromLeaves: { try store.leavesNow(in: $0) }))
    return try self.note(size: size, root: root)
  }

  private func note(size: Int, root: Digest) throws -> String {
    let bytes = try self.keys.log.sign(Checkpoint(origin: self.keys.origin, size: size, root: root))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Signs at an interval until shutdown, and writes settlements again that the disk did not take.
  nonisolated func service(every interval: Duration, gate: Gate) -> some Service {
    SigningService(signer: self, interval: interval, gate: gate, log: self.log)
  }
}

private struct SigningService: Service {
  let signer: LogSigner
  let interval: Duration
  let gate: Gate
  let log: Logger

  @concurrent
  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await Task.sleep(for: self.interval) } catch { return }
        await self.gate.tend()
        if await self.signer.storeIsFailing { self.gate.probeJournal() }
        do { try await self.signer.sign() } catch {
          self.log.error("the checkpoint could not be signed; it is tried again", metadata: ["error": "\(error)"])
        }
      }
    }
  }
}
