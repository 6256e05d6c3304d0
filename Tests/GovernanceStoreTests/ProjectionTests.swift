import Documents
import GRDB
import Governance
import GovernanceTypes
import Testing

@testable import GovernanceStore

@Suite("Projections") struct ProjectionTests {
  /// Two requests that are over, one of which is void, and one that is open; as the gate writes them.
  private func filled(_ directory: TemporaryDirectory) async throws {
    let store = try directory.open()
    let holds = [hold(1), hold(2), hold(3)]
    for record in holds {
      let opened = entry(
        .hold, at: record.heldAt,
        [
          JSONMember("usage", .string(record.usage.description)), JSONMember("customer", .string(record.customer.description)),
          JSONMember("amount_nano", .string(String(record.amount.nano))),
        ])
      try await store.submit([JournalRecord(opened, effects: [.holdOpened(record)])]).durable()
    }
    for record in [settlement(of: holds[0]), void(holds[1])] {
      var fields = [
        JSONMember("usage", .string(record.usage.description)), JSONMember("customer", .string(record.customer.description)),
        JSONMember("undelivered", .string(record.undelivered.description)),
        JSONMember("settlement_policy", .string(record.policy.rawValue)),
      ]
      if record.outcome == .settled {
        fields += [
          JSONMember("amount_nano", .string(String(record.amount.nano))),
          JSONMember("prompt_uncached", .string(record.tokens.promptUncached.description)),
          JSONMember("prompt_cached", .string(record.tokens.promptCached.description)),
          JSONMember("completion", .string(record.tokens.completion.description)),
        ]
      }
      let closed = entry(record.outcome == .settled ? .settle : .void, at: record.settledAt, fields)
      try await store.submit([JournalRecord(closed, effects: [.usage(record)])]).durable()
    }
    await store.close()
  }

  @Test("rows that follow from the log are found to; the whole file is checked on demand")
  func agree() async throws {
    let directory = TemporaryDirectory()
    try await self.filled(directory)
    let store = try directory.open()
    let report = try await store.checkProjections()
    #expect(report.differences.isEmpty, "\(report.differences)")
    #expect((report.settled, report.voided, report.openHolds) == (1, 1, 1))
    #expect(try await store.checkIntegrity() == nil)
    await store.close()
  }

  @Test(
    "a row that was changed, added or taken away is named",
    arguments: [
      ("DROP TRIGGER usage_update; UPDATE usage SET amount = amount + 1 WHERE outcome = 'settled'", "amount"),
      ("DROP TRIGGER usage_delete; DELETE FROM usage WHERE outcome = 'voided'", "no row"),
      ("UPDATE hold SET amount = amount + 1", "holds"), ("DELETE FROM hold", "not in hold"),
      ("INSERT INTO credit_use VALUES ('crd_x', 'cus_x', 'USD', 1, 0, 0, 0)", "credit"),
    ])
  func differ(sql: String, word: String) async throws {
    let directory = TemporaryDirectory()
    try await self.filled(directory)
    let connection = try DatabaseQueue(path: directory.path + "/" + SQLiteStore.fileName)
    try await connection.write { try $0.execute(sql: sql) }
    try connection.close()
    let store = try directory.open()
    // A row that no version writes may also be refused while it is read.
    if word == "credit" {
      await #expect(throws: StoreError.self) { _ = try await store.checkProjections() }
    } else {
      let differences = try await store.checkProjections().differences
      #expect(differences.contains { $0.contains(word) }, "\(differences)")
    }
    await store.close()
  }

  @Test(
    "a correction is of a settled request, and leaves a charge that is not negative",
    arguments: [
      (1, "-1000", nil), (1, "7", nil), (1, "-1001", "gives back more"), (2, "1", "no settled row"), (9, "1", "no settled row"),
    ] as [(Int, String, String?)])
  func adjusted(usage: Int, amount: String, word: String?) async throws {
    let directory = TemporaryDirectory()
    try await self.filled(directory)
    let store = try directory.open()
    let fields = [
      JSONMember("usage", .string(UsageID(UInt128(usage)).description)), JSONMember("amount_nano", .string(amount)),
    ]
    try await store.submit([JournalRecord(entry(.adjust, fields))]).durable()
    let differences = try await store.checkProjections().differences
    if let word {
      #expect(differences.count == 1 && differences.contains { $0.contains(word) }, "\(differences)")
    } else {
      #expect(differences.isEmpty, "\(differences)")
    }
    await store.close()
  }
}
