internal import Billing
public import Documents
public import GovernanceTypes
internal import Synchronization

extension Gate {
  /// What a price that is not set would have made of a month: `{…as a price…, "period"?}`, the month before this one if none is named.
  /// Nothing is changed.
  public func previewPrice(_ body: Document) async throws -> JSON {
    let (model, month) = try self.previewed(body)
    return try self.preview(body, over: try await self.usage(of: model, in: month), month)
  }

  /// Of which model a price would be, and of which month it is asked.
  private func previewed(_ body: Document) throws(Refusal) -> (ModelID, CalendarMonth) {
    let (rest, period) = try self.splitPeriod(body)
    return (try self.price(rest).model, period ?? self.now().month.previous)
  }

  private func price(_ body: Document) throws(Refusal) -> Price {
    let now = self.now()
    return try self.reading { () throws(DocumentError) in
      try StoredPrice(request: body, id: self.makeID(at: now), now: now).price
    }
  }

  private func preview(_ body: Document, over usages: [CustomerUsage], _ month: CalendarMonth) throws(Refusal) -> JSON {
    let price = try self.price(try self.splitPeriod(body).0)
    let byPrice = Dictionary(grouping: usages, by: \.usage.price.id).sorted { $0.key < $1.key }
    var parts: [JSON] = []
    var others: [JSON] = []
    for (id, customers) in byPrice {
      guard customers.first?.usage.price.currency == price.currency else {
        others.append(.string(id.description))
        continue
      }
      parts.append(.object([JSONMember("price", .string(id.description))] + (try Self.rerating(customers, at: price)).members))
    }
    return [
      "object": "price_preview", "model": .string(price.model.name), "currency": .string(price.currency.description),
      "period": .string(month.description), "data": .array(parts), "other_currencies": .array(others),
    ]
  }

  /// What a month that was charged at a wrong price comes to at the right one, whom it touches, and what corrects it for each:
  /// `{"period","components":[…], "reason"?, "apply"?}`.
  ///
  /// With `apply`, a month that is not invoiced gets its adjustment in its draft. One that is invoiced is corrected by a credit note, or,
  /// where more is due, by an adjustment in the draft of the running month.
  public func rerate(_ id: PriceID, _ body: Document, by actor: Actor) async throws -> JSON {
    let (model, month) = try self.rerated(id, body)
    let report = try self.report(id, body, over: try await self.usage(of: model, in: month))
    var rows = report.rows
    for place in rows.indices where report.applies {
      rows[place].append(await self.outcome(of: report.corrections[place], by: actor))
    }
    return .object(report.head + [JSONMember("data", .array(rows.map { .object($0) }))])
  }

  /// Of which model a wrong price is, and of which month it is asked.
  private func rerated(_ id: PriceID, _ body: Document) throws(Refusal) -> (ModelID, CalendarMonth) {
    let (wrong, order) = try self.order(id, body)
    return (wrong.model, order.period)
  }

  private func order(_ id: PriceID, _ body: Document) throws(Refusal) -> (wrong: Price, RerateOrder) {
    guard let wrong = self.price(id) else { throw Refusal(.notFound, "There is no price \(id).") }
    return (wrong, try self.reading { () throws(DocumentError) in try RerateOrder(body, instead: wrong) })
  }

  private func report(_ id: PriceID, _ body: Document, over usages: [CustomerUsage]) throws(Refusal) -> RerateReport {
    let (wrong, order) = try self.order(id, body)
    let rerating = try Self.rerating(usages.filter { $0.usage.price.id == id }, at: order.price)
    var report = RerateReport(applies: order.applies)
    report.head = [
      JSONMember("object", "rerating"), JSONMember("price", .string(id.description)),
      JSONMember("period", .string(order.period.description)), JSONMember("currency", .string(wrong.currency.description)),
      JSONMember("before", .string(rerating.before.description)), JSONMember("after", .string(rerating.after.description)),
      JSONMember("untouched_customers", .integer(rerating.untouched)), JSONMember("applied", .bool(order.applies)),
    ]
    let now = self.now()
    for effect in rerating.effects {
      var place = InvoiceIndex.Place(customer: effect.customer, period: order.period, currency: wrong.currency)
      let invoice = self.state.withLock { $0.invoices.invoice(of: place) }
      report.rows.append([
        JSONMember("customer", .string(effect.customer.description)), JSONMember("before", .string(effect.before.description)),
        JSONMember("after", .string(effect.after.description)), JSONMember("adjustment", .string(effect.adjustment.description)),
        JSONMember("invoice", JSON(invoice?.description)),
      ])
      if let invoice, effect.adjustment < .zero {
        let note = CreditNoteOrder(reason: order.reason, part: .price(id, -effect.adjustment), isOnce: true)
        report.corrections.append(.note(of: invoice, note))
      } else {
        if invoice != nil { place.period = now.month }
        report.corrections.append(.adjustment(of: place, InvoiceAdjustment(reason: order.reason, amount: effect.adjustment)))
      }
    }
    return report
  }

  /// What became of a correction: the document that has it, or why there is none.
  private func outcome(of correction: RerateReport.Correction, by actor: Actor) async -> JSONMember {
    do throws(Refusal) {
      switch correction {
      case .note(let invoice, let note):
        return JSONMember("applied_as", .string(try await self.creditNote(of: invoice, note, by: actor).id.description))
      case .adjustment(let place, let adjustment):
        return JSONMember("applied_as", .string(try await self.adjustDraft(of: place, [adjustment], by: actor).description))
      }
    } catch {
      return JSONMember("error", .string(error.message))
    }
  }

  /// A month of all customers at the prices of a model. O(customers) memory.
  func usage(of model: ModelID, in month: CalendarMonth) async throws -> [CustomerUsage] {
    let customers = self.state.withLock { $0.directory.customers.keys.sorted() }
    var usages: [CustomerUsage] = []
    for start in stride(from: 0, to: customers.count, by: Self.customersAtOnce) {
      let page = customers[start..<min(start + Self.customersAtOnce, customers.count)]
      usages += try await self.usage(of: model, in: month, by: Array(page))
    }
    return usages
  }

  /// The same of some customers, in the order of their ids.
  private func usage(of model: ModelID, in month: CalendarMonth, by customers: [CustomerID]) async throws -> [CustomerUsage] {
    let months: [SettledMonth]
    do {
      months = try await self.billingArchive().settled(in: month, customers: customers)
    } catch {
      throw Refusal(.storeUnavailable, "The ledger cannot be read.", context: "\(error)")
    }
    return try self.priced(months).filter { $0.usage.price.model == model }
  }

  private func priced(_ months: [SettledMonth]) throws(Refusal) -> [CustomerUsage] {
    var usages: [CustomerUsage] = []
    for month in months where month.requests > 0 {
      usages.append(CustomerUsage(customer: month.customer, usage: try self.priced(month)))
    }
    return usages
  }

  static let customersAtOnce = 1000

  private static func rerating(_ usages: [CustomerUsage], at price: Price) throws(Refusal) -> Rerating {
    do throws(Rerating.Defect) { return try Rerating(usages, at: price) } catch {
      switch error {
      case .currency(_, let currency):
        throw Refusal(.conflict, "The month was charged in \(currency), and this price is in another.")
      case .model(_, let model):
        throw Refusal(.conflict, "The month was charged for \(model), and this price is another model's.")
      case .twice(let customer): throw Refusal(.storeUnavailable, "\(customer) has the same month twice.")
      }
    }
  }

  /// A body and its member `period`, which is no part of a price.
  private func splitPeriod(_ body: Document) throws(Refusal) -> (Document, CalendarMonth?) {
    guard case .map(let members) = body.content, let place = members.firstIndex(where: { $0.key == "period" }) else {
      return (body, nil)
    }
    let period = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      return try reader.month("period")
    }
    var rest = members
    rest.remove(at: place)
    return (Document(.map(rest), position: body.position), period)
  }
}

/// Whom a wrong price touched, and what corrects it for each.
private struct RerateReport: Sendable {
  enum Correction: Sendable {
    case note(of: InvoiceID, CreditNoteOrder)
    case adjustment(of: InvoiceIndex.Place, InvoiceAdjustment)
  }

  let applies: Bool
  var head: [JSONMember] = []
  var rows: [[JSONMember]] = []
  /// One for each row.
  var corrections: [Correction] = []

  init(applies: Bool) { self.applies = applies }
}

/// A correction of a price as it is asked for.
private struct RerateOrder {
  let period: CalendarMonth
  /// What should have been in force.
  let price: Price
  let reason: String
  let applies: Bool

  init(_ body: Document, instead wrong: Price) throws(DocumentError) {
    var reader = try DocumentReader(body)
    self.period = try reader.month("period")
    let reason = try reader.optionalString("reason") == nil ? "Correction of a price" : try reader.title("reason", most: 800)
    // Made of what it corrects, so that it is made once.
    self.reason = "\(reason) (\(wrong.id), \(self.period))"
    self.applies = try reader.optionalBool("apply") ?? false
    self.price = try StoredPrice.corrected(wrong, components: &reader)
    try reader.finish()
  }
}

extension Rerating.Effect {
  fileprivate var json: JSON {
    [
      "customer": .string(self.customer.description), "before": .string(self.before.description),
      "after": .string(self.after.description), "adjustment": .string(self.adjustment.description),
    ]
  }
}

extension Rerating {
  fileprivate var members: [JSONMember] {
    [
      JSONMember("before", .string(self.before.description)), JSONMember("after", .string(self.after.description)),
      JSONMember("touched_customers", .integer(self.effects.count)),
      JSONMember("untouched_customers", .integer(self.untouched)),
      JSONMember("effects", .array(self.effects.map(\.json))),
    ]
  }
}
