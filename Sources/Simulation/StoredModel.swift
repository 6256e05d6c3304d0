internal import Documents
internal import Governance
internal import GovernanceTypes

/// What a disk holds, by the contract of the journal: a submission is applied whole or conflicts and changes nothing.
struct StoredModel: Sendable {
  struct Conflict: Error {
    var detail: String
  }

  struct Key: Hashable {
    var customer: CustomerID
    var digest: Digest
  }

  private(set) var objects: [StoredObject] = []
  private(set) var holds: [HoldRecord] = []
  private(set) var usage: [UsageID: UsageRecord] = [:]
  private(set) var idempotency: [Key: IdempotencyRecord] = [:]
  private(set) var credit: [CreditID: CreditUse] = [:]
  private(set) var lastAt = Timestamp(nanoseconds: 0)
  private(set) var entries = 0

  /// Applies the records of one submission.
  mutating func apply(_ records: [JournalRecord]) throws(Conflict) {
    let before = self
    do {
      for record in records {
        if let entry = record.entry {
          self.entries += 1
          self.lastAt = max(self.lastAt, entry.at)
        }
        for effect in record.effects { try self.apply(effect) }
      }
    } catch {
      self = before
      throw error
    }
  }

  private func place(_ usage: UsageID) throws(Conflict) -> Int {
    guard let place = self.holds.firstIndex(where: { $0.usage == usage }) else {
      throw Conflict(detail: "there is no open hold \(usage)")
    }
    return place
  }

  private mutating func apply(_ effect: StoreEffect) throws(Conflict) {
    switch effect {
    case .object(let object):
      self.objects.removeAll { $0.kind == object.kind && $0.id == object.id }
      self.objects.append(object)
    case .holdOpened(let hold):
      guard self.usage[hold.usage] == nil, !self.holds.contains(where: { $0.usage == hold.usage }) else {
        throw Conflict(detail: "\(hold.usage) is held a second time")
      }
      self.holds.append(hold)
    case .holdExtended(let usage, let amount, let tokens):
      let place = try self.place(usage)
      self.holds[place].amount += amount
      self.holds[place].tokens += tokens
    case .progress(let usage, let delivered, let highWater):
      let place = try self.place(usage)
      guard delivered >= self.holds[place].delivered, highWater >= self.holds[place].highWater else {
        throw Conflict(detail: "a mark of \(usage) goes back")
      }
      self.holds[place].delivered = delivered
      self.holds[place].highWater = highWater
    case .usage(let record):
      let place = try self.place(record.usage)
      guard record.amount <= self.holds[place].amount else { throw Conflict(detail: "\(record.usage) costs more than is held") }
      self.holds.remove(at: place)
      self.usage[record.usage] = record
    case .idempotency(let record):
      let key = Key(customer: record.customer, digest: record.keyDigest)
      if let known = self.idempotency[key], known.expires > self.lastAt, known != record {
        throw Conflict(detail: "the idempotency key is bound to \(known.usage)")
      }
      self.idempotency[key] = record
    case .idempotencyFreed(let customer, let digest, let usage):
      let key = Key(customer: customer, digest: digest)
      if self.idempotency[key]?.usage == usage { self.idempotency[key] = nil }
    case .creditUsed(let use):
      guard var known = self.credit[use.grant] else {
        self.credit[use.grant] = use
        return
      }
      known.used += use.used
      known.expired += use.expired
      self.credit[use.grant] = known
    case .activeUser, .attempt, .invoice, .delivery, .deliveriesForgotten, .bookmark: return
    }
  }

  /// What a start would load.
  var state: StoredState {
    var state = StoredState()
    state.lastAt = self.lastAt
    state.entries = self.entries
    let order = StoredObject.Kind.allCases
    state.objects = self.objects.sorted {
      (order.firstIndex(of: $0.kind) ?? 0, $0.id) < (order.firstIndex(of: $1.kind) ?? 0, $1.id)
    }
    state.openHolds = self.holds
    state.creditUse = self.credit.values.sorted { $0.grant < $1.grant }
    state.idempotency = self.idempotency.values.filter { $0.expires > self.lastAt }.sorted { $0.usage < $1.usage }
    state.settled = self.usage.values.sorted { $0.usage < $1.usage }.map { record in
      SettledTotal(
        customer: record.customer, project: record.project, key: record.key, currency: record.currency,
        isPrepaid: record.isPrepaid, since: record.heldAt, amount: record.amount, tokens: record.tokens.total, loss: record.loss)
    }
    state.periods = state.settledPeriods(self.usage.values)
    return state
  }
}

extension StoredState {
  /// What requests add to the months that a start needs.
  func settledPeriods(_ records: some Sequence<UsageRecord>) -> [PeriodTotal] {
    let first = PeriodTotal.from(self.lastAt, openHolds: self.openHolds)
    return records.sorted { $0.usage < $1.usage }.compactMap { PeriodTotal($0) }.filter { $0.month >= first }
  }
}
