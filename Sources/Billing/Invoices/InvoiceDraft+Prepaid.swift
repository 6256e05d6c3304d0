internal import GovernanceTypes

extension InvoiceDraft {
  /// Holds the prepaid amount to what the invoice comes to, where rounding the lines alone made that less than what credit had paid.
  ///
  /// - Throws: ``Defect/prepaidBeyondTotal`` where more is beyond than lines can lose by rounding: a volume tier or an adjustment gave
  ///   something back that credit had paid.
  public mutating func holdPrepaidToTotal() throws(Defect) {
    let preview = try self.preview()
    let total = max(preview.totals.gross, .zero)
    guard preview.totals.prepaid > total else { return }
    let lost = Int128(preview.lines.count + 1) * self.currency.nanoPerMinorUnit
    guard (self.prepaid - total).nano <= lost else { throw .prepaidBeyondTotal }
    self.prepaid = total
  }
}
