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
    ]
    members += InvoiceParts(currency: self.currency).members(self.lines, self.subtotals, self.totals, self.appendix)
    return .object(members)
  }
}

extension InvoiceDraft {
  /// The lines, the tax, the totals and the usage of the draft as it is now, in the form of a finalised one. O(size).
  public func previewMembers() throws(Defect) -> [JSONMember] {
    let preview = try self.preview()
    let appendix = self.usage.sorted { $0.price.id < $1.price.id }.map { UsageEvidence($0) }
    return InvoiceParts(currency: self.currency).members(preview.lines, preview.subtotals, preview.totals, appendix)
  }
}

/// What drafts and documents have in common.
private struct InvoiceParts {
  let currency: Currency

  func members(
    _ lines: [InvoiceLine], _ subtotals: [TaxSubtotal], _ totals: InvoiceTotals, _ appendix: [UsageEvidence]
  ) -> [JSONMember] {
    [
      JSONMember("lines", .array(lines.map { self.json($0) })), JSONMember("tax", .array(subtotals.map { self.json($0) })),
      JSONMember("totals", self.json(totals)), JSONMember("usage", .array(appendix.map(\.json))),
    ]
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

  private func json(_ totals: InvoiceTotals) -> JSON {
    [
      "exact": .string(totals.exact.description), "rounding": .string(totals.rounding.description),
      "net": self.money(totals.net), "tax": self.money(totals.tax), "gross": self.money(totals.gross),
      "prepaid": self.money(totals.prepaid), "prepaid_rounding": .string(totals.prepaidRounding.description),
      "payable": self.money(totals.payable),
    ]
  }

  private func money(_ amount: NanoAmount) -> JSON { .string(amount.text(in: self.currency)) }
}

extension TaxTreatment {
  public var json: JSON {
    ["category": .string(self.code.rawValue), "percent": .string(self.percent), "reason": JSON(self.reason)]
  }
}

extension InvoiceParty {
  public var json: JSON {
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
