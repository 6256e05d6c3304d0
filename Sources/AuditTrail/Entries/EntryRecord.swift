internal import GovernanceTypes

/// What the rules look at in one entry: its common fields, and those of the money types.
struct EntryRecord {
  enum Movement {
    case hold(customer: UInt128, currency: PackedText, amount: Int64)
    case extend(amount: Int64)
    case settle(customer: UInt128, currency: PackedText, amount: Int64, promptUncached: Int, promptCached: Int, completion: Int)
    case void
  }

  /// The most nano-units of one entry.
  static let amountMaximum = Int128(Int64.max)

  var sequence = 0
  var type = EntryField.none
  /// Twenty-four bytes of fixed form, so that the order of bytes is the order of time.
  var at = 0..<0
  /// Whom the entry concerns, and its place among the entries that do.
  var customer: UInt128?
  var customerSequence: Int?
  /// The value of a heartbeat's `totals`.
  var totals: Range<Int>?
  /// Nil for entries that move no money.
  var movement: (usage: UInt128, Movement)?

  /// - Throws: ``LineError`` where a field that the rules need is missing or malformed.
  init(_ line: CanonicalLine, in bytes: [UInt8]) throws(LineError) {
    var fields = FieldValues(bytes: bytes)
    for member in line.members { fields.note(member) }
    guard let sequence = fields.integer(fields.sequence) else { throw LineError("has no integer 'seq' of 0 or more") }
    guard let type = fields.type, type.kind == .string, isTypeName(bytes, type.value) else {
      throw LineError("has no 'type' of lower-case letters, or one of more than 16")
    }
    guard let at = fields.at, at.kind == .string, isTimestamp(bytes, at.value) else {
      throw LineError("has no 'at' of the form 2026-11-23T09:03:54.123Z")
    }
    guard fields.boot?.kind == .string else { throw LineError("has no 'boot'") }
    self.sequence = sequence
    self.type = PackedText(bytes, type.value)
    self.at = at.value
    self.customer = fields.identifier(fields.customer, prefix: EntryField.customerPrefix)
    if let member = fields.customerSequence {
      guard let sequence = fields.integer(member), self.customer != nil else {
        throw LineError("has a 'customer_seq' that is no integer of 0 or more, or no customer id in 'customer' beside it")
      }
      self.customerSequence = sequence
    }
    if self.type == EntryField.heartbeat {
      guard let totals = fields.totals, totals.kind == .other else { throw LineError("has no object in 'totals'") }
      self.totals = totals.value
    }
    self.movement = try Self.movement(self.type, fields)
  }

  private static func movement(_ type: PackedText, _ fields: FieldValues) throws(LineError) -> (usage: UInt128, Movement)? {
    guard type == EntryField.hold || type == EntryField.settle || type == EntryField.extend || type == EntryField.void else {
      return nil
    }
    guard let usage = fields.identifier(fields.usage, prefix: EntryField.usagePrefix) else {
      throw LineError("has no usage id in 'usage'")
    }
    if type == EntryField.void { return (usage, .void) }
    guard let amount = fields.amount(fields.amount) else {
      throw LineError("has no 'amount_nano' that is a string of digits, from 0 to \(Self.amountMaximum)")
    }
    if type == EntryField.extend { return (usage, .extend(amount: amount)) }
    guard let customer = fields.identifier(fields.customer, prefix: EntryField.customerPrefix) else {
      throw LineError("has no customer id in 'customer'")
    }
    guard let currency = fields.currency else { throw LineError("has no 'currency' of three upper-case letters") }
    if type == EntryField.hold { return (usage, .hold(customer: customer, currency: currency, amount: amount)) }
    guard let promptUncached = fields.tokens(fields.promptUncached), let promptCached = fields.tokens(fields.promptCached),
      let completion = fields.tokens(fields.completion)
    else { throw LineError("lacks a token count: strings of digits belong in 'prompt_uncached', 'prompt_cached', 'completion'") }
    return (
      usage,
      .settle(
        customer: customer, currency: currency, amount: amount, promptUncached: promptUncached, promptCached: promptCached,
        completion: completion)
    )
  }
}

/// The names that the rules know, packed for comparison.
enum EntryField {
  static let none = PackedText("")
  static let at = PackedText("at")
  static let boot = PackedText("boot")
  static let sequence = PackedText("seq")
  static let type = PackedText("type")
  static let usage = PackedText("usage")
  static let customer = PackedText("customer")
  static let currency = PackedText("currency")
  static let amount = PackedText("amount_nano")
  static let promptUncached = PackedText("prompt_uncached")
  static let promptCached = PackedText("prompt_cached")
  static let completion = PackedText("completion")

  static let customerSequence = PackedText("customer_seq")
  static let totals = PackedText("totals")

  static let heartbeat = PackedText("heartbeat")
  static let hold = PackedText("hold")
  static let extend = PackedText("extend")
  static let settle = PackedText("settle")
  static let void = PackedText("void")

  static let usagePrefix = Array("usg_".utf8)
  static let customerPrefix = Array("cus_".utf8)
}

/// The members that the rules know, wherever they stood.
private struct FieldValues {
  let bytes: [UInt8]
  var at, boot, sequence, type, usage, customer, amount, promptUncached, promptCached, completion: CanonicalLine.Member?
  var customerSequence, totals: CanonicalLine.Member?
  private var currencyMember: CanonicalLine.Member?

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func note(_ member: CanonicalLine.Member) {
    switch member.key {
    case EntryField.at: self.at = member
    case EntryField.boot: self.boot = member
    case EntryField.sequence: self.sequence = member
    case EntryField.type: self.type = member
    case EntryField.usage: self.usage = member
    case EntryField.customer: self.customer = member
    case EntryField.customerSequence: self.customerSequence = member
    case EntryField.totals: self.totals = member
    case EntryField.currency: self.currencyMember = member
    case EntryField.amount: self.amount = member
    case EntryField.promptUncached: self.promptUncached = member
    case EntryField.promptCached: self.promptCached = member
    case EntryField.completion: self.completion = member
    default: break
    }
  }

  func integer(_ member: CanonicalLine.Member?) -> Int? {
    guard let member, member.kind == .number else { return nil }
    return parseDecimal(self.bytes, member.value, atMost: Int128(largestSequence)).map { Int($0) }
  }

  func amount(_ member: CanonicalLine.Member?) -> Int64? {
    guard let member, member.kind == .string else { return nil }
    return parseDecimal(self.bytes, member.value, atMost: EntryRecord.amountMaximum).map { Int64($0) }
  }

  func tokens(_ member: CanonicalLine.Member?) -> Int? {
    guard let member, member.kind == .string else { return nil }
    return parseDecimal(self.bytes, member.value, atMost: Int128(TokenCount.largest.value)).map { Int($0) }
  }

  func identifier(_ member: CanonicalLine.Member?, prefix: [UInt8]) -> UInt128? {
    guard let member, member.kind == .string else { return nil }
    return parseIdentifier(self.bytes, member.value, prefix: prefix)
  }

  var currency: PackedText? {
    guard let member = self.currencyMember, member.kind == .string else { return nil }
    return parseCurrency(self.bytes, member.value)
  }
}
