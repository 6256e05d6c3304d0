internal import Documents
internal import GovernanceTypes

/// `summary.json`: totals per customer and currency, the holds that cross the bundle's ends, and what was before it.
struct BundleSummary: Equatable {
  var totals: [SettledTotal]
  var opening: BundleOpening
  var openAfter: [OpenHold]

  /// The most values in the file, so that a bundle cannot exhaust memory; some 100,000 customers.
  static let nodesMaximum = 1 << 20
  static let bytesMaximum = 32 << 20

  init(totals: [SettledTotal], opening: BundleOpening, openAfter: [OpenHold]) {
    self.totals = totals
    self.opening = opening
    self.openAfter = openAfter
  }

  var bytes: [UInt8] {
    let json: JSON = [
      "totals": .array(self.totals.map(Self.json)), "open_before": .array(self.opening.openHolds.map(Self.json)),
      "customers_before": .array(self.opening.customers.map(Self.json)),
      "running_before": .object(self.opening.running.map(\.member)),
      "open_after": .array(self.openAfter.map(Self.json)),
    ]
    return json.canonicalBytes + [0x0A]
  }

  init(_ bytes: [UInt8]) throws(DocumentError) {
    let limits = JSONLimits(bytes: Self.bytesMaximum, depth: 4, nodes: Self.nodesMaximum)
    var reader = try DocumentReader(try Document.parseJSON(bytes, limits: limits))
    self.totals = try reader.list("totals").map { (path, value) throws(DocumentError) in try Self.total(value, path) }
    self.opening = BundleOpening(
      openHolds: try reader.list("open_before").map { (path, value) throws(DocumentError) in try Self.hold(value, path) },
      customers: try reader.list("customers_before").map { (path, value) throws(DocumentError) in try Self.count(value, path) },
      running: try Self.running(&reader))
    self.openAfter = try reader.list("open_after").map { (path, value) throws(DocumentError) in try Self.hold(value, path) }
    try reader.finish()
  }

  private static func json(_ total: SettledTotal) -> JSON {
    [
      "customer": .string(total.customer.description), "currency": .string(total.settled.currency.description),
      "amount_nano": .string(String(total.settled.amount.nano)), "requests": .integer(total.requests),
      "prompt_uncached": .string(total.promptUncached.description), "prompt_cached": .string(total.promptCached.description),
      "completion": .string(total.completion.description),
    ]
  }

  private static func json(_ hold: OpenHold) -> JSON {
    [
      "usage": .string(hold.usage.description), "customer": .string(hold.customer.description),
      "currency": .string(hold.held.currency.description), "amount_nano": .string(String(hold.held.amount.nano)),
      "seq": .integer(hold.sequence),
    ]
  }

  private static func json(_ count: CustomerCount) -> JSON {
    ["customer": .string(count.customer.description), "customer_seq": .integer(count.next)]
  }

  private static func count(_ document: Document, _ path: String) throws(DocumentError) -> CustomerCount {
    var reader = try DocumentReader(document, path: path)
    let count = CustomerCount(
      customer: try reader.identifier("customer"), next: try reader.integer("customer_seq", in: 0...largestSequence))
    try reader.finish()
    return count
  }

  private static func running(_ reader: inout DocumentReader) throws(DocumentError) -> [RunningTotal] {
    var currencies = try reader.reader("running_before")
    var totals: [RunningTotal] = []
    for code in currencies.keys {
      guard let currency = Currency(code) else { throw currencies.failure(code, "is no currency of three upper-case letters") }
      var total = try currencies.reader(code)
      totals.append(
        RunningTotal(
          currency: currency, amount: try total.digits("amount_nano"),
          requests: try total.integer("requests", in: 0...largestSequence),
          voided: try total.integer("voided", in: 0...largestSequence), promptUncached: try total.digits("prompt_uncached"),
          promptCached: try total.digits("prompt_cached"), completion: try total.digits("completion")))
      try total.finish()
    }
    return totals
  }

  private static func total(_ document: Document, _ path: String) throws(DocumentError) -> SettledTotal {
    var reader = try DocumentReader(document, path: path)
    let total = SettledTotal(
      customer: try reader.identifier("customer"), settled: try reader.money(),
      requests: try reader.integer("requests", in: 0...largestSequence),
      promptUncached: try reader.tokens("prompt_uncached"), promptCached: try reader.tokens("prompt_cached"),
      completion: try reader.tokens("completion"))
    try reader.finish()
    return total
  }

  private static func hold(_ document: Document, _ path: String) throws(DocumentError) -> OpenHold {
    var reader = try DocumentReader(document, path: path)
    let hold = OpenHold(
      usage: try reader.identifier("usage"), customer: try reader.identifier("customer"), held: try reader.money(),
      sequence: try reader.integer("seq", in: 0...largestSequence))
    try reader.finish()
    return hold
  }
}

extension DocumentReader {
  fileprivate mutating func identifier<Kind>(_ key: String) throws(DocumentError) -> Identifier<Kind> {
    guard let identifier = Identifier<Kind>(try self.string(key)) else {
      throw self.failure(key, "an id that begins with \(Kind.prefix)_ belongs here")
    }
    return identifier
  }

  /// Sums may be above what one entry may move, so the bound is that of the number of digits.
  fileprivate mutating func money() throws(DocumentError) -> Money {
    guard let currency = Currency(try self.string("currency")) else {
      throw self.failure("currency", "three upper-case letters belong here")
    }
    return Money(NanoAmount(try self.digits("amount_nano")), currency)
  }

  /// At most 30 digits.
  fileprivate mutating func digits(_ key: String) throws(DocumentError) -> Int128 {
    let digits = Array(try self.string(key).utf8)
    guard let value = parseDecimal(digits, digits.indices, atMost: .max) else {
      throw self.failure(key, "a string of digits belongs here")
    }
    return value
  }

  fileprivate mutating func tokens(_ key: String) throws(DocumentError) -> TokenCount {
    let digits = Array(try self.string(key).utf8)
    guard let count = parseDecimal(digits, digits.indices, atMost: Int128(TokenCount.largest.value)) else {
      throw self.failure(key, "a string of digits belongs here")
    }
    return TokenCount(Int(count))
  }
}
