internal import Documents
internal import GovernanceTypes

/// The rules that entries obey from one to the next, as a state that each entry moves on.
///
/// Sequence numbers have no gap, nor have those of each customer's entries; `at` never decreases; a hold opens a usage once,
/// extensions add to it, and one settlement of at most the held amount, for the same customer in the same currency, or one void
/// ends it; a heartbeat states what was settled so far. Memory is proportional to the number of usages, some 60 bytes each.
struct EntryRules {
  struct Usage {
    enum Phase: UInt8 { case open, settled, voided }

    /// What is held; once settled, what of the settlement `usage.csv` has not yet accounted for. Nano-units.
    var amount: Int64
    /// The sequence number of the hold, or of the entry that ended it.
    var sequence: Int
    /// Which of the accounts it is charged to.
    let account: UInt32
    var phase: Phase
    var isReported = false
  }

  struct AccountKey: Hashable {
    let customer: UInt128
    let currency: PackedText
  }

  /// What one customer was charged in one currency, in this bundle.
  struct Account {
    let key: AccountKey
    var amount: Int128 = 0
    var requests = 0
    var promptUncached = 0
    var promptCached = 0
    var completion = 0
    /// The entry and the usage of the newest settlement.
    var newest: (sequence: Int, usage: UInt128)?
  }

  private(set) var nextSequence: Int
  private(set) var entries = 0
  private(set) var firstAt: [UInt8] = []
  private(set) var lastAt: [UInt8] = []
  private(set) var counts: [PackedText: Int] = [:]
  private(set) var usages: [UInt128: Usage] = [:]
  private(set) var accounts: [Account] = []
  private var places: [AccountKey: UInt32] = [:]
  private var customers: [UInt128: Int] = [:]
  private var running: [PackedText: RunningTotal] = [:]
  /// Ended usages are not kept, so that a second end is taken for that of an unknown usage.
  private let forgetsEnded: Bool
  private let usagesMaximum: Int

  init(firstSequence: Int, opening: BundleOpening, forgetsEnded: Bool = false, usagesMaximum: Int = .max) {
    self.nextSequence = firstSequence
    self.forgetsEnded = forgetsEnded
    self.usagesMaximum = usagesMaximum
    for hold in opening.openHolds {
      let account = self.account(hold.customer.value, PackedText(hold.held.currency))
      self.usages[hold.usage.value] = Usage(
        amount: Int64(clamping: hold.held.amount.nano), sequence: hold.sequence, account: account, phase: .open)
    }
    for count in opening.customers { self.customers[count.customer.value] = count.next }
    for total in opening.running { self.running[PackedText(total.currency)] = total }
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
    let misnumbered = self.number(record)
    let broken = try self.move(record)
    if record.sequence != expected { throw LineError("has seq \(record.sequence) where \(expected) belongs") }
    if isEarlier { throw LineError("has an 'at' before that of the line above") }
    if let broken { throw LineError(broken) }
    if let misnumbered { throw LineError(misnumbered) }
    if let totals = record.totals, !bytes[totals].elementsEqual(self.runningBytes) {
      throw LineError("states other totals than the settlements and voids up to it add up to")
    }
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
    self.lastAt.removeAll(keepingCapacity: true)
    self.lastAt.append(contentsOf: at)
    return isEarlier
  }

  /// The entry's place among those of its customer.
  ///
  /// - Returns: The rule that it breaks. Entries of before numbers were given have none.
  private mutating func number(_ record: EntryRecord) -> String? {
    guard let customer = record.customer else { return nil }
    guard let sequence = record.customerSequence else {
      return self.customers[customer].map { "has no 'customer_seq'; \($0) belongs there" }
    }
    let expected = self.customers.updateValue(sequence &+ 1, forKey: customer) ?? 0
    return sequence == expected
      ? nil : "has customer_seq \(sequence) where \(expected) belongs for \(CustomerID(customer)): an entry of it is missing"
  }

  private mutating func account(_ customer: UInt128, _ currency: PackedText) -> UInt32 {
    let key = AccountKey(customer: customer, currency: currency)
    if let place = self.places[key] { return place }
    let place = UInt32(clamping: self.accounts.count)
    self.places[key] = place
    self.accounts.append(Account(key: key))
    return place
  }

  /// - Returns: The rule that the movement breaks.
  private mutating func move(_ record: EntryRecord) throws(LineError) -> String? {
    guard let (id, movement) = record.movement else { return nil }
    if case .hold(let customer, let currency, let amount) = movement {
      guard self.usages[id] == nil else { return "holds \(UsageID(id)) a second time" }
      guard self.usages.count < self.usagesMaximum else {
        throw LineError("holds more usages than the verifier was told to keep in memory (\(self.usagesMaximum))")
      }
      self.usages[id] = Usage(
        amount: amount, sequence: record.sequence, account: self.account(customer, currency), phase: .open)
      return nil
    }
    guard var usage = self.usages[id] else { return "\(record.type.text) of \(UsageID(id)), which no earlier entry holds" }
    guard usage.phase == .open else {
      return "\(record.type.text) of \(UsageID(id)), which entry \(usage.sequence) has ended already"
    }
    switch movement {
    case .hold: return nil
    case .extend(let amount):
      let (sum, overflow) = usage.amount.addingReportingOverflow(amount)
      guard !overflow else { throw LineError("brings the hold of \(UsageID(id)) above \(EntryRecord.amountMaximum)") }
      usage.amount = sum
    case .void:
      usage.phase = .voided
      usage.sequence = record.sequence
      self.run(usage) { $0.voided += 1 }
    case .settle(let customer, let currency, let amount, let promptUncached, let promptCached, let completion):
      let account = Int(usage.account)
      guard AccountKey(customer: customer, currency: currency) == self.accounts[account].key else {
        return "settles \(UsageID(id)) for another customer or in another currency than the hold"
      }
      guard amount <= usage.amount else {
        return "settles \(amount) nano-units of \(UsageID(id)), of which \(usage.amount) are held"
      }
      usage.phase = .settled
      usage.sequence = record.sequence
      usage.amount = amount
      try self.accounts[account].add(amount, promptUncached, promptCached, completion)
      self.accounts[account].newest = (record.sequence, id)
      self.run(usage) {
        $0.requests += 1
        $0.amount += Int128(amount)
        $0.promptUncached += Int128(promptUncached)
        $0.promptCached += Int128(promptCached)
        $0.completion += Int128(completion)
      }
    }
    self.usages[id] = self.forgetsEnded && usage.phase != .open ? nil : usage
    return nil
  }

  private mutating func run(_ usage: Usage, _ add: (inout RunningTotal) -> Void) {
    let key = self.accounts[Int(usage.account)].key.currency
    guard let known = self.running[key] ?? Currency(key.text).map({ RunningTotal(currency: $0) }) else { return }
    var total = known
    add(&total)
    self.running[key] = total
  }

  /// Takes a row of `usage.csv` off the settlement that it belongs to; the rule that it breaks, if any.
  mutating func account(usage id: UInt128, customer: UInt128, currency: PackedText, amount: Int64) -> String? {
    guard var usage = self.usages[id], usage.phase == .settled else {
      return "\(UsageID(id)) is not settled in \(BundlePath.entries)"
    }
    guard AccountKey(customer: customer, currency: currency) == self.accounts[Int(usage.account)].key else {
      return "\(UsageID(id)) was settled for another customer or in another currency"
    }
    guard amount <= usage.amount else { return "\(UsageID(id)) is charged more than entry \(usage.sequence) settles" }
    usage.amount -= amount
    usage.isReported = true
    self.usages[id] = usage
    return nil
  }
}

extension EntryRules.Account {
  mutating func add(_ amount: Int64, _ promptUncached: Int, _ promptCached: Int, _ completion: Int) throws(LineError) {
    self.amount += Int128(amount)
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
      let key = self.accounts[Int(usage.account)].key
      guard let currency = Currency(key.currency.text) else { return nil }
      return OpenHold(
        usage: UsageID(id), customer: CustomerID(key.customer), held: Money(NanoAmount(Int128(usage.amount)), currency),
        sequence: usage.sequence)
    }
    return holds.sorted { $0.sequence < $1.sequence }
  }

  /// The totals, by customer and currency.
  var settled: [SettledTotal] {
    let totals = self.accounts.filter { $0.requests > 0 }.compactMap { account -> SettledTotal? in
      guard let currency = Currency(account.key.currency.text) else { return nil }
      return SettledTotal(
        customer: CustomerID(account.key.customer), settled: Money(NanoAmount(account.amount), currency),
        requests: account.requests, promptUncached: TokenCount(account.promptUncached),
        promptCached: TokenCount(account.promptCached), completion: TokenCount(account.completion))
    }
    return totals.sorted { ($0.customer, $0.settled.currency) < ($1.customer, $1.settled.currency) }
  }

  /// How far each customer's entries are numbered, by customer.
  var customerCounts: [CustomerCount] {
    self.customers.map { CustomerCount(customer: CustomerID($0.key), next: $0.value) }.sorted { $0.customer < $1.customer }
  }

  /// What was settled and voided since the log began, by currency.
  var runningTotals: [RunningTotal] { self.running.values.sorted { $0.currency < $1.currency } }

  /// As a heartbeat states it: canonical JSON.
  private var runningBytes: [UInt8] { JSON.object(self.runningTotals.map(\.member)).canonicalBytes }
}

extension RunningTotal {
  /// The currency and what was moved in it.
  var member: JSONMember {
    JSONMember(
      self.currency.description,
      [
        "amount_nano": .string(String(self.amount)), "requests": .integer(self.requests), "voided": .integer(self.voided),
        "prompt_uncached": .string(String(self.promptUncached)), "prompt_cached": .string(String(self.promptCached)),
        "completion": .string(String(self.completion)),
      ])
  }
}

extension PackedText {
  init(_ currency: Currency) {
    let code = Array(currency.description.utf8)
    self.init(code, code.indices)
  }
}
