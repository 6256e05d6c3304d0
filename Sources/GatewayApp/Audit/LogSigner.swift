internal import AuditSigning
internal import AuditTrail
internal import Foundation
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import Logging
internal import ServiceLifecycle

/// Signs the log's checkpoints, each an extension of the one before it, has them witnessed, and publishes them.
actor LogSigner {
  nonisolated let logTree: LogTree
  private let store: SQLiteStore
  private let keys: KeyMaterial
  private let keeper: CheckpointKeeper
  private let witnesses: [WitnessClient]
  private let log: Logger
  /// The newest checkpoint that is on disk.
  private(set) var published: StoredCheckpoint?
  private var running: Task<StoredCheckpoint, any Error>?

  init(
    store: SQLiteStore, tree: LogTree, keys: KeyMaterial, keeper: CheckpointKeeper, witnesses: [WitnessClient], log: Logger
  ) {
    self.store = store
    self.logTree = tree
    self.keys = keys
    self.keeper = keeper
    self.witnesses = witnesses
    self.log = log
  }

  var newest: String? { self.published?.note }
  var storeIsFailing: Bool { self.store.statistics.isFailing }

  /// Signs the log as it is now, unless the newest checkpoint already covers it. Calls at the same time share one signature.
  @discardableResult
  func sign() async throws -> StoredCheckpoint {
    if let running = self.running { return try await running.value }
    let task = Task { try await self.signNow() }
    self.running = task
    defer { self.running = nil }
    return try await task.value
  }

  /// A published checkpoint of a tree that has the entry.
  func checkpoint(covering sequence: Int) async throws -> StoredCheckpoint {
    while true {
      if let published = self.published, published.size > sequence { return published }
      let signed = try await self.sign()
      if signed.size > sequence { return signed }
    }
  }

  private func signNow() async throws -> StoredCheckpoint {
    let frontier = self.store.frontier
    if let known = try await self.store.latestCheckpoint(), known.size >= frontier.size {
      self.published = known
      return known
    }
    let root = frontier.root(in: self.logTree.tree)
    // The root is computed once more from the leaves on disk: an inconsistent checkpoint is never signed, nor sent to a witness.
    guard try self.logTree.root(size: frontier.size) == root else {
      throw StartFailure("the log in memory and the leaves on disk give different roots at size \(frontier.size)")
    }
    let signed = try self.note(size: frontier.size, root: root)
    let note = await self.witnessed(signed, size: frontier.size)
    try await self.store.saveCheckpoint(size: frontier.size, root: root, note: note)
    try self.keeper.keep(note)
    let checkpoint = StoredCheckpoint(size: frontier.size, root: root, note: note)
    self.published = checkpoint
    return checkpoint
  }

  /// The note with the cosignatures of the witnesses that can be reached now.
  private func witnessed(_ signed: String, size: Int) async -> String {
    // Our own note can be read.
    guard !self.witnesses.isEmpty, let note = try? SignedNote(Array(signed.utf8)) else { return signed }
    var cosignatures: [NoteSignature] = []
    for witness in self.witnesses {
      do { cosignatures += try await witness.cosign(note, size: size, tree: self.logTree) } catch {
        self.log.error("a witness did not cosign", metadata: ["witness": "\(witness.key.name)", "error": "\(error)"])
      }
    }
    return String(decoding: note.adding(cosignatures).bytes, as: UTF8.self)
  }

  /// Asks each witness for the newest state of the log that it has seen: the log on disk must be a continuation of it.
  ///
  /// - Throws: ``StartFailure`` where a witness has seen more of the log, or another log. One that cannot be reached is reported only.
  func askWitnesses() async throws {
    let stored = try await self.store.latestCheckpoint()
    // What was signed before, or the empty log: nothing new is signed before the witnesses have answered.
    let note = try stored?.note ?? self.note(size: 0, root: self.logTree.tree.emptyRoot)
    for witness in self.witnesses {
      do {
        let seen = try await witness.newestSize(offering: note)
        guard seen <= self.store.logSize else { throw WitnessDisagrees.rolledBack(seen: seen, size: self.store.logSize) }
        let size = max(stored?.size ?? 0, seen)
        guard size > 0 else { continue }
        let offered = try size == stored?.size ? note : self.note(atSize: self.store.logSize)
        let offeredSize = size == stored?.size ? size : self.store.logSize
        _ = try await witness.cosign(try SignedNote(Array(offered.utf8)), size: offeredSize, tree: self.logTree)
      } catch let error as WitnessDisagrees {
        throw StartFailure(
          "The witness \(witness.key.name) does not confirm the log in \(self.store.directory): \(error). The data directory was put back to an earlier copy, or is not that of this log. Restore the newest one."
        )
      } catch {
        self.log.warning(
          "a witness could not be asked at the start", metadata: ["witness": "\(witness.key.name)", "error": "\(error)"])
      }
    }
  }

  /// A signed checkpoint of the log at an earlier size.
  func note(atSize size: Int) throws -> String { try self.note(size: size, root: try self.logTree.root(size: size)) }

  /// The published checkpoint of a size, with its cosignatures, or one made for it.
  func checkpointNote(atSize size: Int) async throws -> String {
    if let known = try await self.store.checkpoint(atOrBefore: size), known.size == size, self.keys.isCurrent(known.note) {
      return known.note
    }
    if size == self.store.logSize {
      let signed = try await self.sign()
      if signed.size == size { return signed.note }
    }
    return try self.note(atSize: size)
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
