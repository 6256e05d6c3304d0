internal import Billing
public import Documents
public import GovernanceTypes
internal import Synchronization

extension Gate {
  /// Corrects a finalised invoice by a credit note: `{"reason", "lines":[{"line","amount"}]}`, `{"reason","whole":true}` for all that is
  /// left of it, or `{"reason","price","amount"}` for a part of what one of its prices came to.
  public func creditNote(of id: InvoiceID, _ body: Document, by actor: Actor) async throws(Refusal) -> InvoiceSummary {
    try await self.creditNote(of: id, try self.reading { () throws(DocumentError) in try CreditNoteOrder(body) }, by: actor)
  }

  func creditNote(of id: InvoiceID, _ order: CreditNoteOrder, by actor: Actor) async throws(Refusal) -> InvoiceSummary {
    let policy = try self.invoicePolicy()
    guard self.state.withLock({ $0.invoices.summary(id) }) != nil else {
      throw Refusal(.notFound, "There is no final invoice \(id). A draft is corrected by itself.")
    }
    var numbers = try self.beginNumbering(policy.creditNoteSeries)
    defer { self.state.withLock { $0.invoices.isNumbering = false } }
    let invoice = try await self.finalInvoice(id).0
    var earlier: [Invoice] = []
    for note in self.state.withLock({ $0.invoices.notes(of: id) }) { earlier.append(try await self.finalInvoice(note).0) }
    let corrections = try order.corrections(of: invoice, earlier: earlier)
    let now = self.now()
    let note: InvoiceID = self.makeID(at: now)
    let credited: Invoice
    do throws(CreditNoteDefect) {
      credited = try invoice.credited(
        as: InvoiceName(id: note, number: numbers.number(for: note)), issued: now.day, reason: order.reason,
        corrections: corrections, earlier: earlier)
    } catch {
      throw Refusal(error)
    }
    let record = self.record(credited, series: policy.creditNoteSeries, at: now)
    try await self.keep([self.journalRecord(record, by: actor)], [record.summary])
    return record.summary
  }
}

/// What of an invoice is to be given back.
struct CreditNoteOrder: Sendable {
  enum Part: Sendable {
    case lines([LineCorrection])
    case whole
    case price(PriceID, NanoAmount)
  }

  let reason: String
  let part: Part
  /// The same correction is made once: an earlier note with this reason is refused.
  let isOnce: Bool

  init(reason: String, part: Part, isOnce: Bool) {
    self.reason = reason
    self.part = part
    self.isOnce = isOnce
  }

  init(_ body: Document) throws(DocumentError) {
    var reader = try DocumentReader(body)
    self.isOnce = false
    self.reason = try reader.title("reason", most: InvoiceParty.longestText)
    let forms = ["lines", "whole", "price"].filter { reader.document($0) != nil }
    guard forms.count == 1, let form = forms.first else {
      throw reader.failure(forms.first ?? "lines", "exactly one of lines, whole and price belongs here")
    }
    switch form {
    case "lines": self.part = .lines(try Self.lines(&reader))
    case "price": self.part = .price(try reader.identifier("price"), try reader.money("amount", allowsZero: false))
    default:
      guard try reader.optionalBool("whole") == true else { throw reader.failure("whole", "only true belongs here") }
      self.part = .whole
    }
    try reader.finish()
  }

  private static func lines(_ reader: inout DocumentReader) throws(DocumentError) -> [LineCorrection] {
    var corrections: [LineCorrection] = []
    for (path, element) in try reader.list("lines") {
      var line = try DocumentReader(element, path: path)
      corrections.append(
        LineCorrection(
          line: try line.integer("line", in: 1...InvoiceDraft.mostLines), amount: try line.signedMoney("amount")))
      try line.finish()
    }
    return corrections
  }

  func corrections(of invoice: Invoice, earlier: [Invoice]) throws(Refusal) -> [LineCorrection] {
    for note in earlier where self.isOnce {
      guard case .creditNote(_, _, let reason) = note.kind, reason == self.reason else { continue }
      throw Refusal(.conflict, "\(note.name.number) has made this correction already.")
    }
    switch self.part {
    case .lines(let corrections): return corrections
    case .whole: return invoice.whole(after: earlier)
    case .price(let price, let amount):
      guard let corrections = invoice.corrections(givingBack: amount, of: price, earlier: earlier) else {
        throw Refusal(.conflict, "The lines of \(price) do not have \(amount) left to give back.", parameter: "amount")
      }
      return corrections
    }
  }
}

extension Refusal {
  init(_ defect: CreditNoteDefect) {
    let message =
      switch defect {
      case .notAnInvoice: "Only invoices are corrected by credit notes."
      case .otherInvoice(let number): "\(number) is a credit note of another invoice."
      case .noCorrections: "Nothing is left to give back, or nothing was named."
      case .unknownLine(let line): "The invoice has no line \(line)."
      case .twiceCorrected(let line): "Line \(line) is named twice."
      case .amount(let line, let left): "Of line \(line) there is \(left) left; a part of that, of its sign, can be given back."
      case .emptyReason: "A credit note must say why."
      case .issuedBeforeInvoice: "The credit note would be issued before its invoice."
      }
    self.init(.conflict, message, context: "\(defect)")
  }
}
