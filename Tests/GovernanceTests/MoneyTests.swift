import Documents
import Governance
import GovernanceTypes
import Simulation
import Synchronization
import Testing
import UsageLedger

@Suite("Money: never over, never lost, exactly once")
struct MoneyTests {
  static let words = (0..<64).map { "w\($0) " }

  /// 10 prompt tokens and `completion` completion tokens.
  static func cost(_ completion: Int) -> Int { 10 * GateFixture.promptNano + completion * GateFixture.completionNano }

  @Test("A stream is cut at the exact token where the money ends", arguments: 1...40)
  func cut(tokens: Int) async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    // One nano-unit more does not pay for another token.
    try await fixture.limitSpend(nano: Self.cost(tokens) + GateFixture.completionNano - 1)
    let served = try await fixture.serve(fixture.call())
    #expect(served.text == Self.words.prefix(tokens).joined())
    #expect(served.finish == Finish(.length, detail: .spendLimitReached))
    #expect(served.record?.amount == NanoAmount(Int128(Self.cost(tokens))))
    #expect(fixture.engine.producedTokens == tokens)
  }

  @Test("Money for the prompt alone is not enough")
  func promptOnly() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    try await fixture.limitSpend(nano: Self.cost(1) - 1)
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.code == .spendLimitReached)
    #expect(fixture.engine.producedTokens == 0)
  }

  @Test("A long answer is held for piece by piece and charged as one")
  func topUp() async throws {
    let long = (0..<1000).map { "w\($0) " }
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: long))
    let served = try await fixture.serve(fixture.call())
    #expect(served.text == long.joined())
    #expect(served.record?.amount == NanoAmount(Int128(Self.cost(1000))))
    #expect(fixture.journal.entries.filter { $0.type == .extend }.count == 4)
  }

  @Test("A long answer with money for part of it ends where the money ends")
  func topUpUntilTheEnd() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: (0..<1000).map { "w\($0) " }))
    try await fixture.limitSpend(nano: Self.cost(700))
    let served = try await fixture.serve(fixture.call())
    #expect(served.record?.tokens.completion.value == 700)
    #expect(served.finish?.detail == .spendLimitReached)
  }

  @Test("200 requests at once with money for 37: 37 are served, and settled plus held is never over")
  func concurrentRequests() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words, pause: .microseconds(50)))
    let limit = NanoAmount(Int128(Self.cost(8) * 37))
    try await fixture.limitSpend(nano: Int(limit.nano))
    let watcher = Task {
      var highest = NanoAmount.zero
      while !Task.isCancelled {
        highest = max(highest, fixture.gate.committedSpend(of: .customer(fixture.customer)))
        await Task.yield()
      }
      return highest
    }
    let outcomes = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<200 {
        group.addTask { (try? await fixture.serve(fixture.call(most: 8)).finish?.reason) == .length }
      }
      return await group.reduce(into: [Bool]()) { $0.append($1) }
    }
    watcher.cancel()
    #expect(outcomes.filter { $0 }.count == 37)
    #expect(await watcher.value <= limit)
    #expect(fixture.gate.committedSpend(of: .customer(fixture.customer)) == limit)
    #expect(fixture.journal.usageRecords.reduce(.zero) { $0 + $1.amount } == limit)
  }

  @Test("A client that goes away after n pieces pays for n tokens", arguments: 0...64)
  func abort(after pieces: Int) async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    guard case .live(let live) = try await fixture.gate.admit(fixture.call()) else { return }
    let served = await GateFixture.run(live, stopAfter: pieces)
    let record = try #require(served.record)
    #expect(record.tokens.completion.value == pieces)
    #expect(record.outcome == (pieces == 0 ? .voided : .settled))
    #expect(record.tokens.completion.value + record.undelivered.value == fixture.engine.producedTokens)
    #expect(fixture.gate.openHoldCount == 0)
  }

  @Test("A request that is let through and never run is voided")
  func dropped() async throws {
    let fixture = try await GateFixture(script: .init(tokens: Self.words))
    _ = try await fixture.gate.admit(fixture.call())
    while fixture.gate.openHoldCount > 0 { await Task.yield() }
    #expect(fixture.journal.usageRecords.map(\.outcome) == [.voided])
    #expect(fixture.journal.usageRecords.map(\.undelivered.value) == [fixture.engine.producedTokens])
  }

  @Test("A hold that cannot be made durable is no hold, and nothing of an answer exists")
  func holdNotDurable() async throws {
    let fixture = try await GateFixture(script: .init(tokens: Self.words))
    _ = try await fixture.serve(fixture.call())
    fixture.journal.fail(with: JournalError(.diskFull, "test"))
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.code == .storeUnavailable)
    #expect(fixture.gate.openHoldCount == 0)
    fixture.journal.fail(with: nil)
    #expect(try await fixture.serve(fixture.call()).finish?.reason == .stop)
  }

  @Test("A settlement that the disk refuses is told to the client, kept, and written when the disk is back")
  func settlementNotDurable() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Array(Self.words.prefix(5))))
    guard case .live(let live) = try await fixture.gate.admit(fixture.call()) else { return }
    fixture.journal.fail(with: JournalError(.diskFull, "test"))
    let served = await GateFixture.run(live)
    #expect(served.finish == nil)
    #expect(served.failure?.code == .storeUnavailable)
    #expect(fixture.journal.usageRecords.isEmpty)
    fixture.journal.fail(with: nil)
    await fixture.gate.tend()
    #expect(fixture.journal.usageRecords.map(\.tokens.completion.value) == [5])
  }

  @Test("The same idempotency key and body: the recorded answer, one charge; another body: refused")
  func idempotency() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    let first = try await fixture.serve(fixture.call(key: "k1"))
    let second = try await fixture.serve(fixture.call(key: "k1"))
    #expect(second.isReplay)
    #expect(second.text == first.text)
    #expect(fixture.journal.usageRecords.count == 1)
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call("another", key: "k1")) }?.code == .idempotencyConflict)
    fixture.clock.advance(by: .seconds(24 * 3600))
    #expect(try await fixture.serve(fixture.call(key: "k1")).isReplay == false)
  }

  @Test("Of two requests at once under one idempotency key one runs, and one charge is made", arguments: 1...20)
  func idempotencyRace(round: Int) async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { _ = try? await fixture.serve(fixture.call(key: "k1")) } }
    }
    #expect(fixture.journal.usageRecords.count == 1)
  }

  @Test("An answer that is sent as one is not with the client before its end")
  func wholeAnswerAborted() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    guard case .live(let live) = try await fixture.gate.admit(fixture.call()) else { return }
    let record = await live.run(handover: .atTheEnd) { @concurrent event in
      if case .piece = event { live.stop() }
    }
    #expect(record?.outcome == .voided || record?.finish == "stop")
    #expect((record?.tokens.completion.value ?? 0) + (record?.undelivered.value ?? 0) == fixture.engine.producedTokens)
  }

  @Test("The recorded answer goes out only under the same key's customer")
  func idempotencyIsPerCustomer() async throws {
    let fixture = try await GateFixture(script: .init(tokens: Self.words))
    _ = try await fixture.serve(fixture.call(key: "k1"))
    let other = try await fixture.gate.createCustomer(GateFixture.document(#"{"name":"Other"}"#), by: GateFixture.actor)
    guard case .string(let id)? = other["id"], let customer = CustomerID(id) else { return }
    let (_, secret) = try await fixture.gate.createKey(
      of: customer, GateFixture.document(#"{"name":"k"}"#), by: GateFixture.actor)
    var call = fixture.call(key: "k1")
    call.secret = secret
    #expect(try await fixture.serve(call).isReplay == false)
  }

  @Test("Prepaid credit is spent to the last unit and no further")
  func credit() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    let amount = NanoAmount(Int128(Self.cost(20)))
    _ = try await fixture.gate.grantCredit(
      to: fixture.customer, GateFixture.document(#"{"amount":"\#(amount)","currency":"USD"}"#), by: GateFixture.actor)
    let served = try await fixture.serve(fixture.call())
    #expect(served.record?.tokens.completion.value == 20)
    #expect(served.finish?.detail == .insufficientCredit)
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.code == .insufficientCredit)
  }
}
