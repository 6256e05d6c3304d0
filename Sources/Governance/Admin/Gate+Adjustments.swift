public import Documents
public import GovernanceTypes
internal import Synchronization
internal import UsageLedger

/// A correction of what a settled request was charged, as stored.
struct StoredAdjustment: Sendable {
  let id: AdjustmentID
  let usage: UsageID
  let customer: CustomerID
  let project: ProjectID?
  let key: KeyID
  let currency: Currency
  /// More is charged where positive, less where negative.
  let amount: NanoAmount
  let reason: String
  /// The operator's own name for it: the same one is not made twice.
  let reference: String?
  let actor: String
  let isPrepaid: Bool
  /// When the request was held: it fixes the windows that it counts in.
  let heldAt: Timestamp
  let adjustedAt: Timestamp

  var json: JSON {
    .object(
      [
        JSONMember("id", .string(self.id.description)), JSONMember("object", "adjustment"),
        JSONMember("usage", .string(self.usage.description)), JSONMember("customer", .string(self.customer.description)),
        JSONMember("key", .string(self.key.description)), JSONMember("currency", .string(self.currency.description)),
        JSONMember("amount", .string(self.amount.description)), JSONMember("reason", .string(self.reason)),
        JSONMember("actor", .string(self.actor)), JSONMember("is_prepaid", .bool(self.isPrepaid)),
        JSONMember("held_at", .string(self.heldAt.description)),
        JSONMember("adjusted_at", .string(self.adjustedAt.description)),
      ] + (self.project.map { [JSONMember("project", .string($0.description))] } ?? [])
        + (self.reference.map { [JSONMember("reference", .string($0))] } ?? []))
  }

  init(_ request: AdjustmentRequest, of record: UsageRecord, id: AdjustmentID, by actor: Actor, at now: Timestamp) {
    self.id = id
    self.usage = record.usage
    self.customer = record.customer
    self.project = record.project
    self.key = record.key
    self.currency = record.currency
    self.amount = request.amount
    self.reason = request.reason
    self.reference = request.reference
    self.actor = actor.name
    self.isPrepaid = record.isPrepaid
    self.heldAt = record.heldAt
    self.adjustedAt = now
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.id = try reader.identifier("id")
    _ = try reader.string("object")
    self.usage = try reader.identifier("usage")
    self.customer = try reader.identifier("customer")
    self.project = try reader.optionalIdentifier("project")
    self.key = try reader.identifier("key")
    self.currency = try reader.currency("currency")
    self.amount = try reader.signedMoney("amount")
    self.reason = try reader.string("reason")
    self.reference = try reader.optionalString("reference")
    self.actor = try reader.string("actor")
    self.isPrepaid = try reader.optionalBool("is_prepaid") ?? false
    self.heldAt = try reader.timestamp("held_at")
    self.adjustedAt = try reader.timestamp("adjusted_at")
    try reader.finish()
  }

  /// The request as the ledger knows it, charged `amount` up to now.
  func closed(charged amount: NanoAmount) -> Hold {
    Hold(
      usage: self.usage, customer: self.customer,
      chain: chargedChain(key: self.key, project: self.project, customer: self.customer), currency: self.currency, amount: amount,
      tokens: .zero, heldAt: self.heldAt, isPrepaid: self.isPrepaid)
  }

  /// What is given back to a customer that had paid in advance: credit of the adjustment's own number that does not expire.
  var refund: CreditGrant? {
    self.isPrepaid && self.amount < .zero ? CreditGrant(id: CreditID(self.id.value), amount: -self.amount) : nil
  }

  fileprivate func entry(commitment: Digest, slices: [CreditSlice]) -> LogEntry {
    var fields: [JSONMember] = [
      JSONMember("id", .string(self.id.description)), JSONMember("actor", .string(self.actor)),
      JSONMember("commitment", .string(commitment.hexadecimal)), JSONMember("usage", .string(self.usage.description)),
      JSONMember("customer", .string(self.customer.description)), JSONMember("key", .string(self.key.description)),
      JSONMember("currency", .string(self.currency.description)),
      JSONMember("amount_nano", .string(String(self.amount.nano))), JSONMember("reason", .string(self.reason)),
    ]
    if let refund { fields.append(JSONMember("credit", .string(refund.id.description))) }
    if !slices.isEmpty { fields.append(JSONMember("credits", CreditSlice.json(slices))) }
    return LogEntry(.adjust, at: self.adjustedAt, fields, lookup: self.id.description)
  }
}

/// What is asked for: `usage`, `amount`, `reason`, and `reference` where a retry must not correct twice.
struct AdjustmentRequest: Sendable {
  let usage: UsageID
  let amount: NanoAmount
  let reason: String
  let reference: String?

  init(_ body: Document) throws(DocumentError) {
    var reader = try DocumentReader(body)
    self.usage = try reader.identifier("usage")
    self.amount = try reader.signedMoney("amount")
    guard self.amount != .zero else { throw reader.failure("amount", "must not be zero: nothing would change") }
    self.reason = try reader.title("reason", most: 500)
    self.reference = try reader.optionalString("reference") == nil ? nil : try reader.title("reference")
    try reader.finish()
  }
}

/// All corrections, by request: those on disk, and those on their way to it.
struct Adjustments: Sendable {
  private(set) var all: [StoredAdjustment] = []
  private var sums: [UsageID: NanoAmount] = [:]
  private var references: [String: StoredAdjustment] = [:]
  /// What is charged more and not yet on disk: it may come to nothing, and cannot be given back before.
  private var pendingMore: [UsageID: NanoAmount] = [:]

  /// What the corrections of a request come to.
  func sum(of usage: UsageID) -> NanoAmount { self.sums[usage] ?? .zero }

  /// The same without what is charged more and may still come to nothing.
  func certainSum(of usage: UsageID) -> NanoAmount { self.sum(of: usage) - (self.pendingMore[usage] ?? .zero) }

  func with(reference: String) -> StoredAdjustment? { self.references[reference] }

  /// Counts a correction before it is on disk, so that no two go by the same charge.
  mutating func begin(_ adjustment: StoredAdjustment) {
    self.sums[adjustment.usage, default: .zero] += adjustment.amount
    if adjustment.amount > .zero { self.pendingMore[adjustment.usage, default: .zero] += adjustment.amount }
    if let reference = adjustment.reference { self.references[reference] = adjustment }
  }

  mutating func withdraw(_ adjustment: StoredAdjustment) {
    self.sums[adjustment.usage, default: .zero] -= adjustment.amount
    self.end(adjustment)
    if let reference = adjustment.reference { self.references[reference] = nil }
  }

  /// It is on disk.
  mutating func finish(_ adjustment: StoredAdjustment) {
    self.all.append(adjustment)
    self.end(adjustment)
  }

  private mutating func end(_ adjustment: StoredAdjustment) {
    guard adjustment.amount > .zero, let pending = self.pendingMore[adjustment.usage] else { return }
    self.pendingMore[adjustment.usage] = pending == adjustment.amount ? nil : pending - adjustment.amount
  }
}

extension Gate {
  /// Corrects what a settled request was charged: a new entry, never a change of an old one. More is charged only within every limit
  /// and the customer's credit; less, down to nothing. What a prepaid customer gets back is credit that does not expire.
  ///
  /// - Throws: ``Refusal`` where there is no such request, it was void, it would cost less than nothing, a limit stands in the way,
  ///   or the reference stands for another correction.
  public func adjust(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let request = try self.reading { () throws(DocumentError) in try AdjustmentRequest(body) }
    guard let record = try await self.fromArchive({ try await $0.usageRecord(request.usage) }) else {
      throw Refusal(
        .notFound, "There is no usage record \(request.usage): a request is corrected when it has ended.", parameter: "usage")
    }
    guard record.outcome == .settled else {
      throw Refusal(.invalidRequest, "\(record.usage) was void: nothing was charged that could be corrected.", parameter: "usage")
    }
    let begun = self.state.withLock { self.begin(request, of: record, by: actor, &$0) }
    let (adjustment, adjusted, ticket) = try begun.get()
    guard let ticket else { return adjustment.json }
    do {
      try await ticket.durable()
    } catch {
      self.state.withLock { state in
        state.adjustments.withdraw(adjustment)
        if let adjusted { state.ledger.undo(adjusted) }
      }
      throw Refusal(error)
    }
    self.state.withLock { state in
      // Less is charged from here on, where nothing can take it back; more was within the limits before it was written.
      if adjusted == nil {
        state.ledger.restore(
          adjustment: adjustment.amount, of: adjustment.closed(charged: record.amount), refund: adjustment.refund)
      }
      state.adjustments.finish(adjustment)
    }
    return adjustment.json
  }

  private typealias Begun = (adjustment: StoredAdjustment, adjusted: Adjusted?, ticket: CommitTicket?)

  /// Checks and submits under the lock, so that no two corrections go by the same charge. The ticket is nil where the correction was made
  /// before.
  private func begin(
    _ request: AdjustmentRequest, of record: UsageRecord, by actor: Actor, _ state: inout GateState
  ) -> Result<Begun, Refusal> {
    if let reference = request.reference, let known = state.adjustments.with(reference: reference) {
      guard known.usage == request.usage, known.amount == request.amount else {
        return .failure(
          Refusal(.conflict, "The reference '\(reference)' stands for another correction: \(known.id).", parameter: "reference"))
      }
      guard state.adjustments.all.contains(where: { $0.id == known.id }) else {
        return .failure(
          Refusal(.conflict, "The correction '\(reference)' is being made. Retry in a moment.", parameter: "reference"))
      }
      return .success((known, nil, nil))
    }
    let now = state.tick(self.environment.now())
    let adjustment = StoredAdjustment(request, of: record, id: self.makeID(at: now), by: actor, at: now)
    let charged = record.amount + state.adjustments.certainSum(of: record.usage)
    guard charged + request.amount >= .zero else {
      return .failure(
        Refusal(
          .invalidRequest, "\(record.usage) is charged \(charged) \(record.currency) up to now; no more can be given back.",
          parameter: "amount"))
    }
    var adjusted: Adjusted?
    if request.amount > .zero {
      switch state.ledger.adjust(adjustment.closed(charged: charged), by: request.amount, at: now) {
      case .success(let made): adjusted = made
      case .failure:
        return .failure(
          Refusal(
            .spendLimitReached,
            "A limit or the credit of \(record.customer) leaves less than \(request.amount) \(record.currency), or the request is so old that what its limited hour, day or week came to is no longer kept.",
            parameter: "amount"))
      }
    }
    state.adjustments.begin(adjustment)
    let object = self.stored(.adjustment, id: adjustment.id.description, customer: adjustment.customer, body: adjustment.json)
    let slices = adjusted?.slices ?? []
    let used = slices.map { slice in
      StoreEffect.creditUsed(
        CreditUse(
          grant: slice.grant, customer: adjustment.customer, currency: adjustment.currency, used: slice.amount, expired: .zero))
    }
    let entry = adjustment.entry(commitment: object.commitment(self.environment.digest), slices: slices)
    return .success((adjustment, adjusted, self.journal.submit([JournalRecord(entry, effects: [.object(object)] + used)])))
  }

  /// Corrections on disk, in the order in which they were made.
  public func adjustments(customer: CustomerID?, usage: UsageID?) -> [JSON] {
    self.state.withLock { state in
      state.adjustments.all.filter { (customer ?? $0.customer) == $0.customer && (usage ?? $0.usage) == $0.usage }.map(\.json)
    }
  }
}

extension GateState {
  mutating func take(adjustment document: Document) throws(DocumentError) {
    let adjustment = try StoredAdjustment(stored: document)
    self.ledger.restore(adjustment: adjustment.amount, of: adjustment.closed(charged: .zero), refund: adjustment.refund)
    self.adjustments.begin(adjustment)
    self.adjustments.finish(adjustment)
  }
}
