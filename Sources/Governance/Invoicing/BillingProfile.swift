internal import Billing
internal import Documents
internal import GovernanceTypes

/// How a customer is invoiced: its address, how its lines are taxed where that is not the usual way, what it has committed to.
struct BillingProfile: Sendable {
  var customer: CustomerID
  var party: InvoiceParty
  var tax: TaxTreatment?
  /// One at most for each currency.
  var commitments: [Commitment]
  /// What the customer means to spend in a month; it is told when shares of it are spent.
  var budget: Money?

  init(_ document: Document, of customer: CustomerID) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.customer = customer
    // Written with the body, and said by the path already.
    _ = try reader.optionalString("object")
    _ = try reader.optionalString("customer")
    var party = try reader.reader("party")
    self.party = try InvoiceParty(&party)
    try party.finish()
    if var tax = try reader.optionalReader("tax") {
      self.tax = try TaxTreatment(&tax)
      try tax.finish()
    }
    self.commitments = []
    for (path, element) in try reader.list("commitments") {
      let commitment = try Self.commitment(element, path)
      guard !self.commitments.contains(where: { $0.currency == commitment.currency }) else {
        throw DocumentError(field: path, position: element.position, message: "there is a commitment in this currency already")
      }
      self.commitments.append(commitment)
    }
    if var budget = try reader.optionalReader("budget") {
      self.budget = Money(try budget.money("amount", allowsZero: false), try budget.currency("currency"))
      try budget.finish()
    }
    try reader.finish()
  }

  private static func commitment(_ element: Document, _ path: String) throws(DocumentError) -> Commitment {
    var reader = try DocumentReader(element, path: path)
    let amount = try reader.money("amount", allowsZero: false)
    let currency = try reader.currency("currency")
    let overage = try reader.optionalInteger("overage_basis_points", in: 0...100_000) ?? 10_000
    try reader.finish()
    guard let commitment = Commitment(amount, currency, overageBasisPoints: overage) else {
      throw reader.failure("amount", "is out of range")
    }
    return commitment
  }

  func commitment(in currency: Currency) -> Commitment? { self.commitments.first { $0.currency == currency } }

  var json: JSON {
    var members = [
      JSONMember("object", "billing_profile"), JSONMember("customer", .string(self.customer.description)),
      JSONMember("party", self.party.json),
    ]
    if let tax = self.tax { members.append(JSONMember("tax", tax.json)) }
    members.append(
      JSONMember(
        "commitments",
        .array(
          self.commitments.map {
            [
              "amount": .string($0.amount.description), "currency": .string($0.currency.description),
              "overage_basis_points": .integer($0.overageBasisPoints),
            ]
          })))
    if let budget = self.budget {
      members.append(
        JSONMember(
          "budget", ["amount": .string(budget.amount.description), "currency": .string(budget.currency.description)]))
    }
    return .object(members)
  }
}
