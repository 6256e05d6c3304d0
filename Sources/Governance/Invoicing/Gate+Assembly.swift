internal import Billing
internal import GovernanceTypes
internal import Synchronization

extension Gate {
  func invoicePolicy() throws(Refusal) -> InvoicePolicy {
    guard let policy = self.policy.invoicing else {
      throw Refusal(.conflict, "Invoices are not set up: the configuration has no section 'billing' with a seller and a tax.")
    }
    return policy
  }

  func billingArchive() throws(Refusal) -> any BillingArchive {
    guard let books = self.books else { throw Refusal(.conflict, "This gateway keeps no books to invoice from.") }
    return books
  }

  /// What a customer has settled of a month, as the ledger has it now.
  func settledMonths(of customer: CustomerID, _ period: CalendarMonth) async throws(Refusal) -> [PricedUsage] {
    let months: [SettledMonth]
    do { months = try await self.billingArchive().settled(by: customer, in: period) } catch {
      throw Refusal(.storeUnavailable, "The ledger cannot be read.", context: "\(error)")
    }
    var usages: [PricedUsage] = []
    for month in months where month.requests > 0 { usages.append(try self.priced(month)) }
    return usages
  }

  /// What customers have settled of a month, without the places in the log.
  ///
  /// - Parameter customers: in the order of their ids.
  func settledMonths(
    of customers: [CustomerID], _ period: CalendarMonth
  ) async throws(Refusal) -> [CustomerID: [SettledMonth]] {
    do {
      return Dictionary(grouping: try await self.billingArchive().settled(in: period, customers: customers), by: \.customer)
    } catch {
      throw Refusal(.storeUnavailable, "The ledger cannot be read.", context: "\(error)")
    }
  }

  func priced(_ month: SettledMonth) throws(Refusal) -> PricedUsage {
    guard let price = self.price(month.price) else {
      throw Refusal(.storeUnavailable, "Requests were charged at the price \(month.price), which is not in the store.")
    }
    var positions = LogPositions()
    for position in month.positions where !positions.append(position) {
      throw Refusal(.storeUnavailable, "The log's places of settlements are out of order at \(position).")
    }
    return PricedUsage(
      price: price, quantities: PeriodQuantities(tokens: month.tokens, requests: month.requests), settled: month.amount,
      positions: positions, prepaid: month.prepaid)
  }

  /// All that a draft comes to, as the ledger has it now.
  func assemble(_ stored: StoredInvoiceDraft) async throws(Refusal) -> InvoiceDraft {
    let policy = try self.invoicePolicy()
    let profile = try self.profile(of: stored.customer)
    var draft = InvoiceDraft(
      customer: stored.customer, period: stored.period, currency: stored.currency, seller: policy.seller, buyer: profile.party,
      taxes: profile.tax.map { TaxPlan(usual: $0) } ?? policy.taxes)
    draft.usage = try await self.settledMonths(of: stored.customer, stored.period).filter { $0.price.currency == stored.currency }
    draft.commitment = profile.commitment(in: stored.currency)
    let corrections = self.corrections(of: stored)
    draft.adjustments = stored.adjustments + corrections.lines
    draft.promotions = try await self.promotions(of: stored)
    let promoted = draft.promotions.reduce(NanoAmount.zero) { $0 + $1.amount }
    draft.prepaid = draft.usage.reduce(.zero) { $0 + $1.prepaid } - promoted + corrections.prepaid
    do throws(InvoiceDraft.Defect) { try draft.holdPrepaidToTotal() } catch { throw Refusal(error) }
    return draft
  }

  /// The corrections that were made in the month, a line for each reason. What a prepaid customer got back is credit and stands in no
  /// invoice; what it was charged more was paid from credit.
  private func corrections(of stored: StoredInvoiceDraft) -> (lines: [InvoiceAdjustment], prepaid: NanoAmount) {
    let made = self.state.withLock { state in
      state.adjustments.all.filter {
        $0.customer == stored.customer && $0.currency == stored.currency && $0.adjustedAt.month == stored.period
          && $0.refund == nil
      }
    }
    let lines = Dictionary(grouping: made, by: \.reason).sorted { $0.key < $1.key }.map { reason, adjustments in
      InvoiceAdjustment(reason: reason, amount: adjustments.reduce(.zero) { $0 + $1.amount })
    }
    return (lines.filter { $0.amount != .zero }, made.filter(\.isPrepaid).reduce(.zero) { $0 + $1.amount })
  }

  /// What promotional credit paid of the month: it lowers what is taxed.
  private func promotions(of stored: StoredInvoiceDraft) async throws(Refusal) -> [PromotionUse] {
    let promotional = self.state.withLock { state in
      Set(state.credits.values.filter { $0.customer == stored.customer && $0.terms.isPromotional }.map(\.id))
    }
    guard !promotional.isEmpty else { return [] }
    let uses: [CreditUse]
    do { uses = try await self.billingArchive().creditUsed(by: stored.customer, in: stored.period) } catch {
      throw Refusal(.storeUnavailable, "The log cannot be read.", context: "\(error)")
    }
    return uses.filter { $0.currency == stored.currency && promotional.contains($0.grant) }
      .map { PromotionUse(credit: $0.grant, amount: $0.used) }
  }
}

extension Refusal {
  /// Why a draft does not make an invoice.
  init(_ defect: InvoiceDraft.Defect) {
    let message =
      switch defect {
      case .currency(let price, let currency): "The price \(price) is in \(currency), another currency than the invoice's."
      case .otherCustomer(let price): "The price \(price) was negotiated with another customer."
      case .twicePriced(let price): "The price \(price) is there twice."
      case .tooManyLines: "The invoice would have more than \(InvoiceDraft.mostLines) lines."
      case .amount(let field): "'\(field)' is out of range, in another currency or of the wrong sign."
      case .emptyReason: "An adjustment must say why, in at most \(InvoiceParty.longestText) bytes."
      case .mixedOutOfScope: "Lines outside the scope of VAT cannot stand beside others (EN 16931)."
      case .mixedReasons(let code): "Lines of the tax category '\(code.rawValue)' give different reasons."
      case .identifier(let field, let rule): "'\(field)' is missing, or may not be there (EN 16931, \(rule))."
      case .prepaidBeyondTotal:
        "Prepaid credit paid more than the month comes to, because a tier or an adjustment gave something back. Grant the difference as credit, and add it to the draft as an adjustment."
      case .dueBeforeIssue: "The invoice would be due before it is issued."
      }
    self.init(.conflict, message, context: "\(defect)")
  }
}
