internal import Documents
internal import Governance
internal import GovernanceTypes

/// A limit as the auditor checks it, by UTC hours and days.
struct AuditedLimit: Sendable {
  enum Kind: Sendable { case spend, tokens, concurrent }

  struct Window: Hashable, Sendable {
    var limit: Int
    var number: Int64
  }

  var subject: String
  var kind: Kind
  var most: Int128
  /// Seconds of the window; nil where it is all of time.
  var seconds: Int64?
}

extension IndependentAuditor.State {
  typealias Item = IndependentAuditor.Item

  mutating func take(_ effect: StoreEffect, of records: [JournalRecord]) {
    switch effect {
    case .holdOpened(let hold):
      Self.fold(effect, into: &self.belief) { self.violations.append($0) }
      if let item = self.belief[hold.usage] { self.count(item, sign: 1) }
      self.counts["holds", default: 0] += 1
    case .holdExtended(let usage, _, _):
      self.change(usage) { state in State.fold(effect, into: &state.belief) { state.violations.append($0) } }
    case .usage(let record):
      // A settlement that the disk did not take comes again, and is the same.
      if let known = self.belief[record.usage]?.end {
        if known != record { self.violations.append("\(record.usage) is closed a second time, differently") }
        return
      }
      self.check(record, self.belief[record.usage], records)
      self.change(record.usage) { state in State.fold(effect, into: &state.belief) { state.violations.append($0) } }
    case .creditUsed(let use):
      if let unwritten = self.unwrittenExpiry[use.grant], use.expired > .zero, unwritten >= use.expired.nano {
        self.unwrittenExpiry[use.grant] = unwritten - use.expired.nano
      } else {
        self.expiry(effect, \.expired)
      }
    case .object: self.correctionSubmitted(effect, of: records)
    default: State.fold(effect, into: &self.belief) { self.violations.append($0) }
    }
  }

  typealias State = IndependentAuditor.State

  mutating func expiry(_ effect: StoreEffect, _ sums: WritableKeyPath<Self, [CustomerID: Int128]>) {
    guard case .creditUsed(let use) = effect else { return }
    self[keyPath: sums][use.customer, default: 0] += use.expired.nano
  }

  /// The one fold, for what is believed and for what is on disk.
  static func fold(_ effect: StoreEffect, into items: inout [UsageID: Item], _ complain: (String) -> Void) {
    switch effect {
    case .holdOpened(let hold):
      if items[hold.usage] != nil { complain("\(hold.usage) is held twice") }
      items[hold.usage] = Item(
        customer: hold.customer, key: hold.key, second: hold.heldAt.nanoseconds / 1_000_000_000,
        promptTokens: hold.promptTokens.value, heldNano: hold.amount.nano, heldTokens: hold.tokens.value, marked: 0,
        highWater: hold.highWater.value, isPrepaid: hold.isPrepaid)
    case .holdExtended(let usage, let amount, let tokens):
      if items[usage]?.end != nil || items[usage] == nil { complain("\(usage) is extended and is not open") }
      items[usage]?.heldNano += amount.nano
      items[usage]?.heldTokens += tokens.value
    case .progress(let usage, let delivered, let highWater):
      if delivered.value < items[usage]?.marked ?? 0 { complain("a mark of \(usage) goes back") }
      items[usage]?.marked = delivered.value
      items[usage]?.highWater = highWater.value
    case .usage(let record):
      if items[record.usage] == nil { complain("\(record.usage) is closed and was never held") }
      if items[record.usage]?.end != nil { complain("\(record.usage) is closed twice") }
      items[record.usage]?.end = record
    default: return
    }
  }

  /// What the end of a request must be.
  private mutating func check(_ record: UsageRecord, _ item: Item?, _ records: [JournalRecord]) {
    guard let item else { return }
    func complain(_ text: String) { self.violations.append("\(record.usage): \(text)") }
    let completion = record.tokens.completion.value
    let month = self.months[IndependentAuditor.Month(item)] ?? .init()
    let charge = self.tariff.charge(prompt: record.tokens.prompt.value, completion: completion, after: month)
    if record.amount.nano > item.heldNano { complain("settles \(record.amount.nano) of a hold of \(item.heldNano)") }
    if record.outcome == .settled, record.amount.nano != min(charge, item.heldNano) { complain("is not charged by its tokens") }
    if record.outcome == .settled, record.tokens.prompt.value != item.promptTokens { complain("is charged another prompt") }
    if record.outcome == .voided, record.amount != .zero { complain("is void and costs something") }
    if record.heldAt.nanoseconds / 1_000_000_000 != item.second { complain("moves to another window when it ends") }
    let used = records.flatMap(\.effects).reduce(Int128(0)) { sum, effect in
      if case .creditUsed(let use) = effect { sum + use.used.nano } else { sum }
    }
    if item.isPrepaid, used != record.amount.nano {
      complain("costs \(record.amount.nano), and \(used) of the credit pay for it")
    }
    guard record.finish == "crash" else { return }
    let received = self.seen[record.usage].map { $0.isWhole ? 0 : $0.received } ?? 0
    if completion != item.marked {
      complain("is recovered at \(completion) tokens, and the last mark on disk says \(item.marked)")
    }
    if record.outcome == .voided, item.marked > 0 { complain("is void although tokens were delivered for certain") }
    if completion > received, self.seen[record.usage]?.isWhole == false {
      complain("is charged \(completion) tokens after a crash, and its client had \(received)")
    }
    let begun = self.seen[record.usage].map { $0.isWhole ? 0 : $0.begun } ?? 0
    if begun > completion + record.undelivered.value {
      complain("had delivered of \(begun) tokens, more than its record allows for")
    }
  }

  /// What was settled of each customer's months comes to what the month's tokens cost together, unless holds kept charges down.
  mutating func checkMonths() {
    var charged: [IndependentAuditor.Month: Int128] = [:]
    for item in self.belief.values {
      charged[IndependentAuditor.Month(item), default: 0] += item.end?.amount.nano ?? 0
    }
    for (month, amount) in charged where amount != self.tariff.total(self.months[month] ?? .init()) {
      self.violations.append("\(month.month) of \(month.customer) is charged \(amount), and its tokens cost something else")
    }
  }

  /// The log says what the rows say.
  mutating func compare(_ record: JournalRecord) {
    guard let entry = record.entry else { return }
    func text(_ name: String) -> String? {
      guard case .string(let text)? = entry.fields.first(where: { $0.key == name })?.value else { return nil }
      return text
    }
    for effect in record.effects {
      let wanted: (String, Int128)? =
        switch effect {
        case .holdOpened(let hold): (hold.usage.description, hold.amount.nano)
        case .holdExtended(let usage, let amount, _): (usage.description, amount.nano)
        case .usage(let record) where record.outcome == .settled: (record.usage.description, record.amount.nano)
        default: nil
        }
      guard let (usage, amount) = wanted else { continue }
      if text("usage") != usage || text("amount_nano") != String(amount) {
        self.violations.append("the entry \(entry.type.rawValue) of \(usage) says another amount than its row")
      }
    }
  }

  // MARK: Sums

  mutating func change(_ usage: UsageID, _ change: (inout Self) -> Void) {
    if let before = self.belief[usage] { self.count(before, sign: -1) }
    change(&self)
    if let after = self.belief[usage] { self.count(after, sign: 1) }
  }

  /// Adds an item to every sum that it is part of, or takes it away.
  mutating func count(_ item: Item, sign: Int128) {
    let held = item.end == nil ? item.heldNano : 0
    let settled = (item.end?.amount.nano ?? 0) + item.correctedNano
    self.spent[item.customer, default: .init()].held += sign * held
    self.spent[item.customer, default: .init()].settled += sign * settled
    self.spent[item.customer, default: .init()].lost += sign * (item.end?.loss.nano ?? 0)
    self.spent[item.customer, default: .init()].open += Int(sign) * (item.end == nil ? 1 : 0)
    if let end = item.end, end.outcome == .settled {
      let month = IndependentAuditor.Month(item)
      self.months[month, default: .init()].prompt += Int(sign) * end.tokens.prompt.value
      self.months[month, default: .init()].completion += Int(sign) * end.tokens.completion.value
    }
    let tokens = Int128(item.end?.tokens.total.value ?? item.heldTokens)
    for (place, limit) in self.limits.enumerated()
    where limit.subject == item.key.description || limit.subject == item.customer.description {
      let window = AuditedLimit.Window(limit: place, number: limit.seconds.map { item.second / $0 } ?? 0)
      let value: Int128 =
        switch limit.kind {
        case .spend: held + settled
        case .tokens: tokens
        case .concurrent: item.end == nil ? 1 : 0
        }
      self.committed[window, default: 0] += sign * value
    }
  }

  mutating func checkLimits() {
    for (window, value) in self.committed where value > self.limits[window.limit].most {
      self.violations.append(
        "\(self.limits[window.limit].kind) of \(self.limits[window.limit].subject) is \(value), above \(self.limits[window.limit].most)"
      )
    }
    for (customer, granted) in self.granted {
      let totals = self.spent[customer] ?? .init()
      let gone = totals.held + totals.settled + (self.expired[customer] ?? 0)
      if gone > granted { self.violations.append("\(customer) has spent and holds \(gone) of a credit of \(granted)") }
    }
  }
}

extension IndependentAuditor.Month {
  init(_ item: IndependentAuditor.Item) {
    self.init(customer: item.customer, month: Timestamp(seconds: item.second).month)
  }
}
