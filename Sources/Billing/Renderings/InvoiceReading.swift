public import Documents
internal import GovernanceTypes

extension Invoice {
  /// Reads back what ``json`` wrote.
  ///
  /// Everything that follows from the lines is reckoned anew, and the whole must be written just as it was read: a document in which a
  /// line, a tax or a total was changed is refused. O(size).
  public init(reading document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let currency = try reader.value("currency", "a currency") { Currency($0) }
    let subtotals = try reader.elements("tax") { (element) throws(DocumentError) in try TaxSubtotal(&element) }
    let lines = try reader.elements("lines") { (element) throws(DocumentError) in
      try InvoiceLine(&element, treatments: subtotals.map(\.treatment))
    }
    var totals = try reader.reader("totals")
    let prepaid = try totals.amount("prepaid") - totals.amount("prepaid_rounding")
    var seller = try reader.reader("seller")
    var buyer = try reader.reader("buyer")
    self.init(
      name: InvoiceName(id: try reader.value("id", "an id") { InvoiceID($0) }, number: try reader.string("number")),
      kind: try Self.kind(&reader), customer: try reader.value("customer", "an id") { CustomerID($0) },
      period: try reader.value("period", "a month") { CalendarMonth($0) }, currency: currency,
      issued: try reader.value("issued", "a day") { CalendarDay($0) }, seller: try InvoiceParty(&seller),
      buyer: try InvoiceParty(&buyer),
      lines: lines, subtotals: subtotals,
      totals: InvoiceTotals(lines: lines, subtotals: subtotals, prepaid: prepaid, currency: currency),
      appendix: try reader.elements("usage") { (element) throws(DocumentError) in try UsageEvidence(&element) })
    let isRounded = self.isCreditNote || lines.allSatisfy { $0.amount == $0.exact.rounded(in: currency) }
    let isTaxed = self.isCreditNote || TaxSubtotal.all(of: lines, currency: currency) == subtotals
    guard isRounded, isTaxed, self.json.canonicalBytes == JSON(document).canonicalBytes else {
      throw DocumentError(
        position: document.position, message: "is not an invoice as it was finalised: its parts contradict each other")
    }
  }

  private static func kind(_ reader: inout DocumentReader) throws(DocumentError) -> Kind {
    switch try reader.string("kind") {
    case "invoice": return .invoice(due: try reader.value("due", "a day") { CalendarDay($0) })
    case "credit_note":
      return .creditNote(
        of: InvoiceName(
          id: try reader.value("invoice", "an id") { InvoiceID($0) }, number: try reader.string("invoice_number")),
        issued: try reader.value("invoice_issued", "a day") { CalendarDay($0) }, reason: try reader.string("reason"))
    default: throw reader.failure("kind", "must be 'invoice' or 'credit_note'")
    }
  }
}

extension InvoiceParty {
  /// Reads `name`, `street`, `city`, `postal_code`, `country`, and `vat_id`, `registration` and `email` where they are there.
  public init(_ reader: inout DocumentReader) throws(DocumentError) {
    let (name, street, city) = (try reader.string("name"), try reader.string("street"), try reader.string("city"))
    let (code, country) = (try reader.string("postal_code"), try reader.string("country"))
    let (vatID, registration) = (try reader.optionalString("vat_id"), try reader.optionalString("registration"))
    let email = try reader.optionalString("email")
    do throws(InvoiceParty.Defect) {
      try self.init(
        name: name, street: street, city: city, postalCode: code, country: country, vatID: vatID, registration: registration,
        email: email)
    } catch {
      throw reader.failure("name", "is no party: \(error)")
    }
  }
}

extension TaxTreatment {
  /// Reads `category`, `percent` as a decimal string, and `reason` where it is there.
  public init(_ reader: inout DocumentReader) throws(DocumentError) {
    let code = try reader.value("category", "a category of EN 16931") { TaxTreatment.Code(rawValue: $0) }
    let percent = try reader.amount("percent")
    let reason = try reader.optionalString("reason")
    guard (NanoAmount.zero...NanoAmount(100_000_000_000)).contains(percent), percent.nano % 10_000_000 == 0 else {
      throw reader.failure("percent", "must be from 0 to 100, with two decimals at most")
    }
    do throws(TaxTreatment.Defect) {
      try self.init(code, basisPoints: Int(percent.nano / 10_000_000), reason: reason)
    } catch {
      throw reader.failure("category", "is no treatment: \(error)")
    }
  }
}

extension TaxSubtotal {
  fileprivate init(_ reader: inout DocumentReader) throws(DocumentError) {
    let treatment = try TaxTreatment(&reader)
    self.init(treatment, taxable: try reader.amount("taxable"), tax: try reader.amount("tax"))
  }
}

extension InvoiceLine {
  fileprivate init(_ reader: inout DocumentReader, treatments: [TaxTreatment]) throws(DocumentError) {
    let (category, percent) = (try reader.string("tax_category"), try reader.string("tax_percent"))
    guard let treatment = treatments.first(where: { $0.code.rawValue == category && $0.percent == percent }) else {
      throw reader.failure("tax_category", "is in no subtotal of the document")
    }
    self.init(
      id: try reader.integer("line", in: 1...InvoiceDraft.mostLines), kind: try Kind(&reader),
      quantity: try reader.integer("quantity", in: 0...TokenCount.largest.value),
      perMillion: try reader.optionalAmount("per_million"), exact: try reader.amount("exact"),
      amount: try reader.amount("amount"), treatment: treatment,
      corrects: try reader.optionalInteger("corrects", in: 1...InvoiceDraft.mostLines))
  }
}

extension InvoiceLine.Kind {
  fileprivate init(_ reader: inout DocumentReader) throws(DocumentError) {
    let code = try reader.string("code")
    switch code {
    case "give_back": self = .giveBack(try reader.price(), try reader.model())
    case "held": self = .held(try reader.price(), try reader.model())
    case "true_up": self = .trueUp
    case "overage": self = .overage
    case "adjustment": self = .adjustment(try reader.string("title"))
    case "promotion": self = .promotion(try reader.value("credit", "an id") { CreditID($0) })
    default:
      guard let category = UsageCategory(rawValue: code) else { throw reader.failure("code", "is no kind of line") }
      self = .usage(try reader.price(), try reader.model(), category)
    }
  }
}

extension UsageEvidence {
  fileprivate init(_ reader: inout DocumentReader) throws(DocumentError) {
    var positions = LogPositions()
    for (path, element) in try reader.list("log_positions") {
      guard case .list(let ends) = element.content, ends.count == 2, let first = ends[0].wholeNumber,
        let last = ends[1].wholeNumber,
        positions.append(first, through: last)
      else {
        throw DocumentError(field: path, position: element.position, message: "two positions belong here, behind those before")
      }
    }
    self.init(
      price: try reader.price(), model: try reader.model(), requests: try reader.integer("requests", in: 0...(.max)),
      settled: try reader.amount("settled"), positions: positions)
  }
}

extension Document {
  fileprivate var wholeNumber: Int? {
    if case .number(let digits) = self.content { Int(digits) } else { nil }
  }
}

extension DocumentReader {
  fileprivate mutating func value<Value>(
    _ key: String, _ kind: StaticString, _ read: (String) -> Value?
  ) throws(DocumentError) -> Value {
    guard let value = read(try self.string(key)) else { throw self.failure(key, "\(kind) belongs here") }
    return value
  }

  fileprivate mutating func amount(_ key: String) throws(DocumentError) -> NanoAmount {
    try self.value(key, "a decimal") { NanoAmount(decimal: $0) }
  }

  fileprivate mutating func optionalAmount(_ key: String) throws(DocumentError) -> NanoAmount? {
    guard try self.optionalString(key) != nil else { return nil }
    return try self.amount(key)
  }

  fileprivate mutating func price() throws(DocumentError) -> PriceID { try self.value("price", "an id") { PriceID($0) } }
  fileprivate mutating func model() throws(DocumentError) -> ModelID { ModelID(try self.string("model")) }

  fileprivate mutating func elements<Value>(
    _ key: String, _ read: (inout DocumentReader) throws(DocumentError) -> Value
  ) throws(DocumentError) -> [Value] {
    var values: [Value] = []
    for (path, element) in try self.list(key) {
      var reader = try DocumentReader(element, path: path)
      values.append(try read(&reader))
    }
    return values
  }
}
