public import GovernanceTypes

/// What one customer used in one month at one price, as the ledger settled it.
public struct PricedUsage: Sendable, Equatable {
  public var price: Price
  public var quantities: PeriodQuantities
  /// The sum of what the requests were charged; the truth, where it differs from what the price gives.
  public var settled: NanoAmount
  /// The settlements in the log.
  public var positions: LogPositions
  /// What of it was paid from prepaid credit when it was settled.
  public var prepaid: NanoAmount

  public init(
    price: Price, quantities: PeriodQuantities, settled: NanoAmount, positions: LogPositions = LogPositions(),
    prepaid: NanoAmount = .zero
  ) {
    self.prepaid = prepaid
    self.price = price
    self.quantities = quantities
    self.settled = settled
    self.positions = positions
  }
}

/// A correction that was entered in the month, before tax; negative in the customer's favour.
public struct InvoiceAdjustment: Sendable, Equatable {
  public var reason: String
  public var amount: NanoAmount

  public init(reason: String, amount: NanoAmount) {
    self.reason = reason
    self.amount = amount
  }
}

/// Promotional credit that the month's usage used up; it lowers what is taxed.
public struct PromotionUse: Sendable, Equatable {
  public var credit: CreditID
  /// Positive.
  public var amount: NanoAmount

  public init(credit: CreditID, amount: NanoAmount) {
    self.credit = credit
    self.amount = amount
  }
}

/// A customer's month before it is closed: everything can still change. ``finalised(as:issued:due:)`` makes the invoice, which cannot.
public struct InvoiceDraft: Sendable, Equatable {
  public var customer: CustomerID
  public var period: CalendarMonth
  public var currency: Currency
  public var seller: InvoiceParty
  public var buyer: InvoiceParty
  public var taxes: TaxPlan
  public var usage: [PricedUsage] = []
  public var commitment: Commitment?
  public var adjustments: [InvoiceAdjustment] = []
  public var promotions: [PromotionUse] = []
  /// What was paid before, out of prepaid credit.
  public var prepaid: NanoAmount = .zero

  public enum Defect: Error, Sendable, Equatable {
    case currency(PriceID, Currency)
    /// The price was negotiated with another customer.
    case otherCustomer(PriceID)
    case twicePriced(PriceID)
    case tooManyLines
    /// An amount whose sums could leave 128 bits, or that has the wrong sign.
    case amount(String)
    case emptyReason
    /// EN 16931 has no invoice that is partly outside the scope of VAT.
    case mixedOutOfScope
    /// Lines of one category and rate give different reasons.
    case mixedReasons(TaxTreatment.Code)
    /// A party lacks an identifier, or has one it may not have: field, and the rule of EN 16931.
    case identifier(String, rule: String)
    case prepaidBeyondTotal
    case dueBeforeIssue
  }

  public static let mostLines = 10_000
  /// No amount and no total may be larger: what is written can be read again, and sums and taxes stay within 128 bits.
  public static let largest = NanoAmount.largest

  public init(
    customer: CustomerID, period: CalendarMonth, currency: Currency, seller: InvoiceParty, buyer: InvoiceParty, taxes: TaxPlan
  ) {
    self.customer = customer
    self.period = period
    self.currency = currency
    self.seller = seller
    self.buyer = buyer
    self.taxes = taxes
  }

  /// The lines as they are now, in the order of prices and categories. O(prices · categories).
  public func lines() throws(Defect) -> [InvoiceLine] {
    var lines = InvoiceLines(taxes: self.taxes, currency: self.currency)
    var seen: Set<PriceID> = []
    for usage in self.usage.sorted(by: { $0.price.id < $1.price.id }) {
      guard usage.price.currency == self.currency else { throw .currency(usage.price.id, usage.price.currency) }
      guard usage.price.customer == nil || usage.price.customer == self.customer else { throw .otherCustomer(usage.price.id) }
      guard seen.insert(usage.price.id).inserted else { throw .twicePriced(usage.price.id) }
      try self.check(usage.settled, "settled", isPositive: true)
      lines.append(usage)
      guard lines.all.count <= Self.mostLines else { throw .tooManyLines }
    }
    if let commitment {
      guard commitment.currency == self.currency else { throw .amount("commitment") }
      lines.append(commitment)
    }
    for adjustment in self.adjustments {
      try self.check(adjustment.amount, "adjustment", isPositive: false)
      guard !adjustment.reason.isBlank, adjustment.reason.utf8.count <= InvoiceParty.longestText else { throw .emptyReason }
      lines.append(.adjustment(adjustment.reason), adjustment.amount)
    }
    for promotion in self.promotions {
      try self.check(promotion.amount, "promotion", isPositive: true)
      lines.append(.promotion(promotion.credit), -promotion.amount)
    }
    guard lines.all.count <= Self.mostLines else { throw .tooManyLines }
    return lines.all
  }

  /// What the draft comes to as it is now. O(lines).
  public func preview() throws(Defect) -> InvoicePreview {
    let lines = try self.lines()
    try self.check(self.prepaid, "prepaid", isPositive: true)
    for line in lines { try self.check(line.exact, line.code, isPositive: false) }
    let subtotals = TaxSubtotal.all(of: lines, currency: self.currency)
    let totals = InvoiceTotals(lines: lines, subtotals: subtotals, prepaid: self.prepaid, currency: self.currency)
    try self.check(totals.gross, "total", isPositive: false)
    return InvoicePreview(lines: lines, subtotals: subtotals, totals: totals)
  }

  /// The invoice, from now on a value that cannot change. O(lines).
  public func finalised(as document: InvoiceName, issued: CalendarDay, due: CalendarDay) throws(Defect) -> Invoice {
    guard due >= issued else { throw .dueBeforeIssue }
    let preview = try self.preview()
    try self.check(preview.subtotals)
    guard preview.totals.prepaid <= max(preview.totals.gross, .zero) else { throw .prepaidBeyondTotal }
    return Invoice(
      name: document, kind: .invoice(due: due), customer: self.customer, period: self.period, currency: self.currency,
      issued: issued, seller: self.seller, buyer: self.buyer, lines: preview.lines, subtotals: preview.subtotals,
      totals: preview.totals, appendix: self.usage.sorted { $0.price.id < $1.price.id }.map { UsageEvidence($0) })
  }

  private func check(_ amount: NanoAmount, _ field: String, isPositive: Bool) throws(Defect) {
    guard amount.nano.magnitude <= Self.largest.nano.magnitude, !isPositive || amount >= .zero else { throw .amount(field) }
  }

  /// What EN 16931 demands of parties, for each category in use.
  private func check(_ subtotals: [TaxSubtotal]) throws(Defect) {
    for (left, right) in zip(subtotals, subtotals.dropFirst()) {
      guard left.treatment.code == right.treatment.code else { continue }
      if left.treatment.basisPoints == right.treatment.basisPoints { throw .mixedReasons(left.treatment.code) }
    }
    let codes = Set(subtotals.map(\.treatment.code))
    if codes.contains(.outOfScope) {
      guard codes.count == 1 else { throw .mixedOutOfScope }
      guard self.seller.vatID == nil else { throw .identifier("seller.vat_id", rule: "BR-O-02") }
      guard self.buyer.vatID == nil else { throw .identifier("buyer.vat_id", rule: "BR-O-02") }
      guard self.seller.registration != nil else { throw .identifier("seller.registration", rule: "BR-CO-26") }
      return
    }
    guard self.seller.vatID != nil else { throw .identifier("seller.vat_id", rule: "BR-S-02") }
    if codes.contains(.intraCommunity), self.buyer.vatID == nil { throw .identifier("buyer.vat_id", rule: "BR-IC-02") }
    if codes.contains(.reverseCharge), self.buyer.vatID == nil, self.buyer.registration == nil {
      throw .identifier("buyer.vat_id", rule: "BR-AE-02")
    }
  }
}

/// A draft's lines, tax and totals at the moment.
public struct InvoicePreview: Sendable, Equatable {
  public let lines: [InvoiceLine]
  public let subtotals: [TaxSubtotal]
  public let totals: InvoiceTotals
}

/// Lines being written: numbers them and rounds each.
struct InvoiceLines {
  let taxes: TaxPlan
  let currency: Currency
  private(set) var all: [InvoiceLine] = []

  init(taxes: TaxPlan, currency: Currency) {
    self.taxes = taxes
    self.currency = currency
  }

  mutating func append(_ kind: InvoiceLine.Kind, _ exact: NanoAmount, quantity: Int = 1, perMillion: NanoAmount? = nil) {
    self.all.append(
      InvoiceLine(
        id: self.all.count + 1, kind: kind, quantity: quantity, perMillion: perMillion, exact: exact,
        amount: exact.rounded(in: self.currency), treatment: self.taxes.treatment(of: kind), corrects: nil))
  }

  /// Lines of one price: they add up to what the requests were charged, less what volume tiers give back.
  mutating func append(_ usage: PricedUsage) {
    let (price, model) = (usage.price, usage.price.model)
    for share in price.shares(of: usage.quantities) where share.quantity > 0 || share.amount != .zero {
      self.append(
        .usage(price.id, model, share.category), share.amount, quantity: share.quantity,
        perMillion: price.plainPrice(share.category))
    }
    let charged = price.charged(usage.quantities)
    if usage.settled != charged { self.append(.held(price.id, model), usage.settled - charged) }
    let total = price.total(usage.quantities)
    if total != charged { self.append(.giveBack(price.id, model), total - charged) }
  }

  mutating func append(_ commitment: Commitment) {
    let used = self.all.reduce(NanoAmount.zero) { $0 + $1.exact }
    if used < commitment.amount {
      self.append(.trueUp, commitment.amount - used)
    } else if let overage = commitment.surcharge(on: used - commitment.amount) {
      self.append(.overage, overage)
    }
  }
}
