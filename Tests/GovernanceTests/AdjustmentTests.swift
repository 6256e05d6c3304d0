import Documents
import Governance
import GovernanceTypes
import Simulation
import Testing
import UsageLedger

@Suite("Corrections of charges")
struct AdjustmentTests {
  private static let usd = Currency("USD") ?? { preconditionFailure("USD is a currency") }()

  /// A request that cost 10 prompt tokens and 8 completion tokens, 26 nano-units.
  private func served(creditNano: Int? = nil) async throws -> (GateFixture, UsageRecord) {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: MoneyTests.words))
    if let creditNano {
      let amount = NanoAmount(Int128(creditNano)).description
      _ = try await fixture.gate.grantCredit(
        to: fixture.customer, GateFixture.document(#"{"amount":"\#(amount)","currency":"USD"}"#), by: GateFixture.actor)
    }
    return (fixture, try #require(try await fixture.serve(fixture.call(most: 8)).record))
  }

  private func adjust(
    _ fixture: GateFixture, _ usage: UsageID, nano: Int, reference: String? = nil, in gate: Gate? = nil
  ) async throws -> JSON {
    let reference = reference.map { #","reference":"\#($0)""# } ?? ""
    return try await (gate ?? fixture.gate).adjust(
      GateFixture.document(
        #"{"usage":"\#(usage)","amount":"\#(NanoAmount(Int128(nano)))","reason":"A wrong price"\#(reference)}"#),
      by: Actor("Erika"))
  }

  private func restarted(_ fixture: GateFixture) async throws -> Gate {
    let gate = try GateFixture.makeGate(journal: fixture.journal, clock: fixture.clock, terms: GateFixture.permissiveTerms)
    try gate.register(GateFixture.model(fixture.engine))
    _ = try await gate.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
    return gate
  }

  @Test("A correction is an entry with actor and reason, moves the accounts, and is the same after a restart")
  func entry() async throws {
    let (fixture, record) = try await self.served()
    let made = try await self.adjust(fixture, record.usage, nano: -6)
    let entry = try #require(fixture.journal.entries.last)
    #expect(entry.type == .adjust)
    let fields = JSON.object(entry.fields)
    for (name, value) in [
      ("usage", record.usage.description), ("customer", fixture.customer.description), ("amount_nano", "-6"),
      ("currency", "USD"), ("actor", "Erika"), ("reason", "A wrong price"),
    ] {
      #expect(fields[name] == .string(value), "\(name)")
    }
    #expect(made["id"] == fields["id"] && entry.lookup.map(JSON.string) == fields["id"])
    for gate in [fixture.gate, try await self.restarted(fixture)] {
      let accounts = try #require(gate.accounts(of: fixture.customer)[Self.usd])
      #expect(accounts[.revenue] == NanoAmount(-20) && accounts[.receivable] == NanoAmount(20))
      #expect(accounts.values.reduce(.zero, +) == .zero)
      #expect(gate.committedSpend(of: .customer(fixture.customer)) == NanoAmount(20))
      #expect(gate.adjustments(customer: fixture.customer, usage: nil) == [made])
      #expect(gate.adjustments(customer: CustomerID(1), usage: nil).isEmpty)
    }
    #expect(fixture.journal.usageRecords == [record], "the settlement stays as it is")
  }

  @Test("Corrections never give back more than was charged, in any order and at once", arguments: 1...10)
  func nothingLeft(seed: UInt64) async throws {
    let (fixture, record) = try await self.served()
    let given = await withTaskGroup(of: Int.self) { group in
      for part in [9, 9, 9, 9] {
        group.addTask { (try? await self.adjust(fixture, record.usage, nano: -part)) == nil ? 0 : part }
      }
      return await group.reduce(0, +)
    }
    #expect(given == 18)
    #expect(await refusal { _ = try await self.adjust(fixture, record.usage, nano: -9) }?.code == .invalidRequest)
    _ = try await self.adjust(fixture, record.usage, nano: -8)
    #expect(fixture.gate.committedSpend(of: .customer(fixture.customer)) == .zero)
  }

  @Test("More is charged within the limits only, in the window of the request; what is given back is free again")
  func limits() async throws {
    let (fixture, record) = try await self.served()
    try await fixture.limitSpend(nano: 40)
    #expect(await refusal { _ = try await self.adjust(fixture, record.usage, nano: 15) }?.code == .spendLimitReached)
    _ = try await self.adjust(fixture, record.usage, nano: 14)
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call(most: 8)) }?.code == .spendLimitReached)
    _ = try await self.adjust(fixture, record.usage, nano: -26)
    #expect(try await fixture.serve(fixture.call(most: 8)).finish?.reason == .length)
    // 14 are charged for the first, 26 for the second.
    #expect(fixture.gate.committedSpend(of: .customer(fixture.customer)) == NanoAmount(40))
  }

  @Test("A prepaid customer pays more from its credit and gets back credit, once, and the same after a restart")
  func prepaid() async throws {
    let (fixture, record) = try await self.served(creditNano: 30)
    #expect(await refusal { _ = try await self.adjust(fixture, record.usage, nano: 5) }?.code == .spendLimitReached)
    _ = try await self.adjust(fixture, record.usage, nano: 4)
    let refund = try await self.adjust(fixture, record.usage, nano: -26)
    #expect(refund["is_prepaid"] == true)
    for gate in [fixture.gate, try await self.restarted(fixture)] {
      let accounts = try #require(gate.accounts(of: fixture.customer)[Self.usd])
      #expect(accounts[.prepaid] == NanoAmount(-26) && accounts[.revenue] == NanoAmount(-4))
      #expect(accounts.values.reduce(.zero, +) == .zero)
    }
    let gate = try await self.restarted(fixture)
    guard case .live(let live) = try await gate.admit(fixture.call("again", most: 8)) else {
      Issue.record("a new request is no replay")
      return
    }
    #expect(await GateFixture.run(live).record?.amount == NanoAmount(26))
    #expect(await refusal { _ = try await gate.admit(fixture.call(most: 8)) }?.code == .insufficientCredit)
    // What the refund paid for is known by its number at the next start.
    #expect(try await self.restarted(fixture).accounts(of: fixture.customer)[Self.usd]?[.prepaid] == .zero)
  }

  @Test("Where the disk does not take it, nothing has changed", arguments: [nil, 100])
  func disk(creditNano: Int?) async throws {
    let (fixture, record) = try await self.served(creditNano: creditNano)
    let before = fixture.gate.accounts(of: fixture.customer)
    for nano in [7, -7] {
      fixture.journal.fail(with: JournalError(.diskFull, "full"))
      #expect(await refusal { _ = try await self.adjust(fixture, record.usage, nano: nano, reference: "r") } != nil)
      fixture.journal.fail(with: nil)
      #expect(
        fixture.gate.accounts(of: fixture.customer).mapValues { $0.filter { $0.value != .zero } }
          == before.mapValues { $0.filter { $0.value != .zero } })
      #expect(fixture.gate.adjustments(customer: nil, usage: nil).isEmpty)
    }
    _ = try await self.adjust(fixture, record.usage, nano: -26, reference: "r")
  }

  @Test("The same reference corrects once, also after a restart; another correction under it is a conflict")
  func reference() async throws {
    let (fixture, record) = try await self.served()
    let first = try await self.adjust(fixture, record.usage, nano: -6, reference: "case 17")
    let later = try await self.restarted(fixture)
    for gate in [fixture.gate, later] {
      #expect(try await self.adjust(fixture, record.usage, nano: -6, reference: "case 17", in: gate) == first)
      #expect(
        await refusal { _ = try await self.adjust(fixture, record.usage, nano: -5, reference: "case 17", in: gate) }?.code
          == .conflict)
      #expect(gate.committedSpend(of: .customer(fixture.customer)) == NanoAmount(20))
    }
  }

  @Test("A request that is not there or was void, and a body that is none, are refused with the field")
  func refused() async throws {
    let (fixture, record) = try await self.served()
    guard case .live(let live) = try await fixture.gate.admit(fixture.call(most: 8)) else { return }
    let void = await GateFixture.run(live, stopAfter: 0)
    let voided = try #require(void.record)
    #expect(await refusal { _ = try await self.adjust(fixture, voided.usage, nano: 1) }?.code == .invalidRequest)
    #expect(await refusal { _ = try await self.adjust(fixture, UsageID(1), nano: 1) }?.code == .notFound)
    for (body, field) in [
      (#"{"usage":"\#(record.usage)","amount":"0","reason":"r"}"#, "amount"),
      (#"{"usage":"\#(record.usage)","amount":-0.05,"reason":"r"}"#, "amount"),
      (#"{"usage":"\#(record.usage)","amount":"-1e3","reason":"r"}"#, "amount"),
      (#"{"usage":"\#(record.usage)","amount":"99999999999999999","reason":"r"}"#, "amount"),
      (#"{"usage":"\#(record.usage)","amount":"-0.01"}"#, "reason"),
      (#"{"usage":"\#(record.usage)","amount":"-0.01","reason":""}"#, "reason"),
      (#"{"usage":"usg_1","amount":"-0.01","reason":"r"}"#, "usage"),
      (#"{"usage":"\#(record.usage)","amount":"-0.01","reason":"r","reference":""}"#, "reference"),
    ] {
      let refused = await refusal { _ = try await fixture.gate.adjust(GateFixture.document(body), by: GateFixture.actor) }
      #expect(refused?.code == .invalidRequest && refused?.message.contains(field) == true, "\(body): \(refused as Any)")
    }
    #expect(!fixture.journal.entries.contains { $0.type == .adjust })
  }
}

@Suite("Limits per minute over a restart")
struct RateRestartTests {
  @Test("A restart gives no new allowance, and the window slides on from where it was")
  func requests() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: MoneyTests.words))
    for (kind, amount) in [("requests_per_minute", 3), ("tokens_per_minute", 1000)] {
      _ = try await fixture.gate.createLimit(
        GateFixture.document(#"{"subject":"\#(fixture.key)","kind":"\#(kind)","amount":\#(amount)}"#), by: GateFixture.actor)
    }
    _ = try await fixture.serve(fixture.call(most: 8))
    fixture.clock.advance(by: .seconds(20))
    // One ends before the restart, one is open and is voided by it.
    _ = try await fixture.serve(fixture.call(most: 8))
    guard case .live(let open) = try await fixture.gate.admit(fixture.call(most: 8)) else { return }
    let gate = try GateFixture.makeGate(journal: fixture.journal, clock: fixture.clock, terms: GateFixture.permissiveTerms)
    try gate.register(GateFixture.model(fixture.engine))
    _ = try await gate.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
    let refused = await refusal { _ = try await gate.admit(fixture.call(most: 8)) }
    #expect(refused?.code == .rateLimitExceeded)
    #expect(refused?.rates?.requests == RateState.Measure(limit: 3, remaining: 0, reset: .seconds(60)))
    #expect(refused?.rates?.tokens?.remaining == 1000 - 36)
    fixture.clock.advance(by: .seconds(40))
    // The first has left the window, the second and the third have not.
    guard case .live(let live) = try await gate.admit(fixture.call(most: 8)) else { return }
    _ = await GateFixture.run(live)
    #expect(await refusal { _ = try await gate.admit(fixture.call(most: 8)) }?.code == .rateLimitExceeded)
    withExtendedLifetime(open) {}
  }
}
