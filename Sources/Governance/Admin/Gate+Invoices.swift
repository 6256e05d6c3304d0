public import Billing
public import Documents
public import GovernanceTypes
internal import Synchronization

/// An invoice as it is found: still a draft, or final with the document just as it was stored.
public enum InvoiceView: Sendable {
  case draft(JSON)
  case final(Invoice, document: [UInt8], digest: Digest)
}

/// What became of one customer's month in an invoice run.
public struct InvoiceRunRow: Sendable {
  public var customer: CustomerID
  public var currency: Currency?
  public var outcome: Result<InvoiceSummary, Refusal>
}

extension Gate {
  public func invoice(_ id: InvoiceID) async throws(Refusal) -> InvoiceView {
    let (summary, draft) = self.state.withLock { ($0.invoices.summary(id), $0.drafts[id]) }
    if summary != nil {
      let (invoice, document, digest) = try await self.finalInvoice(id)
      return .final(invoice, document: document, digest: digest)
    }
    guard let draft else { throw Refusal(.notFound, "There is no invoice \(id).") }
    return .draft(try await self.view(of: draft))
  }

  /// Finalised documents and open drafts, in the order in which they were made; of a customer or a month where asked.
  public func invoices(of customer: CustomerID?, in period: CalendarMonth?) -> [JSON] {
    self.state.withLock { state in
      let final = state.invoices.order.compactMap { state.invoices.summary($0) }
        .filter { (customer ?? $0.customer) == $0.customer && (period ?? $0.period) == $0.period }
      let drafts = state.drafts.values.filter { (customer ?? $0.customer) == $0.customer && (period ?? $0.period) == $0.period }
      return final.map(\.json) + drafts.sorted { $0.id < $1.id }.map(\.json)
    }
  }

  /// Final documents of months that lie wholly in a span, in the order in which they were made final.
  public func finalInvoices(from: Timestamp?, to: Timestamp?) -> [InvoiceID] {
    self.state.withLock { state in
      state.invoices.order.filter { id in
        guard let period = state.invoices.summary(id)?.period else { return false }
        return (from.map { $0 <= period.start } ?? true) && (to.map { period.end <= $0 } ?? true)
      }
    }
  }

  /// Makes a draft final: it gets the next number, goes into the log and never changes again. A final one is given as it is.
  public func finalizeInvoice(_ id: InvoiceID, by actor: Actor) async throws(Refusal) -> InvoiceSummary {
    let (known, draft) = self.state.withLock { ($0.invoices.summary(id), $0.drafts[id]) }
    if let known { return known }
    guard let draft else { throw Refusal(.notFound, "There is no invoice \(id).") }
    return try await self.finalise([draft], by: actor)[0].get()
  }

  /// Finalises a month of the next customers, each in all its currencies, in the order of their ids; those already invoiced are passed
  /// over. What cannot be finalised is in the answer with the reason, and uses up no number.
  ///
  /// - Returns: a row for each invoice, and the customer after which the run goes on; nil at the end.
  public func runInvoices(
    of period: CalendarMonth, after: CustomerID?, customers limit: Int, by actor: Actor
  ) async throws(Refusal) -> (rows: [InvoiceRunRow], next: CustomerID?) {
    _ = try self.invoicePolicy()
    let all = self.state.withLock { $0.directory.customers.keys.sorted() }
    let customers = all.drop { id in after.map { id <= $0 } ?? false }.prefix(max(1, limit))
    let settled = try await self.settledMonths(of: Array(customers), period)
    var drafts: [StoredInvoiceDraft] = []
    var rows: [InvoiceRunRow] = []
    for customer in customers {
      do throws(Refusal) { drafts += try self.openDrafts(of: customer, period, settled: settled[customer] ?? []) } catch {
        rows.append(InvoiceRunRow(customer: customer, currency: nil, outcome: .failure(error)))
      }
    }
    let outcomes = drafts.isEmpty ? [] : try await self.finalise(drafts, by: actor)
    rows += zip(drafts, outcomes).map { InvoiceRunRow(customer: $0.customer, currency: $0.currency, outcome: $1) }
    return (rows.sorted { $0.customer < $1.customer }, customers.last.flatMap { $0 == all.last ? nil : $0 })
  }

  /// What of a customer's month is to be invoiced: drafts that are there, and one for each other currency that was used or committed to.
  private func openDrafts(
    of customer: CustomerID, _ period: CalendarMonth, settled: [SettledMonth]
  ) throws(Refusal) -> [StoredInvoiceDraft] {
    var used: [Currency] = []
    for month in settled where month.requests > 0 { used.append(try self.priced(month).price.currency) }
    let committed = self.state.withLock { $0.profiles[customer]?.commitments.map(\.currency) ?? [] }
    let now = self.now()
    return self.state.withLock { state in
      let drafts = state.drafts.values.filter { $0.customer == customer && $0.period == period }
      let currencies = Set(used + committed + drafts.map(\.currency)).sorted()
      return currencies.compactMap { currency in
        let place = InvoiceIndex.Place(customer: customer, period: period, currency: currency)
        guard state.invoices.invoice(of: place) == nil else { return nil }
        return drafts.first { $0.currency == currency }
          ?? StoredInvoiceDraft(id: self.makeID(at: now), customer: customer, period: period, currency: currency)
      }
    }
  }

  // MARK: Numbering

  /// Finalises drafts together: all that can be are in the log after it, under numbers that follow on those before, or none is.
  private func finalise(
    _ drafts: [StoredInvoiceDraft], by actor: Actor
  ) async throws(Refusal) -> [Result<InvoiceSummary, Refusal>] {
    let policy = try self.invoicePolicy()
    var numbers = try self.beginNumbering(policy.invoiceSeries)
    defer { self.state.withLock { $0.invoices.isNumbering = false } }
    var records: [JournalRecord] = []
    var outcomes: [Result<InvoiceSummary, Refusal>] = []
    let now = self.now()
    for (draft, assembled) in zip(drafts, await self.assembled(drafts)) {
      do throws(Refusal) {
        let assembled = try assembled.get()
        var next = numbers
        let name = InvoiceName(id: draft.id, number: next.number(for: draft.id))
        let due = CalendarDay(number: now.day.number + policy.dueDays)
        let invoice: Invoice
        do throws(InvoiceDraft.Defect) { invoice = try assembled.finalised(as: name, issued: now.day, due: due) } catch {
          throw Refusal(error)
        }
        let record = self.record(invoice, series: policy.invoiceSeries, at: now)
        records.append(self.journalRecord(record, by: actor))
        outcomes.append(.success(record.summary))
        numbers = next
      } catch {
        outcomes.append(.failure(error))
      }
    }
    try await self.keep(records, outcomes.compactMap { try? $0.get() })  // Those that failed have nothing to keep.
    return outcomes
  }

  /// All that drafts come to once they can be closed, in their order. Some are read at once: the reading is most of a run.
  private func assembled(_ drafts: [StoredInvoiceDraft]) async -> [Result<InvoiceDraft, Refusal>] {
    await withTaskGroup(of: (place: Int, outcome: Result<InvoiceDraft, Refusal>).self) { group in
      var waiting = drafts.enumerated().makeIterator()
      func begin() {
        guard let (place, draft) = waiting.next() else { return }
        group.addTask {
          do throws(Refusal) {
            try self.checkClosed(draft)
            return (place, .success(try await self.assemble(draft)))
          } catch {
            return (place, .failure(error))
          }
        }
      }
      for _ in 0..<Self.draftsAtOnce { begin() }
      var outcomes: [Int: Result<InvoiceDraft, Refusal>] = [:]
      while let (place, outcome) = await group.next() {
        outcomes[place] = outcome
        begin()
      }
      return drafts.indices.compactMap { outcomes[$0] }
    }
  }

  /// Of one run; other readers are to find a connection free.
  private static var draftsAtOnce: Int { 2 }

  /// The numbers as they stand, for one finalisation at a time.
  func beginNumbering(_ series: String) throws(Refusal) -> InvoiceNumbers {
    let numbers = self.state.withLock { state -> InvoiceNumbers? in
      guard !state.invoices.isNumbering, let numbers = state.invoices.numbers(of: series) else { return nil }
      state.invoices.isNumbering = true
      return numbers
    }
    guard let numbers else {
      throw Refusal(
        .overloaded, "Another finalisation is giving out numbers. Retry in a moment.", retryAfter: .seconds(1))
    }
    return numbers
  }

  private func checkClosed(_ draft: StoredInvoiceDraft) throws(Refusal) {
    let (reason, invoiced) = self.state.withLock { state in
      (Self.whyOpen(draft, state, at: state.tick(self.environment.now())), state.invoices.invoice(of: draft.place))
    }
    if let invoiced { throw Self.alreadyInvoiced(draft.place, as: invoiced) }
    if let reason { throw Refusal(.conflict, reason + " Finalise it afterwards.", parameter: "period") }
  }

  func record(_ invoice: Invoice, series: String, at now: Timestamp) -> InvoiceRecord {
    let bytes = invoice.json.canonicalBytes
    var corrects: InvoiceID?
    if case .creditNote(let original, _, _) = invoice.kind { corrects = original.id }
    return InvoiceRecord(
      summary: InvoiceSummary(
        id: invoice.name.id, series: series, number: invoice.name.number, customer: invoice.customer, period: invoice.period,
        currency: invoice.currency, gross: invoice.totals.gross, corrects: corrects, finalisedAt: now,
        digest: self.environment.digest(bytes)),
      body: String(decoding: bytes, as: UTF8.self))
  }

  func journalRecord(_ record: InvoiceRecord, by actor: Actor) -> JournalRecord {
    let summary = record.summary
    var fields = [
      JSONMember("id", .string(summary.id.description)), JSONMember("number", .string(summary.number)),
      JSONMember("actor", .string(actor.name)), JSONMember("customer", .string(summary.customer.description)),
      JSONMember("period", .string(summary.period.description)), JSONMember("currency", .string(summary.currency.description)),
      JSONMember("gross_nano", .string(String(summary.gross.nano))),
      JSONMember("document_sha256", .string(summary.digest.hexadecimal)),
    ]
    if let corrects = summary.corrects { fields.append(JSONMember("corrects", .string(corrects.description))) }
    return JournalRecord(
      LogEntry(.invoice, at: summary.finalisedAt, fields, lookup: summary.id.description), effects: [.invoice(record)])
  }

  /// Writes finalised documents, all or none, and takes them into memory once they are on disk.
  func keep(_ records: [JournalRecord], _ summaries: [InvoiceSummary]) async throws(Refusal) {
    guard !records.isEmpty else { return }
    let ticket = self.state.withLock { _ in self.journal.submit(records) }
    do { try await ticket.durable() } catch { throw Refusal(error) }
    let failure = self.state.withLock { state -> InvoiceNumbers.Defect? in
      for summary in summaries {
        do throws(InvoiceNumbers.Defect) { try state.invoices.take(summary) } catch { return error }
        state.drafts[summary.id] = nil
      }
      return nil
    }
    if let failure { throw Refusal(.storeUnavailable, "The numbers of invoices are out of step.", context: "\(failure)") }
  }

  /// A finalised document, checked against its digest and against itself.
  func finalInvoice(_ id: InvoiceID) async throws(Refusal) -> (Invoice, document: [UInt8], digest: Digest) {
    let found: InvoiceRecord?
    do { found = try await self.billingArchive().invoice(id) } catch {
      throw Refusal(.storeUnavailable, "The store cannot be read.", context: "\(error)")
    }
    guard let found else { throw Refusal(.notFound, "There is no invoice \(id).") }
    let bytes = Array(found.body.utf8)
    guard self.environment.digest(bytes) == found.summary.digest else {
      throw Refusal(.storeUnavailable, "The stored document of \(id) is not the one that was finalised: its digest differs.")
    }
    let invoice = try self.reading { () throws(DocumentError) in
      try Invoice(reading: try Document.parseJSON(bytes, limits: JSONLimits(bytes: 64 << 20, nodes: 1 << 23)))
    }
    return (invoice, bytes, found.summary.digest)
  }
}

extension InvoiceSummary {
  public var json: JSON {
    [
      "id": .string(self.id.description), "object": "invoice", "status": "final",
      "kind": self.corrects == nil ? "invoice" : "credit_note", "number": .string(self.number),
      "customer": .string(self.customer.description), "period": .string(self.period.description),
      "currency": .string(self.currency.description), "gross": .string(self.gross.description),
      "corrects": JSON(self.corrects?.description), "finalised_at": .string(self.finalisedAt.description),
      "document_sha256": .string(self.digest.hexadecimal),
    ]
  }
}
