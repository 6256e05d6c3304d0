import AuditTrail
import Governance
import GovernanceTypes
import Testing

@testable import GovernanceStore

@Suite("Log") struct LogTests {
  let directory = TemporaryDirectory()

  private func filled(_ count: Int) async throws -> SQLiteStore {
    let store = try self.directory.open()
    try await store.submit((0..<count).map { _ in JournalRecord(entry()) }).durable()
    return store
  }

  private func root(of store: SQLiteStore, size: Int) throws -> Digest {
    try store.tree.root(size: size, subtree: store.tree.subtrees { try store.leavesNow(in: $0) })
  }

  @Test("lines and leaves are read in pages, at most to the end of the log")
  func pages() async throws {
    let store = try await self.filled(10)
    #expect(try await store.lines(from: 8, limit: 5).count == 2)
    #expect(try await store.lines(from: 10, limit: 5).isEmpty)
    #expect(try await store.lines(from: -3, limit: 4) == store.linesNow(from: 0, limit: 4))
    #expect(try await store.lines(from: 0, limit: 0).isEmpty)
    #expect(try await store.lines(from: 0, limit: -1).isEmpty)
    #expect(try await store.lines(from: .max, limit: .max).isEmpty)
    #expect(try await store.leaves(in: 3..<3).isEmpty)
    #expect(try await store.leaves(in: 3..<10).count == 7)
    for range in [3..<11, -1..<2, 0..<Int.max, 0..<SQLiteStore.longestPage + 1] {
      await #expect(throws: StoreError.self, "\(range)") { try await store.leaves(in: range) }
    }
    await store.close()
  }

  @Test("a checkpoint is kept when its root is the log's, and found by size")
  func checkpoints() async throws {
    let store = try await self.filled(10)
    #expect(try await store.latestCheckpoint() == nil)
    for size in [4, 7, 2] {
      try await store.saveCheckpoint(size: size, root: self.root(of: store, size: size), note: "note \(size)")
    }
    try await store.saveCheckpoint(size: 7, root: self.root(of: store, size: 7), note: "note 7")
    #expect(try await store.latestCheckpoint()?.note == "note 7")
    #expect(try await store.checkpoint(atOrBefore: 6)?.size == 4)
    #expect(try await store.checkpoint(atOrBefore: 4)?.root == self.root(of: store, size: 4))
    #expect(try await store.checkpoint(atOrBefore: 1) == nil)
    await store.close()
    let again = try self.directory.open()
    #expect(try await again.latestCheckpoint()?.note == "note 7")
    try await again.submit([JournalRecord(entry())]).durable()
    try await again.saveCheckpoint(size: 11, root: again.frontier.root(in: again.tree), note: "note 11")
    #expect(try await again.latestCheckpoint()?.size == 11)
    await again.close()
  }

  @Test(
    "a checkpoint that the next start would refuse is never kept",
    arguments: [(5, 4, "n"), (11, 10, "n"), (-1, 0, "n"), (3, 3, "other"), (3, 3, "a\0")])
  func wrongCheckpoint(size: Int, rootOf: Int, note: String) async throws {
    let store = try await self.filled(10)
    let first = try self.root(of: store, size: 3)
    try await store.saveCheckpoint(size: 3, root: first, note: "n")
    let root = try self.root(of: store, size: rootOf)
    let error = await #expect(throws: JournalError.self) { try await store.saveCheckpoint(size: size, root: root, note: note) }
    #expect(error?.code == .conflict)
    #expect(try await store.latestCheckpoint() == StoredCheckpoint(size: 3, root: first, note: "n"))
    await store.close()
  }

  @Test("a secret is created once")
  func secrets() async throws {
    let store = try self.directory.open()
    #expect(try await store.secret(named: "log key") == nil)
    try await store.setSecret([1, 0, 2], named: "log key")
    try await store.setSecret([1, 0, 2], named: "log key")
    let error = await #expect(throws: JournalError.self) { try await store.setSecret([3], named: "log key") }
    #expect(error?.code == .conflict)
    await #expect(throws: JournalError.self) { try await store.setSecret([3], named: "log\0key") }
    #expect(try await store.secret(named: "log\0key") == nil)
    await store.close()
    let again = try self.directory.open()
    #expect(try await again.secret(named: "log key") == [1, 0, 2])
    await again.close()
  }
}
