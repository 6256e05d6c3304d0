internal import GovernanceTypes

/// An invoice or a credit note as one HTML page for people: no script, nothing loaded, and a stylesheet that prints on A4.
public enum InvoiceHTML {
  /// Prices with more ranges of log positions than this are listed in the JSON only.
  private static let mostRanges = 200

  /// The whole page as UTF-8. O(size).
  public static func page(_ invoice: Invoice) -> [UInt8] {
    var markup = Markup()
    markup.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
    markup.raw("<meta name=\"viewport\" content=\"width=device-width\">")
    markup.element("title", [], "\(self.heading(invoice)) \(invoice.name.number)")
    markup.raw("<style>")
    markup.raw(self.style)
    markup.raw("</style></head><body>")
    markup.element("h1", [], "\(self.heading(invoice)) \(invoice.name.number)")
    self.parties(invoice, &markup)
    self.dates(invoice, &markup)
    self.lines(invoice, &markup)
    self.totals(invoice, &markup)
    self.evidence(invoice, &markup)
    markup.raw("</body></html>\n")
    return markup.bytes
  }

  private static func heading(_ invoice: Invoice) -> String { invoice.isCreditNote ? "Credit note" : "Invoice" }

  private static func parties(_ invoice: Invoice, _ markup: inout Markup) {
    markup.element("div", [("class", "parties")]) {
      for (title, party) in [("From", invoice.seller), ("To", invoice.buyer)] {
        $0.element("address") {
          $0.element("b", [], title)
          let texts = [
            party.name, party.street, "\(party.postalCode) \(party.city)", party.country, party.vatID.map { "VAT \($0)" },
            party.registration, party.email,
          ]
          for text in texts { $0.element("span", text) }
        }
      }
    }
  }

  private static func dates(_ invoice: Invoice, _ markup: inout Markup) {
    var rows = [("Issued", invoice.issued.description), ("Period", invoice.period.description)]
    switch invoice.kind {
    case .invoice(let due): rows.append(("Due", due.description))
    case .creditNote(let original, let issued, let reason):
      rows += [("Corrects", "invoice \(original.number) of \(issued)"), ("Reason", reason)]
    }
    rows.append(("Customer", invoice.customer.description))
    markup.element("dl") {
      for (title, text) in rows {
        $0.element("dt", [], title)
        $0.element("dd", [], text)
      }
    }
  }

  private static func lines(_ invoice: Invoice, _ markup: inout Markup) {
    markup.element("table") {
      self.head(["", "Item", "Quantity", "Per million", "Tax", "Amount, \(invoice.currency)"], &$0)
      $0.element("tbody") {
        for line in invoice.lines {
          $0.element("tr") {
            $0.element("td", [], String(line.id))
            $0.element("td", [], line.title)
            $0.element("td", [("class", "n")], self.quantity(line))
            $0.element("td", [("class", "n")], line.perMillion?.description ?? "")
            $0.element("td", [("class", "n")], self.rate(line.treatment))
            $0.element("td", [("class", "n")], line.amount.text(in: invoice.currency))
          }
        }
      }
    }
  }

  private static func totals(_ invoice: Invoice, _ markup: inout Markup) {
    var rows = [("Net", invoice.totals.net)]
    for subtotal in invoice.subtotals {
      rows.append(("Tax \(self.rate(subtotal.treatment)) of \(subtotal.taxable.text(in: invoice.currency))", subtotal.tax))
    }
    rows.append(("Total", invoice.totals.gross))
    if invoice.totals.prepaid != .zero { rows.append(("Paid from prepaid credit", -invoice.totals.prepaid)) }
    markup.element("table", [("class", "totals")]) {
      $0.element("tbody") {
        for (title, amount) in rows { self.total(title, amount, invoice, &$0) }
        self.total(invoice.isCreditNote ? "Credited" : "To pay", invoice.totals.payable, invoice, &$0)
      }
    }
    for reason in invoice.subtotals.compactMap(\.treatment.reason) { markup.element("p", [], reason) }
  }

  private static func total(_ title: String, _ amount: NanoAmount, _ invoice: Invoice, _ markup: inout Markup) {
    markup.element("tr") {
      $0.element("th", [], title)
      $0.element("td", [("class", "n")], "\(amount.text(in: invoice.currency)) \(invoice.currency)")
    }
  }

  private static func evidence(_ invoice: Invoice, _ markup: inout Markup) {
    guard !invoice.appendix.isEmpty else { return }
    markup.element("section") {
      $0.element("h2", [], "Usage")
      $0.element("p", [], "The entries of the log that the lines are made of, by position.")
      $0.element("table") {
        self.head(["Model", "Price", "Requests", "Charged", "Positions"], &$0)
        $0.element("tbody") {
          for evidence in invoice.appendix {
            $0.element("tr") {
              $0.element("td", [], evidence.model.name)
              $0.element("td", [("class", "id")], evidence.price.description)
              $0.element("td", [("class", "n")], String(evidence.requests))
              $0.element("td", [("class", "n")], evidence.settled.description)
              $0.element("td", [], self.positions(evidence.positions))
            }
          }
        }
      }
    }
  }

  private static func head(_ titles: [String], _ markup: inout Markup) {
    markup.element("thead") { $0.element("tr") { for title in titles { $0.element("th", [], title) } } }
  }

  private static func quantity(_ line: InvoiceLine) -> String {
    if case .usage = line.kind, line.corrects == nil { String(line.quantity) } else { "" }
  }

  private static func rate(_ treatment: TaxTreatment) -> String {
    treatment.code == .standard ? "\(treatment.percent) %" : treatment.code.rawValue
  }

  private static func positions(_ positions: LogPositions) -> String {
    guard positions.ranges.count <= self.mostRanges else {
      return "\(positions.count) entries in \(positions.ranges.count) ranges: see the JSON form"
    }
    return positions.ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }.joined(
      separator: ", ")
  }

  private static let style: StaticString = """
    body{font:11pt/1.4 system-ui,sans-serif;color:#111;max-width:52rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.5rem}
    h2{font-size:1.1rem;margin-top:2rem}.parties{display:flex;gap:3rem}address{font-style:normal;flex:1}
    address span,address b{display:block}dl{display:grid;grid-template-columns:8rem 1fr}dd{margin:0}
    table{width:100%;border-collapse:collapse;margin:1rem 0}th{text-align:left}td,th{padding:.3rem .5rem;border-bottom:1px solid #ccc;
    vertical-align:top;overflow-wrap:anywhere}thead{display:table-header-group}.n{text-align:right;font-variant-numeric:tabular-nums;
    white-space:nowrap}.id{font-size:.8em}.totals{width:auto;margin-left:auto}.totals tr:last-child{font-weight:bold}
    @page{size:A4;margin:18mm}@media print{body{margin:0;padding:0;max-width:none;font-size:10pt}tr{break-inside:avoid}
    section{break-before:page}}
    """
}
