internal import Billing
internal import Documents
internal import Governance
internal import GovernanceTypes

extension GatewayConfiguration {
  /// How customers are billed.
  public struct Billing: Sendable {
    /// Who writes invoices; nil where none are written.
    var invoicing: InvoicePolicy?
    var webhooks: [WebhookReceiver] = []
    var pushes: [PushReceiver] = []
    /// Balances that are told of when they are reached from above; nothing left is told of always.
    var lowBalances: [Money] = []
    /// Shares of a budget that are told of; the usual ones where none are named.
    var budgetPercents: [Int] = []

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
    billing.webhooks = try Self.webhooks(&section)
    billing.pushes = try Self.pushes(&section, besides: billing.webhooks)
    for (path, element) in try section.list("low_balances") {
      var mark = try DocumentReader(element, path: path)
      guard let amount = NanoAmount(decimal: try mark.string("amount")), amount > .zero else {
        throw mark.failure("amount", "a decimal string above zero belongs here, such as \"5.00\"")
      }
      guard let currency = Currency(try mark.string("currency")) else {
        throw mark.failure("currency", "three capital letters of ISO 4217 belong here, such as USD")
      }
      try mark.finish()
      billing.lowBalances.append(Money(amount, currency))
    }
    for (path, element) in try section.list("budget_percents") {
      guard case .number(let digits) = element.content, let percent = Int(digits), (1...1000).contains(percent) else {
        throw DocumentError(field: path, position: element.position, message: "a whole number from 1 to 1000 belongs here")
      }
      billing.budgetPercents.append(percent)
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
    .object(self.invoicingMembers + self.receiverMembers)
  }

  private var receiverMembers: [JSONMember] {
    [
      JSONMember(
        "webhooks",
        .array(
          self.webhooks.map {
            [
              "id": .string($0.id), "url": .string($0.url), "secret_env": .string($0.secretVariable),
              "timeout_seconds": .integer($0.timeoutSeconds),
              "types": .array($0.kinds.map(\.rawValue).sorted().map { .string($0) }),
            ]
          })),
      JSONMember(
        "pushes",
        .array(
          self.pushes.map {
            [
              "id": .string($0.id), "url": .string($0.url), "token_env": .string($0.tokenVariable),
              "timeout_seconds": .integer($0.timeoutSeconds), "origin": .string($0.origin), "customers": .integer($0.names.count),
            ]
          })),
      JSONMember("low_balances", .array(self.lowBalances.map { .string($0.description) })),
      JSONMember("budget_percents", .array(self.budgetPercents.map { .integer($0) })),
    ]
  }

  private var invoicingMembers: [JSONMember] {
    guard let policy = self.invoicing else { return [] }
    let models = policy.taxes.byModel.sorted { $0.key < $1.key }.map { model, treatment -> JSON in
      guard case .object(let members) = treatment.json else { return treatment.json }
      return .object([JSONMember("model", .string(model.name))] + members)
    }
    guard case .object(let usual) = policy.taxes.usual.json else { return [] }
    return [
      JSONMember("seller", policy.seller.json), JSONMember("tax", .object(usual + [JSONMember("by_model", .array(models))])),
      JSONMember("due_days", .integer(policy.dueDays)), JSONMember("invoice_series", .string(policy.invoiceSeries)),
      JSONMember("credit_note_series", .string(policy.creditNoteSeries)),
    ]
  }
}
