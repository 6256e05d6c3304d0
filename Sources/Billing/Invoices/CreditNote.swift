public import GovernanceTypes

/// How much of a line is given back, before tax and rounding; of the line's own sign.
public struct LineCorrection: Sendable, Equatable {
  public var line: Int
  public var amount: NanoAmount

  public init(line: Int, amount: NanoAmount) {
    self.line = line
    self.amount = amount
  }
}

public enum CreditNoteDefect: Error, Sendable, Equatable {
  /// Only invoices are corrected.
  case notAnInvoice
  /// An earlier credit note is of another invoice.
  case otherInvoice(String)
  case noCorrections
  case unknownLine(Int)
  case twiceCorrected(Int)
  /// Nothing, of the other sign, or more than is left of the line.
  case amount(line: Int, left: NanoAmount)
  case emptyReason
  case issuedBeforeInvoice
}

extension Invoice {
  /// The credit note that corrects lines of this invoice.
  ///
  /// Rounding and tax are reckoned of all that is credited so far, earlier notes included, and what those credited is taken off: a line
  /// that is credited in parts comes to just its own amount, and an invoice to its own tax.
  public func credited(
    as name: InvoiceName, issued: CalendarDay, reason: String, corrections: [LineCorrection], earlier: [Invoice] = []
  ) throws(CreditNoteDefect) -> Invoice {
    guard case .invoice = self.kind else { throw .notAnInvoice }
    for note in earlier {
      guard case .creditNote(let original, _, _) = note.kind, original == self.name else { throw .otherInvoice(note.name.number) }
    }
    guard !reason.isBlank, reason.utf8.count <= InvoiceParty.longestText else { throw .emptyReason }
    guard issued >= self.issued else { throw .issuedBeforeInvoice }
    guard !corrections.isEmpty else { throw .noCorrections }
    var lines: [InvoiceLine] = []
    for correction in corrections.sorted(by: { $0.line < $1.line }) {
      guard lines.last?.corrects != correction.line else { throw .twiceCorrected(correction.line) }
      lines.append(try self.line(correction, id: lines.count + 1, earlier: earlier))
    }
    let subtotals = self.creditedTax(lines, earlier: earlier)
    return Invoice(
      name: name, kind: .creditNote(of: self.name, issued: self.issued, reason: reason), customer: self.customer,
      period: self.period, currency: self.currency, issued: issued, seller: self.seller, buyer: self.buyer, lines: lines,
      subtotals: subtotals, totals: InvoiceTotals(lines: lines, subtotals: subtotals, prepaid: .zero, currency: self.currency),
      appendix: self.appendix.filter { evidence in lines.contains { $0.kind.price == evidence.price } })
  }

  /// Corrections that take back all that is left of the invoice.
  public func whole(after earlier: [Invoice] = []) -> [LineCorrection] {
    self.lines.compactMap { line in
      let left = line.exact - Self.creditedExactly(line.id, earlier)
      return left == .zero ? nil : LineCorrection(line: line.id, amount: left)
    }
  }

  private func line(_ correction: LineCorrection, id: Int, earlier: [Invoice]) throws(CreditNoteDefect) -> InvoiceLine {
    guard let line = self.lines.first(where: { $0.id == correction.line }) else { throw .unknownLine(correction.line) }
    let before = Self.creditedExactly(line.id, earlier)
    let left = line.exact - before
    let isWithin = left > .zero ? (.zero...left).contains(correction.amount) : (left...(.zero)).contains(correction.amount)
    guard isWithin, correction.amount != .zero else { throw .amount(line: line.id, left: left) }
    let amount = (before + correction.amount).rounded(in: self.currency) - before.rounded(in: self.currency)
    return InvoiceLine(
      id: id, kind: line.kind, quantity: 1, perMillion: nil, exact: correction.amount, amount: amount, treatment: line.treatment,
      corrects: line.id)
  }

  private func creditedTax(_ lines: [InvoiceLine], earlier: [Invoice]) -> [TaxSubtotal] {
    let before = earlier.flatMap(\.lines)
    return TaxSubtotal.all(of: lines, currency: self.currency).map { subtotal in
      let taxable = before.filter { $0.treatment == subtotal.treatment }.reduce(NanoAmount.zero) { $0 + $1.amount }
      let until = TaxSubtotal(subtotal.treatment, taxable: taxable, currency: self.currency)
      let now = TaxSubtotal(subtotal.treatment, taxable: taxable + subtotal.taxable, currency: self.currency)
      return TaxSubtotal(subtotal.treatment, taxable: subtotal.taxable, tax: now.tax - until.tax)
    }
  }

  private static func creditedExactly(_ line: Int, _ notes: [Invoice]) -> NanoAmount {
    notes.flatMap(\.lines).filter { $0.corrects == line }.reduce(.zero) { $0 + $1.exact }
  }
}
