import Dispatch
import Documents
import Foundation
import Governance
import GovernanceTypes
import Synchronization
import Testing

@testable import GovernanceStore

/// A directory that is deleted with the value.
final class TemporaryDirectory: Sendable {
  let path: String

  init() {
    self.path = NSTemporaryDirectory() + "store-\(UInt64.random(in: .min ... .max))"
  }

  deinit { try? FileManager.default.removeItem(atPath: self.path) }

  /// A copy of what is on disk now, as a crash would leave it.
  func copyWithoutLock() throws -> TemporaryDirectory {
    let copy = TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
    for name in [SQLiteStore.fileName, SQLiteStore.fileName + "-wal"]
    where FileManager.default.fileExists(atPath: "\(self.path)/\(name)") {
      try FileManager.default.copyItem(atPath: "\(self.path)/\(name)", toPath: "\(copy.path)/\(name)")
    }
    return copy
  }

  func open(_ options: StoreOptions = StoreOptions(), boot: UInt128 = 7) throws(StoreError) -> SQLiteStore {
    try SQLiteStore.open(directory: self.path, boot: BootID(boot), digest: sha256, options: options)
  }

  /// A store whose writer stops before each transaction until the gate is open.
  func open(_ options: StoreOptions = StoreOptions(), gate: Gate) throws(StoreError) -> SQLiteStore {
    try SQLiteStore.open(directory: self.path, boot: BootID(7), digest: sha256, options: options) { _ in
      gate.pass()
      return .max
    }
  }
}

/// Stops a thread until it is opened, but for a number of passes that are free.
final class Gate: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  private let free: Mutex<Int>

  init(free: Int = 0) { self.free = Mutex(free) }

  func pass() {
    let isFree = self.free.withLock { free in
      free -= 1
      return free >= 0
    }
    if isFree { return }
    self.semaphore.wait()
    self.semaphore.signal()
  }

  func open() { self.semaphore.signal() }
}

/// Steele, Lea and Flood's generator: the same seed gives the same test.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { self.state = seed }

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = self.state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

func currency(_ code: String) -> Currency {
  guard let currency = Currency(code) else { preconditionFailure("\(code) is no currency") }
  return currency
}

func instant(_ text: String) -> Timestamp {
  guard let time = Timestamp(text) else { preconditionFailure("\(text) is no instant") }
  return time
}

let noon = instant("2026-11-23T12:00:00Z")

func hold(
  _ usage: UInt128, customer: UInt128 = 1, project: UInt128? = nil, key: UInt128 = 1, model: String = "demo",
  currency code: String = "USD", amount: Int128 = 1000, tokens: Int = 100, heldAt: Timestamp = noon, isPrepaid: Bool = false
) -> HoldRecord {
  HoldRecord(
    usage: UsageID(usage), boot: BootID(7), decision: DecisionID(usage), customer: CustomerID(customer),
    project: project.map { ProjectID($0) }, key: KeyID(key), model: ModelID(model), price: PriceID(5), currency: currency(code),
    amount: NanoAmount(amount), tokens: TokenCount(tokens), promptTokens: TokenCount(10), heldAt: heldAt, isPrepaid: isPrepaid)
}

func settlement(
  of hold: HoldRecord, amount: Int128? = nil, tokens: TokenUsage? = nil, settledAt: Timestamp? = nil
) -> UsageRecord {
  UsageRecord(
    closing: hold, amount: amount.map { NanoAmount($0) } ?? hold.amount,
    tokens: tokens ?? TokenUsage(promptUncached: TokenCount(8), promptCached: TokenCount(2), completion: TokenCount(20)),
    undelivered: .zero, outcome: .settled, finish: "stop", policy: .delivered, source: .engine,
    settledAt: settledAt ?? hold.heldAt.advanced(by: .seconds(2)))
}

func void(_ hold: HoldRecord) -> UsageRecord {
  UsageRecord(
    closing: hold, amount: .zero, tokens: TokenUsage(), undelivered: TokenCount(3), outcome: .voided, finish: "engine_error",
    policy: .nothingDelivered, source: .engine, settledAt: hold.heldAt)
}

func entry(
  _ type: LogEntry.EntryType = .admin, at time: Timestamp = noon, lookup: String? = nil, _ fields: [JSONMember] = []
)
  -> LogEntry
{
  LogEntry(type, at: time, fields, lookup: lookup)
}

func held(_ record: HoldRecord) -> JournalRecord {
  JournalRecord(
    entry(.hold, at: record.heldAt, [JSONMember("usage", .string(record.usage.description))]), effects: [.holdOpened(record)])
}

func settled(_ record: UsageRecord) -> JournalRecord {
  JournalRecord(
    entry(
      .settle, at: record.settledAt, lookup: record.usage.description, [JSONMember("usage", .string(record.usage.description))]),
    effects: [.usage(record)])
}

/// The code of the failure, nil where there was none.
func failure(_ ticket: CommitTicket) async -> JournalError.Code? {
  do {
    try await ticket.durable()
    return nil
  } catch {
    return error.code
  }
}
