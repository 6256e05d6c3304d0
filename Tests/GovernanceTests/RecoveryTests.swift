import Governance
import GovernanceTypes
import Simulation
import Synchronization
import Testing
import UsageLedger

@Suite("Recovery after a crash")
struct RecoveryTests {
  static let words = (0..<200).map { "w\($0) " }

  /// A second gate that starts from what the journal of the first had on disk.
  func restarted(_ fixture: GateFixture) async throws -> (gate: Gate, report: RecoveryReport) {
    let gate = try GateFixture.makeGate(journal: fixture.journal, clock: fixture.clock, terms: GateFixture.permissiveTerms)
    try gate.register(GateFixture.model(fixture.engine))
    let report = try await gate.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
    return (gate, report)
  }

  @Test("A hold without a mark is voided; what may have been delivered is stated", arguments: [0, 5, 15])
  func voided(delivered: Int) async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    let crashed = try await self.crash(fixture, afterPieces: delivered).usage
    let (gate, report) = try await self.restarted(fixture)
    #expect(report.voided.map(\.usage) == [crashed])
    #expect(report.uncertainTokens.value >= delivered)
    #expect(gate.openHoldCount == 0)
  }

  @Test("A hold is settled at its last durable mark, never above what the client received", arguments: [17, 40, 100, 199])
  func settled(delivered: Int) async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    let crashed = try await self.crash(fixture, afterPieces: delivered).usage
    let (gate, report) = try await self.restarted(fixture)
    let record = try #require(report.settled.first)
    #expect(record.usage == crashed)
    #expect(record.policy == .lastDurableMark)
    #expect(record.tokens.completion.value <= delivered)
    #expect(record.tokens.completion.value + record.undelivered.value >= delivered)
    #expect(record.amount == NanoAmount(Int128(MoneyTests.cost(record.tokens.completion.value))))
    #expect(gate.committedSpend(of: .customer(fixture.customer)) == record.amount)
  }

  @Test("A token of which the guards let through a part counts as one that may have been delivered", arguments: 0..<150)
  func shownInPart(delivered: Int) async throws {
    // "shady" waits for what follows it, and the space before it does not.
    let tokens = (0..<100).flatMap { [" shady", " w\($0)"] }
    // No mark but where delivery would pass the last one.
    var policy = GatePolicy()
    policy.markEveryTokens = 1000
    let fixture = try await GateFixture(
      script: .init(promptTokens: 10, tokens: tokens), terms: SecondOpinionTests.terms, policy: policy,
      rules: [ConductTests.pack()])
    let crashed = try await self.crash(fixture, afterPieces: delivered)
    let report = try await self.restarted(fixture).report
    let record = try #require((report.settled + report.voided).first)
    let most = record.tokens.completion.value + record.undelivered.value
    #expect(tokens.prefix(most).joined().hasPrefix(crashed.text))
    #expect(crashed.text.hasPrefix(tokens.prefix(record.tokens.completion.value).joined()))
  }

  @Test("Balances, keys, limits and prices are as before")
  func stateIsKept() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    try await fixture.limitSpend(nano: MoneyTests.cost(8) * 2)
    _ = try await fixture.serve(fixture.call(most: 8))
    let (gate, _) = try await self.restarted(fixture)
    #expect(gate.committedSpend(of: .customer(fixture.customer)) == NanoAmount(Int128(MoneyTests.cost(8))))
    guard case .live(let live) = try await gate.admit(fixture.call(most: 8)) else { return }
    #expect(await GateFixture.run(live).finish?.reason == .length)
    #expect(await refusal { _ = try await gate.admit(fixture.call(most: 8)) }?.code == .spendLimitReached)
  }

  @Test("A retry after the crash of a request that was settled is not charged again")
  func idempotencySurvives() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    _ = try await fixture.serve(fixture.call(key: "k1"))
    let (gate, _) = try await self.restarted(fixture)
    #expect(await refusal { _ = try await gate.admit(fixture.call(key: "k1")) }?.code == .idempotencyConflict)
  }

  /// Delivers some pieces of an answer and then loses the process: nothing more reaches the journal.
  private func crash(_ fixture: GateFixture, afterPieces pieces: Int) async throws -> (usage: UsageID, text: String) {
    guard case .live(let live) = try await fixture.gate.admit(fixture.call()) else { throw GateFixture.ClientGone() }
    let journal = fixture.journal
    let received = Mutex((pieces: 0, text: ""))
    await live.run(handover: .asItComes) { @concurrent event in
      guard case .piece(let piece) = event else { return }
      let taken = received.withLock { received in
        received.pieces += 1
        if received.pieces <= pieces { received.text += piece.text }
        return received.pieces
      }
      if taken >= pieces { journal.fail(with: JournalError(.closed, "crash")) }
      if taken > pieces { throw GateFixture.ClientGone() }
    }
    journal.fail(with: nil)
    return (live.usage, received.withLock { $0.text })
  }
}
