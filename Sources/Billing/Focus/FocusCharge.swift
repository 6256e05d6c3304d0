internal import GovernanceTypes

/// A row of a FOCUS table that is no usage: a line of an invoice that no request made, its tax, or what rounding added.
struct FocusCharge {
  let customer: CustomerID
  let period: CalendarMonth
  let currency: Currency
  let invoice: String
  let isCorrection: Bool
  let category: String
  let title: String
  let cost: NanoAmount
  let price: PriceID?
  let model: ModelID?

  /// Of an invoice, everything but usage, which has rows of its own; of a credit note, everything, negative and as a correction.
  static func all(of invoice: Invoice) -> [FocusCharge] {
    let isNote = invoice.isCreditNote
    func charge(_ category: String, _ title: String, _ cost: NanoAmount, _ kind: InvoiceLine.Kind? = nil) -> FocusCharge {
      FocusCharge(
        customer: invoice.customer, period: invoice.period, currency: invoice.currency, invoice: invoice.name.number,
        isCorrection: isNote, category: category, title: title, cost: isNote ? -cost : cost, price: kind?.price,
        model: kind?.model)
    }
    var charges = invoice.lines.compactMap { line -> FocusCharge? in
      switch line.kind {
      // The rows of usage have the charges as they were settled: both of these.
      case .usage, .held: isNote ? charge("Adjustment", line.title, line.exact, line.kind) : nil
      case .giveBack, .trueUp, .overage, .adjustment: charge("Adjustment", line.title, line.exact, line.kind)
      case .promotion: charge("Credit", line.title, line.exact, line.kind)
      }
    }
    for subtotal in invoice.subtotals where subtotal.tax != .zero {
      charges.append(charge("Tax", "Tax \(subtotal.treatment.percent) %", subtotal.tax))
    }
    if invoice.totals.rounding != .zero { charges.append(charge("Adjustment", "Rounding", invoice.totals.rounding)) }
    return charges
  }

  func value(_ column: FocusColumn, issuer: String, provider: String) -> TableValue {
    switch column {
    case .billedCost, .effectiveCost, .pricingCurrencyEffectiveCost, .contractedCost, .listCost: .amount(self.cost)
    case .billingCurrency, .pricingCurrency: .text(self.currency.description)
    case .billingPeriodStart, .chargePeriodStart: .midnight(self.period.firstDay)
    case .billingPeriodEnd, .chargePeriodEnd: .midnight(self.period.next.firstDay)
    case .billingAccountId: .identifier(self.customer)
    case .billingAccountType: .text("Customer")
    case .chargeCategory: .text(self.category)
    case .chargeClass: self.isCorrection ? .text("Correction") : .none
    case .chargeDescription: .text(self.title)
    case .chargeFrequency: .text("One-Time")
    case .invoiceId: .text(self.invoice)
    case .invoiceIssuerName: .text(issuer)
    case .providerName, .publisherName: .text(provider)
    case .serviceCategory: .text("AI and Machine Learning")
    case .serviceSubcategory: .text("Generative AI")
    case .serviceName: .text("Model Inference")
    case .model: self.model.map { .text($0.name) } ?? .none
    case .price: .identifier(self.price)
    default: .none
    }
  }
}
