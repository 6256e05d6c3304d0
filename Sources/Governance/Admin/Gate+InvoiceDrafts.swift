internal import Billing
public import Documents
internal import GovernanceTypes
internal import Synchronization

extension Gate {
  /// Makes a draft of a customer's month, or replaces what the one there is adds to the ledger: `{"customer","period","currency"?,
  /// "adjustments":[{"reason","amount"}]?}`.
  public func draftInvoice(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    var reader = try self.reading { () throws(DocumentError) in try DocumentReader(body) }
    let (customer, period, code, adjustments) = try self.reading { () throws(DocumentError) in
      let customer: CustomerID = try reader.identifier("customer")
      let period = try reader.month("period")
      let currency = reader.document("currency") == nil ? nil : try reader.currency("currency")
      let adjustments = try reader.adjustments("adjustments")
      try reader.finish()
      return (customer, period, currency, adjustments)
    }
    let profile = try self.profile(of: customer)
    let currency: Currency
    if let code { currency = code } else { currency = try await self.onlyCurrency(of: customer, period, profile) }
    let now = self.now()
    let place = InvoiceIndex.Place(customer: customer, period: period, currency: currency)
    let (known, invoiced) = self.state.withLock {
      ($0.drafts.values.first { $0.place == place }?.id, $0.invoices.invoice(of: place))
    }
    if let invoiced { throw Self.alreadyInvoiced(place, as: invoiced) }
    let draft = StoredInvoiceDraft(
      id: known ?? self.makeID(at: now), customer: customer, period: period, currency: currency, adjustments: adjustments)
    // What cannot be drawn up is not kept either.
    let view = try await self.view(of: draft)
    let object = self.stored(.invoiceDraft, id: draft.id.description, customer: customer, body: draft.json)
    try await self.commit([(object, .admin, [JSONMember("act", "invoice_draft")])], by: actor)
    return view
  }

  /// Adds adjustments to the draft of a month, or makes one with them; each reason once.
  func adjustDraft(
    of place: InvoiceIndex.Place, _ adjustments: [InvoiceAdjustment], by actor: Actor
  ) async throws(Refusal) -> InvoiceID {
    let now = self.now()
    let (known, invoiced) = self.state.withLock { state in
      (state.drafts.values.first { $0.place == place }, state.invoices.invoice(of: place))
    }
    if let invoiced { throw Self.alreadyInvoiced(place, as: invoiced) }
    var draft =
      known
      ?? StoredInvoiceDraft(id: self.makeID(at: now), customer: place.customer, period: place.period, currency: place.currency)
    guard !draft.adjustments.contains(where: { known in adjustments.contains { $0.reason == known.reason } }) else {
      throw Refusal(.conflict, "The draft \(draft.id) has this adjustment already.")
    }
    guard draft.adjustments.count + adjustments.count <= StoredInvoiceDraft.mostAdjustments else {
      throw Refusal(.conflict, "The draft \(draft.id) has \(StoredInvoiceDraft.mostAdjustments) adjustments; finalise it first.")
    }
    draft.adjustments += adjustments
    let object = self.stored(.invoiceDraft, id: draft.id.description, customer: place.customer, body: draft.json)
    try await self.commit([(object, .admin, [JSONMember("act", "invoice_draft")])], by: actor)
    return draft.id
  }

  /// A draft as it comes to now.
  func view(of draft: StoredInvoiceDraft) async throws(Refusal) -> JSON {
    let assembled = try await self.assemble(draft)
    guard case .object(let head) = draft.json else { return draft.json }
    do throws(InvoiceDraft.Defect) {
      let reason = self.state.withLock { Self.whyOpen(draft, $0, at: $0.tick(self.environment.now())) }
      return .object(
        head + [JSONMember("seller", assembled.seller.json), JSONMember("buyer", assembled.buyer.json)]
          + (try assembled.previewMembers()) + [JSONMember("waits_for", JSON(reason))])
    } catch {
      throw Refusal(error)
    }
  }

  static func alreadyInvoiced(_ place: InvoiceIndex.Place, as id: InvoiceID) -> Refusal {
    Refusal(
      .conflict, "\(place.period) of \(place.customer) in \(place.currency) is invoiced as \(id). Correct it by a credit note.")
  }

  /// Why a month cannot be closed yet; nil where it can. Once it can, nothing is added to it any more.
  static func whyOpen(_ draft: StoredInvoiceDraft, _ state: GateState, at now: Timestamp) -> String? {
    guard draft.period < now.month else { return "The month \(draft.period) is not over." }
    let isHeld = state.openHolds.values.contains { $0.customer == draft.customer && $0.heldAt.month == draft.period }
    if isHeld { return "A request that was held in \(draft.period) is still running." }
    return state.unwritten.concerns(draft.customer) ? "A settlement of the customer is not on disk yet." : nil
  }

  private func onlyCurrency(
    of customer: CustomerID, _ period: CalendarMonth, _ profile: BillingProfile
  ) async throws(Refusal) -> Currency {
    let used = try await self.settledMonths(of: customer, period).map(\.price.currency)
    let currencies = Set(used + profile.commitments.map(\.currency))
    guard let only = currencies.first, currencies.count == 1 else {
      let message =
        currencies.isEmpty
        ? "Nothing was settled in \(period) and nothing is committed; say in which 'currency' the invoice shall be."
        : "The month was settled in \(currencies.sorted().map(\.description).joined(separator: ", ")); say which 'currency' is meant."
      throw Refusal(.invalidRequest, message, parameter: "currency")
    }
    return only
  }
}
