internal import GovernanceTypes

/// One row of a FOCUS table, column by column.
struct FocusRow {
  let group: FocusGroup
  let sum: FocusSum
  let price: Price
  let issuer: String
  let provider: String
  /// The number of the invoice that the row is on; nil before there is one.
  let invoice: String?

  func value(_ column: FocusColumn) -> TableValue {
    switch column {
    case .billedCost, .effectiveCost, .pricingCurrencyEffectiveCost: .amount(self.sum.billed)
    case .contractedCost, .listCost: .number(self.sum.listed, scale: 15, decimals: 2)
    case .contractedUnitPrice, .listUnitPrice, .pricingCurrencyContractedUnitPrice, .pricingCurrencyListUnitPrice:
      self.price.plainPrice(self.sum.category).map { .amount($0) } ?? .none
    case .invoiceId: self.invoice.map { .text($0) } ?? .none
    case .billingCurrency, .pricingCurrency: .text(self.price.currency.description)
    case .billingPeriodStart: .midnight(self.group.day.month.firstDay)
    case .billingPeriodEnd: .midnight(self.group.day.month.next.firstDay)
    case .chargePeriodStart: .midnight(self.group.day)
    case .chargePeriodEnd: .midnight(self.group.day.next)
    case .consumedQuantity: .number(self.sum.quantity, decimals: 1)
    case .consumedUnit: .text(self.unit)
    case .pricingQuantity: .number(self.sum.quantity, scale: 6, decimals: 1)
    case .pricingUnit: .text("1000000 \(self.unit)")
    case .billingAccountId: .identifier(self.group.customer)
    case .billingAccountType: .text("Customer")
    case .subAccountId: .identifier(self.group.project)
    case .subAccountType: self.group.project == nil ? .none : .text("Project")
    case .chargeCategory: .text("Usage")
    case .chargeDescription: .text("\(self.meter) of \(self.group.model)")
    case .chargeFrequency: .text("Usage-Based")
    case .pricingCategory: .text("Standard")
    case .invoiceIssuerName: .text(self.issuer)
    case .providerName, .publisherName: .text(self.provider)
    case .serviceCategory: .text("AI and Machine Learning")
    case .serviceSubcategory: .text("Generative AI")
    case .serviceName: .text(self.sum.category == .training ? "Model Fine-Tuning" : "Model Inference")
    case .skuId, .skuPriceId: .text("\(self.group.model):\(self.sum.category.rawValue)")
    case .skuMeter: .text(self.meter)
    case .skuPriceDetails: .text(self.details)
    case .credential: .identifier(self.group.key)
    case .model: .text(self.group.model.name)
    case .price: .identifier(self.group.price)
    case .availabilityZone, .billingAccountName, .capacityReservationId, .capacityReservationStatus, .chargeClass,
      .commitmentDiscountCategory, .commitmentDiscountId, .commitmentDiscountName, .commitmentDiscountQuantity,
      .commitmentDiscountStatus, .commitmentDiscountType, .commitmentDiscountUnit, .regionId, .regionName,
      .resourceId, .resourceName, .resourceType, .subAccountName, .tags:
      .none
    }
  }

  private var unit: String { self.sum.category.unit }
  private var meter: String { self.sum.category.title }

  /// A flat JSON object; FOCUS wants `x_` before keys that are not its own, and only properties that apply.
  private var details: String {
    var bytes = Array("{\"x_Model\":".utf8)
    JSONText.append(self.group.model.name, to: &bytes)
    if self.sum.category != .request {
      bytes.append(contentsOf: ",\"x_TokenType\":".utf8)
      JSONText.append(self.sum.category.rawValue, to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
    return String(decoding: bytes, as: UTF8.self)
  }
}
