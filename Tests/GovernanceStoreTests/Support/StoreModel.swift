import Documents
import Governance
import GovernanceTypes
import UsageLedger

@testable import GovernanceStore

/// What the store should hold, folded from records in plain collections: written independently of SQL.
struct StoreModel {
  struct Refused: Error {}

  var entries: [LogEntry] = []
  var lookups: [String: Int] = [:]
  var lastAt = Timestamp(nanoseconds: 0)
  var objects: [String: StoredObject] = [:]
  var holds: [HoldRecord] = []
  var usage: [UsageRecord] = []
  var active: Set<ActiveUserMark> = []
  var idempotency: [[UInt8]: IdempotencyRecord] = [:]
  var credit: [CreditID: CreditUse] = [:]

  /// Applies a call whole, or throws and changes nothing.
  mutating func apply(_ records: [JournalRecord]) throws {
    var draft = self
    for record in records { try draft.apply(record) }
    self = draft
  }

  private mutating func apply(_ record: JournalRecord) throws {
    if let entry = record.entry {
      if let lookup = entry.lookup {
        guard self.lookups[lookup] == nil else { throw Refused() }
        self.lookups[lookup] = self.entries.count
      }
      self.lastAt = max(self.lastAt, entry.at)
      self.entries.append(entry)
    }
    for effect in record.effects { try self.apply(effect) }
  }

  private func hold(_ id: UsageID) throws -> Int {
    guard let place = self.holds.firstIndex(where: { $0.usage == id }) else { throw Refused() }
    return place
  }

  private mutating func apply(_ effect: StoreEffect) throws {
    switch effect {
    case .object(let object): self.objects["\(object.kind) \(object.id)"] = object
    case .holdOpened(let record):
      guard !self.holds.contains(where: { $0.usage == record.usage }), !self.usage.contains(where: { $0.usage == record.usage })
      else { throw Refused() }
      self.holds.append(record)
    case .holdExtended(let id, let amount, let tokens):
      let place = try self.hold(id)
      guard self.holds[place].amount.nano + amount.nano <= Int128(Int64.max) else { throw Refused() }
      self.holds[place].amount += amount
      self.holds[place].tokens += tokens
    case .progress(let id, let delivered, let highWater):
      let place = try self.hold(id)
      guard delivered >= self.holds[place].delivered, highWater >= self.holds[place].highWater, highWater >= delivered else {
        throw Refused()
      }
      self.holds[place].delivered = delivered
      self.holds[place].highWater = highWater
    case .usage(let record):
      let place = try self.hold(record.usage)
      guard record.amount <= self.holds[place].amount else { throw Refused() }
      self.holds.remove(at: place)
      self.usage.append(record)
    case .activeUser(let month, let scope, let fingerprint):
      self.active.insert(ActiveUserMark(month: month, scope: scope, fingerprint: fingerprint))
    case .idempotency(let record):
      let key = Array("\(record.customer)".utf8) + record.keyDigest.bytes
      if let known = self.idempotency[key], known.expires > self.lastAt,
        known.usage != record.usage || known.requestDigest != record.requestDigest
      {
        throw Refused()
      }
      self.idempotency[key] = record
    case .idempotencyFreed(let customer, let digest, let usage):
      let key = Array("\(customer)".utf8) + digest.bytes
      if self.idempotency[key]?.usage == usage { self.idempotency[key] = nil }
    case .creditUsed(let use):
      var known = self.credit[use.grant] ?? use
      if self.credit[use.grant] != nil {
        known.used += use.used
        known.expired += use.expired
      }
      self.credit[use.grant] = known
    case .attempt, .invoice, .delivery, .deliveriesForgotten, .bookmark: break
    }
  }

  // MARK: What a start and a report should say

  /// Settled sums by everything that a total is kept by.
  var settled: [String: (amount: Int128, tokens: Int128)] {
    let (kept, fine) = Ledger.detail(seenFrom: SettledTotal.reference(self.lastAt, openHolds: self.holds))
    return self.usage.filter { $0.outcome == .settled }.reduce(into: [:]) { sums, record in
      let since =
        if record.heldAt < kept {
          Timestamp(nanoseconds: 0)
        } else if fine.contains(where: { $0.contains(record.heldAt) }) {
          Timestamp(seconds: record.heldAt.seconds / 900 * 900)
        } else {
          record.heldAt.day.start
        }
      let key = Self.key(
        record.customer, record.project, record.key, record.currency, record.isPrepaid, since)
      sums[key, default: (0, 0)].amount += record.amount.nano
      sums[key, default: (0, 0)].tokens += Int128(record.tokens.total.value)
    }
  }

  static func key(
    _ customer: CustomerID, _ project: ProjectID?, _ key: KeyID, _ currency: Currency, _ isPrepaid: Bool, _ since: Timestamp
  ) -> String {
    "\(customer) \(project?.description ?? "-") \(key) \(currency) \(isPrepaid) \(since)"
  }
}

/// Random calls over few ids, so that conflicts, extensions and repeated keys happen often.
struct RecordStream {
  private var random: SplitMix64
  private var time = instant("2026-10-30T00:00:00Z")
  private var number = 0

  init(seed: UInt64) { self.random = SplitMix64(seed: seed) }

  private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self.random) }

  mutating func next() -> [JournalRecord] { (0..<(1 + self.below(3))).map { _ in self.record() } }

  private mutating func record() -> JournalRecord {
    self.number += 1
    self.time = self.time.advanced(by: .seconds(self.below(40_000) - 4000))
    let isLogged = self.below(4) > 0
    let lookup = self.below(3) == 0 ? "lookup \(self.below(200))" : nil
    let logged = isLogged ? entry(.admin, at: self.time, lookup: lookup, [JSONMember("number", .integer(self.number))]) : nil
    return JournalRecord(logged, effects: (0..<self.below(3)).map { _ in self.effect() })
  }

  private mutating func anyHold() -> HoldRecord {
    let usage = self.below(60)
    return hold(
      UInt128(usage), customer: UInt128(usage % 3), project: usage % 2 == 0 ? UInt128(usage % 4) : nil, key: UInt128(usage % 5),
      model: usage % 7 == 0 ? "demo" : "llama-2-7b-chat", currency: usage % 3 == 0 ? "EUR" : "USD",
      amount: Int128(self.below(1_000_000_000_000)), tokens: self.below(4096), heldAt: self.time, isPrepaid: usage % 4 == 0)
  }

  private mutating func effect() -> StoreEffect {
    switch self.below(12) {
    case 10:
      return .idempotencyFreed(
        customer: CustomerID(UInt128(self.below(2))), keyDigest: sha256([UInt8(self.below(6))]),
        usage: UsageID(UInt128(self.below(60))))
    case 11:
      return .creditUsed(
        CreditUse(
          grant: CreditID(UInt128(self.below(4))), customer: CustomerID(1), currency: usd,
          used: NanoAmount(Int128(self.below(1 << 60)) * 1_000_000), expired: NanoAmount(Int128(self.below(3_000_000_000)))))
    case 0...2: return .holdOpened(self.anyHold())
    case 3:
      return .holdExtended(
        UsageID(UInt128(self.below(60))), amount: NanoAmount(Int128(self.below(1000))), tokens: TokenCount(self.below(64)))
    case 4:
      let delivered = self.below(40)
      return .progress(
        UsageID(UInt128(self.below(60))), delivered: TokenCount(delivered), highWater: TokenCount(delivered + self.below(40)))
    case 5...6:
      let hold = self.anyHold()
      return .usage(
        self.below(5) == 0 ? void(hold) : settlement(of: hold, amount: Int128(self.below(1_000_000)), settledAt: self.time))
    case 7:
      return .activeUser(month: self.time.month, scope: "model/\(self.below(3))", fingerprint: (self.random.next() >> 58) << 58)
    case 8:
      return .idempotency(
        IdempotencyRecord(
          customer: CustomerID(UInt128(self.below(2))), keyDigest: sha256([UInt8(self.below(6))]),
          requestDigest: sha256([UInt8(self.below(3))]), usage: UsageID(UInt128(self.below(60))),
          expires: self.time.advanced(by: .seconds(86_400))))
    default:
      return .object(
        StoredObject(
          kind: .customer, id: "cus_\(self.below(9))", customer: CustomerID(UInt128(self.below(9))),
          body: ["name": .string("Näme \(self.number)\n\"\u{1}"), "number": .integer(self.number), "none": nil],
          salt: (0..<16).map { _ in UInt8(self.below(256)) }))
    }
  }
}

private let usd = Currency("USD") ?? { preconditionFailure("USD is a currency") }()
