internal import GovernanceTypes

/// The rules that entries obey from one to the next, as a state that each entry moves on.
///
/// Sequence numbers have no gap; `at` never decreases; a hold opens a usage once, extensions add to it, and one settlement of at
/// most the held amount, for the same customer in the same currency, or one void ends it. Memory is proportional to the
/// number of usages.
struct EntryRules {
  struct Usage {
    enum Phase { case open, settled, voided }

    let customer: UInt128
    let currency: PackedText
    /// What is held; once settled, what of the settlement `usage.csv` has not yet accounted for.
    var amount: Int128
    /// The sequence number of the hold, or of the entry that ended it.
    var sequence: Int
    var phase: Phase
    var isReported = false
  }

  struct TotalKey: Hashable {
    let customer: UInt128
    let currency: PackedText
  }

  struct Total {
    var amount: Int128 = 0
    var requests = 0
    var promptUncached = 0
    var promptCached = 0
    var completion = 0
  }

  private(set) var nextSequence: Int
  private(set) var entries = 0
  private(set) var firstAt: [UInt8] = []
  private(set) var lastAt: [UInt8] = []
  private(set) var counts: [PackedText: Int] = [:]
  private(set) var usages: [UInt128: Usage] = [:]
  private(set) var totals: [TotalKey: Total] = [:]

  init(firstSequence: Int, openBefore: [OpenHold]) {
    self.nextSequence = firstSequence
    for hold in openBefore {
      let code = Array(hold.held.currency.description.utf8)
      self.usages[hold.usage.value] = Usage(
        customer: hold.customer.value, currency: PackedText(code, code.indices), amount: hold.held.amount.nano,
        sequence: hold.sequence, phase: .open)
    }
  }

  /// Takes the next entry.
  ///
  /// - Throws: ``LineError`` with the first rule that it breaks; the state then goes on from this entry.
  mutating func admit(_ record: EntryRecord, in bytes: [UInt8]) throws(LineError) {
    self.entries += 1
    self.counts[record.type, default: 0] += 1
    let expected = self.nextSequence
    self.nextSequence = record.sequence &+ 1
    let isEarlier = self.advanceTime(to: bytes[record.at])
    let broken = try self.move(record)
    if record.sequence != expected { throw LineError("has seq \(record.sequence) where \(expected) belongs") }
    if isEarlier { throw LineError("has an 'at' before that of the line above") }
    if let broken { throw LineError(broken) }
  }

  /// Counts a line that could not be read, whose sequence number is taken to be the expected one.
  mutating func skip() {
    self.entries += 1
    self.nextSequence &+= 1
  }

  private mutating func advanceTime(to at: ArraySlice<UInt8>) -> Bool {
    if self.firstAt.isEmpty { self.firstAt = Array(at) }
    if self.lastAt.elementsEqual(at) { return false }
    let isEarlier = at.lexicographicallyPrecedes(self.lastAt)
    self.lastAt = Array(at)
    return isEarlier
  }

  /// - Returns: The rule that the movement breaks.
  private mutating func move(_ record: EntryRecord) throws(LineError) -> String? {
    guard let (id, movement) = record.movement else { return nil }
    if case .hold(let customer, let currency, let amount) = movement {
      guard self.usages[id] == nil else { return "holds \(UsageID(id)) a second time" }
      self.usages[id] = Usage(
        customer: customer, currency: currency, amount: amount, sequence: record.sequence, phase: .open)
      return nil
    }
    guard var usage = self.usages[id] else { return "\(record.type.text) of \(UsageID(id)), which no earlier entry holds" }
    guard usage.phase == .open else {
      return "\(record.type.text) of \(UsageID(id)), which entry \(usage.sequence) has ended already"
    }
    switch movement {
    case .hold: return nil
    case .extend(let amount): usage.amount += amount
    case .void:
      usage.phase = .voided
      usage.sequence = record.sequence
    case .settle(let customer, let currency, let amount, let promptUncached, let promptCached, let completion):
      guard customer == usage.customer, currency == usage.currency else {
        return "settles \(UsageID(id)) for another customer or in another currency than the hold"
      }
      guard amount <= usage.amount else {
        return "settles \(amount) nano-units of \(UsageID(id)), of which \(usage.amount) are held"
      }
      usage.phase = .settled
      usage.sequence = record.sequence
      usage.amount = amount
      let key = TotalKey(customer: customer, currency: currency)
      try self.totals[key, default: Total()].add(amount, promptUncached, promptCached, completion)
    }
    self.usages[id] = usage
    return nil
  }

  /// Takes a row of `usage.csv` off the settlement that it belongs to; the rule that it breaks, if any.
  mutating func account(usage id: UInt128, customer: UInt128, currency: PackedText, amount: Int128) -> String? {
    guard var usage = self.usages[id], usage.phase == .settled else {
      return "\(UsageID(id)) is not settled in \(BundlePath.entries)"
    }
    guard customer == usage.customer, currency == usage.currency else {
      return "\(UsageID(id)) was settled for another customer or in another currency"
    }
    guard amount <= usage.amount else { return "\(UsageID(id)) is charged more than entry \(usage.sequence) settles" }
    usage.amount -= amount
    usage.isReported = true
    self.usages[id] = usage
    return nil
  }
}

extension EntryRules.Total {
  mutating func add(_ amount: Int128, _ promptUncached: Int, _ promptCached: Int, _ completion: Int) throws(LineError) {
    self.amount += amount
    self.requests += 1
    self.promptUncached += promptUncached
    self.promptCached += promptCached
    self.completion += completion
    let largest = TokenCount.largest.value
    guard self.promptUncached <= largest, self.promptCached <= largest, self.completion <= largest else {
      throw LineError("brings a customer's tokens above \(largest)")
    }
  }
}

extension EntryRules {
  /// The holds that are open, by sequence number.
  var open: [OpenHold] {
    let holds = self.usages.filter { $0.value.phase == .open }.compactMap { id, usage -> OpenHold? in
      guard let currency = Currency(usage.currency.text) else { return nil }
      return OpenHold(
        usage: UsageID(id), customer: CustomerID(usage.customer), held: Money(NanoAmount(usage.amount), currency),
        sequence: usage.sequence)
    }
    return holds.sorted { $0.sequence < $1.sequence }
  }

  /// The totals, by customer and currency.
  var settled: [SettledTotal] {
    let totals = self.totals.compactMap { key, total -> SettledTotal? in
      guard let currency = Currency(key.currency.text) else { return nil }
      return SettledTotal(
        customer: CustomerID(key.customer), settled: Money(NanoAmount(total.amount), currency), requests: total.requests,
        promptUncached: TokenCount(total.promptUncached), promptCached: TokenCount(total.promptCached),
        completion: TokenCount(total.completion))
    }
    return totals.sorted { ($0.customer, $0.settled.currency) < ($1.customer, $1.settled.currency) }
  }
}
