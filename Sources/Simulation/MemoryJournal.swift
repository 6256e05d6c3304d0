internal import Documents
public import Governance
public import GovernanceTypes
internal import Synchronization
internal import UsageLedger

/// A journal and archive in memory that commits on request, can be made to fail, and keeps what it was given for inspection.
public final class MemoryJournal: Journal, Archive {
  private struct State {
    var records: [JournalRecord] = []
    var failure: JournalError?
    var failsAfter: Int?
    var sequence = 0
  }

  private let state = Mutex(State())

  public init() {}

  /// All later submissions fail with `error`; nil ends that.
  public func fail(with error: JournalError?) {
    self.state.withLock {
      $0.failure = error
      $0.failsAfter = nil
    }
  }

  /// The submission after `count` further ones fails, and all after it.
  public func fail(with error: JournalError, after count: Int) {
    self.state.withLock {
      $0.failure = error
      $0.failsAfter = count
    }
  }

  public func submit(_ records: [JournalRecord]) -> CommitTicket {
    let ticket = CommitTicket()
    let result = self.state.withLock { state -> Result<Int, JournalError> in
      if let failure = state.failure {
        guard let left = state.failsAfter, left > 0 else { return .failure(failure) }
        state.failsAfter = left - 1
      }
      let first = state.sequence
      state.records += records
      state.sequence += records.filter { $0.entry != nil }.count
      return .success(first)
    }
    ticket.complete(result)
    return ticket
  }

  public var entries: [LogEntry] { self.state.withLock { $0.records.compactMap(\.entry) } }
  var records: [JournalRecord] { self.state.withLock { $0.records } }
  public var effects: [StoreEffect] { self.state.withLock { $0.records.flatMap(\.effects) } }

  public var usageRecords: [UsageRecord] {
    self.effects.compactMap { if case .usage(let record) = $0 { record } else { nil } }
  }

  /// What a start after a crash at this moment would load.
  public func stored(lastAt: Timestamp) -> StoredState {
    var state = StoredState()
    state.lastAt = lastAt
    var objects: [String: StoredObject] = [:]
    var holds: [UsageID: HoldRecord] = [:]
    for effect in self.effects {
      switch effect {
      case .object(let object): objects["\(object.kind.rawValue) \(object.id)"] = object
      case .holdOpened(let hold): holds[hold.usage] = hold
      case .holdExtended(let usage, let amount, let tokens):
        holds[usage]?.amount += amount
        holds[usage]?.tokens += tokens
      case .progress(let usage, let delivered, let highWater):
        holds[usage]?.delivered = delivered
        holds[usage]?.highWater = highWater
      case .usage(let record):
        holds[record.usage] = nil
        if record.heldAt > lastAt.advanced(by: .zero - RecentRequests.span) {
          state.recent.append(
            RecentRequests(
              customer: record.customer, project: record.project, key: record.key, heldAt: record.heldAt, requests: 1,
              tokens: record.tokens.total))
        }
        guard record.outcome == .settled || record.loss > .zero else { continue }
        state.settled.append(
          SettledTotal(
            customer: record.customer, project: record.project, key: record.key, currency: record.currency,
            isPrepaid: record.isPrepaid, since: record.heldAt, amount: record.amount, tokens: record.tokens.total,
            loss: record.loss))
      case .activeUser(let month, let scope, let fingerprint):
        state.activeUsers.append(ActiveUserMark(month: month, scope: scope, fingerprint: fingerprint))
      case .idempotency(let record): state.idempotency.append(record)
      case .idempotencyFreed(_, let digest, let usage):
        state.idempotency.removeAll { $0.keyDigest == digest && $0.usage == usage }
      case .creditUsed(let use): state.creditUse.append(use)
      case .invoice(let invoice): state.invoices.append(invoice.summary)
      case .attempt, .delivery, .deliveriesForgotten, .bookmark: continue
      }
    }
    state.objects = objects.values.sorted { ($0.kind.loadOrder, $0.id) < ($1.kind.loadOrder, $1.id) }
    state.openHolds = holds.values.sorted { $0.usage < $1.usage }
    state.periods = state.settledPeriods(self.usageRecords)
    return state
  }

  // MARK: Archive

  public func entry(lookup: String) async throws -> String? {
    self.entries.last { $0.lookup == lookup }.map { entry in
      String(decoding: DocumentText.object(entry).canonicalBytes, as: UTF8.self)
    }
  }

  public func usage(_ query: UsageQuery) async throws -> [UsageRow] {
    let settled = self.usageRecords.filter { $0.outcome == .settled && (query.customer == nil || $0.customer == query.customer) }
    return Dictionary(grouping: settled, by: \.currency).map { currency, records in
      UsageRow(
        requests: records.count, tokens: records.reduce(TokenUsage()) { $0 + $1.tokens },
        amount: records.reduce(.zero) { $0 + $1.amount }, currency: currency)
    }
  }

  public func usageRecords(_ query: UsageQuery, after: UsageID?, limit: Int) async throws -> [UsageRecord] {
    let all = query.order == .hold ? self.usageRecords.sorted { $0.heldAt < $1.heldAt } : self.usageRecords
    return Array(
      all.drop { record in after.map { record.usage != $0 } ?? false }.dropFirst(after == nil ? 0 : 1).prefix(limit))
  }

  public func usageRecord(_ id: UsageID) async throws -> UsageRecord? { self.usageRecords.first { $0.usage == id } }

  public func settled(before record: UsageRecord) async throws -> PeriodTotal? {
    self.usageRecords.prefix { $0.usage != record.usage }.compactMap { PeriodTotal($0) }
      .filter { ($0.customer, $0.price, $0.month) == (record.customer, record.price, record.heldAt.month) }
      .reduce(nil) { sum, one in
        PeriodTotal(
          customer: one.customer, price: one.price, month: one.month, tokens: (sum?.tokens ?? TokenUsage()) + one.tokens,
          requests: (sum?.requests ?? 0) + one.requests)
      }
  }

  public func attempts(of usage: UsageID) async throws -> [AttemptRecord] {
    self.effects.compactMap { if case .attempt(let attempt) = $0, attempt.usage == usage { attempt } else { nil } }
  }

  public func openHolds() async throws -> [HoldRecord] { self.stored(lastAt: Timestamp(nanoseconds: 0)).openHolds }
}
