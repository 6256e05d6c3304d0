internal import Documents
internal import Governance
internal import GovernanceTypes
internal import Synchronization

/// Checks what a gate does against what was promised, with arithmetic of its own: it shares no code with the ledger.
///
/// It sees what is submitted, what is durable, what clients receive and what engines produce, and folds all of it for itself.
final class IndependentAuditor: Sendable {
  /// One request as the records tell it.
  struct Item: Sendable {
    var customer: CustomerID
    var key: KeyID
    var second: Int64
    var promptTokens: Int
    var heldNano: Int128
    var heldTokens: Int
    var marked: Int
    var highWater: Int
    var isPrepaid: Bool
    var end: UsageRecord?
    /// What corrections added to the charge, or took from it.
    var correctedNano: Int128 = 0
  }

  /// One request as its client saw it.
  struct Seen: Sendable {
    var call: Int
    var bytes = 0
    /// Tokens of which it has the whole text, and those of which it has any of it.
    var received: Int { self.bytes / SimulatedEngine.tokenBytes }
    var begun: Int { (self.bytes + SimulatedEngine.tokenBytes - 1) / SimulatedEngine.tokenBytes }
    var isWhole = false
    var epoch: Int
    var isOver = false
    /// The client has the end of the answer, which says what it costs.
    var wasTold = false
  }

  /// A customer's calendar month, by when its requests were held.
  struct Month: Hashable, Sendable {
    var customer: CustomerID
    var month: CalendarMonth
  }

  struct State: Sendable {
    let tariff: AuditedTariff
    /// What the gate believes to be settled of each month.
    var months: [Month: AuditedTariff.Month] = [:]
    var violations: [String] = []
    /// What the gate believes: everything submitted.
    var belief: [UsageID: Item] = [:]
    /// What is on disk.
    var durable: [UsageID: Item] = [:]
    var seen: [UsageID: Seen] = [:]
    /// Idempotency key of a call → usages that were opened under it.
    var keyed: [String: [UsageID]] = [:]
    var limits: [AuditedLimit] = []
    var committed: [AuditedLimit.Window: Int128] = [:]
    var granted: [CustomerID: Int128] = [:]
    var spent: [CustomerID: Totals] = [:]
    var expired: [CustomerID: Int128] = [:]
    var durableExpired: [CustomerID: Int128] = [:]
    var unwrittenExpiry: [CreditID: Int128] = [:]
    /// The operator's names of corrections on disk.
    var references: Set<String> = []
    var epoch = 0
    var trace: UInt64 = 0xCBF2_9CE4_8422_2325
    var events = 0
    var counts: [String: Int] = [:]
  }

  struct Totals: Sendable, Equatable {
    var held: Int128 = 0
    var settled: Int128 = 0
    var lost: Int128 = 0
    var open = 0
  }

  let tariff: AuditedTariff
  let state: Mutex<State>

  init(tariff: AuditedTariff) {
    self.tariff = tariff
    self.state = Mutex(State(tariff: tariff))
  }

  func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    guard !condition else { return }
    let text = message()
    self.state.withLock { $0.violations.append(text) }
  }

  /// Something that happened, for the trace by which two runs are compared.
  func note(_ event: String, _ number: Int = 0) {
    self.state.withLock { state in
      state.events += 1
      state.counts[event, default: 0] += 1
      for byte in event.utf8 { state.trace = (state.trace ^ UInt64(byte)) &* 0x100_0000_01B3 }
      state.trace = (state.trace ^ UInt64(truncatingIfNeeded: number)) &* 0x100_0000_01B3
    }
  }

  // MARK: Records

  func submitted(_ records: [JournalRecord]) {
    self.state.withLock { state in
      for record in records {
        for effect in record.effects { state.take(effect, of: records) }
        state.compare(record)
      }
      state.checkLimits()
    }
  }

  func isDurable(_ records: [JournalRecord]) {
    self.state.withLock { state in
      for effect in records.flatMap(\.effects) {
        state.expiry(effect, \.durableExpired)
        state.correctionIsDurable(effect)
        State.fold(effect, into: &state.durable) { state.violations.append("on disk: \($0)") }
      }
    }
  }

  /// A submission that will never be durable: a hold in it was never made.
  func failed(_ records: [JournalRecord]) {
    self.state.withLock { state in
      for case .holdOpened(let hold) in records.flatMap(\.effects) where state.durable[hold.usage] == nil {
        guard let item = state.belief.removeValue(forKey: hold.usage) else { continue }
        state.count(item, sign: -1)
      }
      for effect in records.flatMap(\.effects) { state.correctionFailed(effect) }
      // What has expired is written again, and does not count again.
      for case .creditUsed(let use) in records.flatMap(\.effects) where use.expired > .zero {
        state.unwrittenExpiry[use.grant, default: 0] += use.expired.nano
      }
    }
  }

  /// A conflict may only be an earlier attempt of the same settlement that reached the disk.
  func conflicted(_ records: [JournalRecord], _ detail: String) {
    self.state.withLock { state in
      let isKnown = records.flatMap(\.effects).contains { effect in
        if case .usage(let record) = effect { state.durable[record.usage]?.end == record } else { false }
      }
      if !isKnown { state.violations.append("a submission conflicts with the disk: \(detail)") }
    }
  }

  /// What the next process knows is what is on disk.
  func processDied() {
    self.state.withLock { state in
      state.epoch += 1
      state.belief = state.durable
      state.committed = [:]
      state.months = [:]
      state.spent = [:]
      state.expired = state.durableExpired
      state.unwrittenExpiry = [:]
      for item in state.belief.values { state.count(item, sign: 1) }
    }
  }

  // MARK: Clients

  func opened(_ usage: UsageID, call: Int, key: String?, isWhole: Bool, epoch: Int) {
    self.state.withLock { state in
      guard state.epoch == epoch else { return }
      if state.durable[usage] == nil { state.violations.append("\(usage) is answered before its hold is on disk") }
      state.seen[usage] = Seen(call: call, isWhole: isWhole, epoch: epoch)
      if let key { state.keyed[key, default: []].append(usage) }
    }
  }

  func received(_ usage: UsageID, bytes: Int) {
    self.state.withLock { state in
      state.seen[usage]?.bytes += bytes
      guard let seen = state.seen[usage] else { return }
      guard let item = state.durable[usage] else {
        return state.violations.append("\(usage) is delivered without a durable hold")
      }
      guard !seen.isWhole else { return }
      if seen.begun > item.highWater {
        state.violations.append(
          "\(usage) delivers of \(seen.begun) tokens; the last durable mark promises at most \(item.highWater)")
      }
      if seen.begun > item.heldTokens - item.promptTokens {
        state.violations.append("\(usage) delivers of \(seen.begun) tokens, and the durable hold pays for fewer")
      }
    }
  }

  func finished(_ record: UsageRecord) {
    self.state.withLock { state in
      state.seen[record.usage]?.wasTold = true
      guard let end = state.durable[record.usage]?.end else {
        return state.violations.append("\(record.usage) is told its end before the settlement is on disk")
      }
      if end.amount != record.amount { state.violations.append("\(record.usage) is told another amount than is on disk") }
      guard let seen = state.seen[record.usage], !seen.isWhole, seen.received != record.tokens.completion.value else { return }
      state.violations.append(
        "\(record.usage) is charged \(record.tokens.completion) tokens, and its client has \(seen.received)")
    }
  }

  func ended(_ usage: UsageID, _ record: UsageRecord?, produced: Int, epoch: Int) {
    self.state.withLock { state in
      guard state.epoch == epoch, let seen = state.seen[usage] else { return }
      state.seen[usage]?.isOver = true
      guard let record else { return state.violations.append("\(usage) ended without a record") }
      let completion = record.tokens.completion.value
      if !seen.isWhole, completion != seen.received {
        state.violations.append("\(usage) is charged \(completion) tokens and \(seen.received) were handed over")
      }
      if seen.isWhole, !seen.wasTold, record.finish == "client_abort", completion != 0 {
        state.violations.append("\(usage) is charged for an answer that was never sent")
      }
      if completion + record.undelivered.value != produced {
        state.violations.append(
          "\(usage): \(completion) tokens charged and \(record.undelivered) not delivered are not the \(produced) that were produced"
        )
      }
    }
  }

  func replayed(_ record: UsageRecord, key: String?) {
    self.state.withLock { state in
      if state.durable[record.usage]?.end != record {
        state.violations.append("a replay of \(record.usage) is not what is on disk")
      }
    }
  }

  /// What the gate says of itself, compared with the fold of its records.
  func compare(customer: CustomerID, committed: Int128, accounts: [String: Int128]) {
    self.state.withLock { state in
      let totals = state.spent[customer] ?? Totals()
      func expect(_ name: String, _ value: Int128, _ wanted: Int128) {
        if value != wanted { state.violations.append("\(name) of \(customer) is \(value), and the records say \(wanted)") }
      }
      expect("settled and held", committed, totals.settled + totals.held)
      expect("the sum of all accounts", accounts.values.reduce(0, +), 0)
      expect("pending", accounts["pending"] ?? 0, -totals.held)
      expect("revenue", accounts["revenue"] ?? 0, -totals.settled)
      expect("operator_loss", accounts["operator_loss"] ?? 0, totals.lost)
      expect("breakage", accounts["breakage"] ?? 0, -(state.expired[customer] ?? 0))
      guard let granted = state.granted[customer] else { return }
      expect("prepaid", accounts["prepaid"] ?? 0, totals.settled + totals.held + (state.expired[customer] ?? 0) - granted)
    }
  }
}
