import GRDB
import Governance
import GovernanceTypes
import Testing

@testable import GovernanceStore

@Suite("Attempts") struct AttemptTests {
  private func attempt(_ usage: UInt128, _ ordinal: Int) -> AttemptRecord {
    AttemptRecord(
      usage: UsageID(usage), ordinal: ordinal, engine: "upstream-\(ordinal)", outcome: ordinal == 0 ? .failed : .completed,
      reason: ordinal == 0 ? "unavailable" : nil,
      tokens: TokenUsage(promptUncached: TokenCount(7), completion: TokenCount(ordinal)),
      source: ordinal == 0 ? .gateway : .provider, nanoseconds: 12)
  }

  @Test("a request has one usage record and as many attempts as were made, in order; history cannot be changed")
  func attempts() async throws {
    let directory = TemporaryDirectory()
    let store = try directory.open()
    let end = settlement(of: hold(1))
    try await store.submit([held(hold(1)), held(hold(2))]).durable()
    try await store.submit([
      JournalRecord(entry(.settle), effects: [.usage(end), .attempt(self.attempt(1, 0)), .attempt(self.attempt(1, 1))])
    ]).durable()
    #expect(try await store.attempts(of: UsageID(1)) == [self.attempt(1, 0), self.attempt(1, 1)])
    #expect(try await store.attempts(of: UsageID(2)).isEmpty)
    let again = store.submit([JournalRecord(nil, effects: [.attempt(self.attempt(1, 0))])])
    await #expect(throws: JournalError.self) { try await again.durable() }
    await store.close()
    let connection = try DatabaseQueue(path: directory.path + "/" + SQLiteStore.fileName)
    for sql in ["UPDATE attempt SET engine = 'x'", "DELETE FROM attempt"] {
      await #expect(throws: DatabaseError.self) { try await connection.write { try $0.execute(sql: sql) } }
    }
  }

  @Test("a voided request frees its idempotency key on disk, so that a retry under it is taken")
  func freedKey() async throws {
    let directory = TemporaryDirectory()
    let store = try directory.open()
    func bound(_ usage: UInt128) -> IdempotencyRecord {
      IdempotencyRecord(
        customer: CustomerID(1), keyDigest: sha256([1]), requestDigest: sha256([2]), usage: UsageID(usage),
        expires: noon.advanced(by: .seconds(86_400)))
    }
    try await store.submit([held(hold(1)), JournalRecord(nil, effects: [.idempotency(bound(1))])]).durable()
    let refused = store.submit([JournalRecord(nil, effects: [.idempotency(bound(2))])])
    await #expect(throws: JournalError.self) { try await refused.durable() }
    let freed = StoreEffect.idempotencyFreed(customer: CustomerID(1), keyDigest: sha256([1]), usage: UsageID(1))
    try await store.submit([JournalRecord(entry(.void), effects: [.usage(void(hold(1))), freed])]).durable()
    try await store.submit([JournalRecord(nil, effects: [.idempotency(bound(2))])]).durable()
    // A late one of the first request does not free what stands for the second.
    try await store.submit([JournalRecord(nil, effects: [freed])]).durable()
    #expect(try store.load().idempotency.map(\.usage) == [UsageID(2)])
    await store.close()
  }
}
