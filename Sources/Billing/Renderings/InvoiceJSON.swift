public import Documents
internal import GovernanceTypes

extension Invoice {
  /// All of the document as JSON. Money is in decimal strings of major units; `exact` has up to nine decimals. O(size).
  public var json: JSON {
    var members: [JSONMember] = [
      JSONMember("id", .string(self.name.id.description)), JSONMember("number", .string(self.name.number)),
    ]
    switch self.kind {
    case .invoice(let due):
      members += [JSONMember("kind", "invoice"), JSONMember("due", .string(due.description))]
    case .creditNote(let original, let issued, let reason):
      members += [
        JSONMember("kind", "credit_note"), JSONMember("invoice", .string(original.id.description)),
        JSONMember("invoice_number", .string(original.number)), JSONMember("invoice_issued", .string(issued.description)),
        JSONMember("reason", .string(reason)),
      ]
    }
    members += [
      JSONMember("customer", .string(self.customer.description)), JSONMember("period", .string(self.period.description)),
      JSONMember("currency", .string(self.currency.description)), JSONMember("issued", .string(self.issued.description)),
      JSONMember("seller", self.seller.json), JSONMember("buyer", self.buyer.json),
      JSONMember("lines", .array(self.lines.map { self.json($0) })),
      JSONMember("tax", .array(self.subtotals.map { self.json($0) })), JSONMember("totals", self.totalsJSON),
      JSONMember("usage", .array(self.appendix.map(\.json))),
    ]
    return .object(members)
  }

  private func json(_ line: InvoiceLine) -> JSON {
    [
      "line": .integer(line.id), "code": .string(line.code), "title": .string(line.title),
      "price": JSON(line.kind.price?.description), "model": JSON(line.kind.model?.name),
      "credit": JSON(line.kind.credit?.description),
      "quantity": .integer(line.quantity), "per_million": JSON(line.perMillion?.description),
      "exact": .string(line.exact.description), "amount": self.money(line.amount),
      "tax_category": .string(line.treatment.code.rawValue), "tax_percent": .string(line.treatment.percent),
      "corrects": line.corrects.map { .integer($0) } ?? .null,
    ]
  }

  private func json(_ subtotal: TaxSubtotal) -> JSON {
    [
      "category": .string(subtotal.treatment.code.rawValue), "percent": .string(subtotal.treatment.percent),
      "reason": JSON(subtotal.treatment.reason), "taxable": self.money(subtotal.taxable), "tax": self.money(subtotal.tax),
    ]
  }

  private var totalsJSON: JSON {
    [
      "exact": .string(self.totals.exact.description), "rounding": .string(self.totals.rounding.description),
      "net": self.money(self.totals.net), "tax": self.money(self.totals.tax), "gross": self.money(self.totals.gross),
      "prepaid": self.money(self.totals.prepaid), "prepaid_rounding": .string(self.totals.prepaidRounding.description),
      "payable": self.money(self.totals.payable),
    ]
  }

  private func money(_ amount: NanoAmount) -> JSON { .string(amount.text(in: self.currency)) }
}

extension InvoiceParty {
  var json: JSON {
    [
      "name": .string(self.name), "street": .string(self.street), "city": .string(self.city),
      "postal_code": .string(self.postalCode), "country": .string(self.country), "vat_id": JSON(self.vatID),
      "registration": JSON(self.registration), "email": JSON(self.email),
    ]
  }
}

extension UsageEvidence {
  var json: JSON {
    [
      "price": .string(self.price.description), "model": .string(self.model.name), "requests": .integer(self.requests),
      "settled": .string(self.settled.description), "entries": .integer(self.positions.count),
      "log_positions": .array(self.positions.ranges.map { [.integer($0.lowerBound), .integer($0.upperBound)] }),
    ]
  }
}
