internal import Billing
internal import Documents
internal import Governance
internal import GovernanceTypes

extension GatewayConfiguration {
  /// How customers are billed.
  public struct Billing: Sendable {
    /// Who writes invoices; nil where none are written.
    var invoicing: InvoicePolicy?

    public init() {}
  }

  static func billing(_ reader: inout DocumentReader) throws(DocumentError) -> Billing {
    var billing = Billing()
    guard var section = try reader.optionalReader("billing") else { return billing }
    if var seller = try section.optionalReader("seller") {
      let party = try InvoiceParty(&seller)
      try seller.finish()
      var policy = InvoicePolicy(seller: party, taxes: try Self.taxes(&section))
      policy.dueDays = try section.optionalInteger("due_days", in: 0...365) ?? policy.dueDays
      policy.invoiceSeries = try Self.series(&section, "invoice_series") ?? policy.invoiceSeries
      policy.creditNoteSeries = try Self.series(&section, "credit_note_series") ?? policy.creditNoteSeries
      guard policy.invoiceSeries != policy.creditNoteSeries else {
        throw section.failure("credit_note_series", "must not be that of invoices")
      }
      billing.invoicing = policy
    }
    try section.finish()
    return billing
  }

  private static func taxes(_ section: inout DocumentReader) throws(DocumentError) -> TaxPlan {
    var tax = try section.reader("tax")
    var plan = TaxPlan(usual: try TaxTreatment(&tax))
    for (path, element) in try tax.list("by_model") {
      var model = try DocumentReader(element, path: path)
      plan.byModel[ModelID(try model.string("model"))] = try TaxTreatment(&model)
      try model.finish()
    }
    try tax.finish()
    return plan
  }

  private static func series(_ section: inout DocumentReader, _ key: String) throws(DocumentError) -> String? {
    guard let series = try section.optionalString(key) else { return nil }
    guard InvoiceNumbers(prefix: series) != nil else {
      throw section.failure(key, "'\(series.prefix(40))' is not of letters, digits and '-', at most 24")
    }
    return series
  }
}

extension GatewayConfiguration.Billing {
  var json: JSON {
    guard let policy = self.invoicing else { return [:] }
    let models = policy.taxes.byModel.sorted { $0.key < $1.key }.map { model, treatment -> JSON in
      guard case .object(let members) = treatment.json else { return treatment.json }
      return .object([JSONMember("model", .string(model.name))] + members)
    }
    guard case .object(let usual) = policy.taxes.usual.json else { return .null }
    return [
      "seller": policy.seller.json, "tax": .object(usual + [JSONMember("by_model", .array(models))]),
      "due_days": .integer(policy.dueDays), "invoice_series": .string(policy.invoiceSeries),
      "credit_note_series": .string(policy.creditNoteSeries),
    ]
  }
}
