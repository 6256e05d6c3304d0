internal import AuditSigning
internal import Billing
internal import Documents
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import Logging

/// Turns settled requests into the events of closed minutes for one metering service, and compares them once a day with what it took.
///
/// A minute is closed a minute after its end, and only once all that was settled in it is on disk. How far it has come is on disk
/// together with the events, so that a restart makes the same ones again and no others.
actor MeterCollector {
  private let gate: Gate
  private let store: SQLiteStore
  private let desk: DeliveryDesk
  private let receiver: GatewayConfiguration.PushReceiver
  private let log: Logger
  private var reading: MeterReading?
  private var comparing: MeterReading?
  /// Differences found since the start.
  private(set) var differences = 0

  private static let margin: Int64 = 60
  /// Acknowledged events are kept for the comparison, and some days more.
  private static let keptDays = 3
  private static let mostRetried = 10_000

  init(gate: Gate, store: SQLiteStore, desk: DeliveryDesk, receiver: GatewayConfiguration.PushReceiver, log: Logger) {
    self.gate = gate
    self.store = store
    self.desk = desk
    self.receiver = receiver
    self.log = log
  }

  /// Puts the events of minutes that are closed by now on their way.
  func collect() async throws {
    let name = "push \(self.receiver.id)"
    var reading = try await self.opened(self.reading, name)
    self.reading = reading
    let end = self.closable
    guard reading.closedUntil.seconds + 60 <= end.seconds else { return }
    let events = try await reading.close(before: end, from: self.gate, log: self.log)
    let messages = events.map { (id: $0.id, payload: $0.json.text, lane: self.receiver.format.lane(of: $0)) }
    try await self.desk.put(messages, bookmark: (name, reading.bookmark))
    self.reading = reading
  }

  /// Compares the days that are over with what was acknowledged; what is missing, or was given up, goes on its way once more.
  func compare() async throws {
    let name = "compare \(self.receiver.id)"
    var reading = try await self.opened(self.comparing, name)
    self.comparing = reading
    let end = self.closable.day.start
    guard reading.closedUntil < end else { return }
    let events = try await reading.close(before: end, from: self.gate, log: self.log)
    let known = try await self.store.deliveries(to: self.receiver.id, named: events.map(\.id))
    var there: [String: Int] = [:]
    for record in known where record.state != .pending {
      guard record.state == .acknowledged else { continue }
      there[record.id] = try MeterEvent(reading: try Document.parseJSON(Array(record.payload.utf8))).quantity
    }
    let pending = Set(known.filter { $0.state == .pending }.map(\.id))
    let report = PushReconciliation(settled: events.filter { !pending.contains($0.id) }, there: there)
    for difference in report.differences {
      self.differences += 1
      self.log.error(
        "a metering service does not have what was settled",
        metadata: ["receiver": "\(self.receiver.id)", "difference": "\(difference)"])
    }
    // From before the days that were compared too: a dead letter gets another chance each night.
    let left = try await self.desk.retry(try await self.store.deliveries(to: self.receiver.id, .dead, limit: Self.mostRetried))
    if !left.isEmpty {
      self.log.error(
        "deliveries that may have arrived wait for someone to look",
        metadata: ["receiver": "\(self.receiver.id)", "deliveries": "\(left.count)"])
    }
    let missing = events.filter { event in
      report.differences.contains { if case .missing(event.id, _) = $0 { true } else { false } }
    }
    try await self.desk.put(
      missing.map { (id: $0.id, payload: $0.json.text, lane: self.receiver.format.lane(of: $0)) },
      bookmark: (name, reading.bookmark))
    let forgotten = CalendarDay(number: end.day.number - Self.keptDays).start
    try await self.store.submit([
      JournalRecord(nil, effects: [.deliveriesForgotten(receiver: self.receiver.id, acknowledgedBefore: forgotten)])
    ]).durable()
    self.comparing = reading
  }

  private func opened(_ reading: MeterReading?, _ name: String) async throws -> MeterReading {
    if let reading { return reading }
    let bookmark = try await self.store.bookmark(name)
    guard let reading = MeterReading(origin: self.receiver.origin, bookmark: bookmark, at: wallClock()) else {
      throw StartFailure("the bookmark '\(name)' in the store cannot be read")
    }
    // From where it began is known after a restart too.
    if bookmark == nil {
      try await self.store.submit([JournalRecord(nil, effects: [.bookmark(name: name, value: reading.bookmark)])]).durable()
    }
    return reading
  }

  /// All that was settled before it is on disk: it is asked for before the ledger is read.
  private var closable: Timestamp {
    let end = Timestamp(seconds: wallClock().seconds - Self.margin)
    return min(end, self.gate.firstUnwrittenSettlement ?? end)
  }
}

/// How far the ledger has been read, in the order in which requests were settled, and the minutes that are still open.
private struct MeterReading {
  private var windows: MeterWindows
  private(set) var closedUntil: Timestamp
  /// The last record before which all are in closed minutes; nil before the first.
  private var done: UsageID?
  /// Read after it, with their minutes' instants.
  private var open: [(usage: UsageID, settledAt: Timestamp)] = []
  private var last: UsageID?

  private static let page = 4096

  /// - Parameter bookmark: nil begins with what is settled from now on.
  init?(origin: String, bookmark: String?, at now: Timestamp) {
    guard let windows = MeterWindows(origin: origin, digest: sha256) else { return nil }
    self.windows = windows
    guard let bookmark else {
      self.closedUntil = Timestamp(seconds: now.seconds / 60 * 60)
      return
    }
    let parts = bookmark.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 2, let seconds = Int64(parts[0]) else { return nil }
    self.closedUntil = Timestamp(seconds: seconds)
    guard parts[1] != "-" else { return }
    guard let done = UsageID(String(parts[1])) else { return nil }
    self.done = done
    self.last = done
  }

  var bookmark: String { "\(self.closedUntil.seconds) \(self.done?.description ?? "-")" }

  /// Reads what was settled since, and gives the events of the minutes that end at `instant` or before.
  mutating func close(before instant: Timestamp, from gate: Gate, log: Logger) async throws -> [MeterEvent] {
    while true {
      let records = try await gate.usageRecords(UsageQuery(), after: self.last, limit: Self.page)
      for record in records {
        self.last = record.usage
        self.open.append((record.usage, record.settledAt))
        guard record.outcome == .settled, record.settledAt >= self.closedUntil else { continue }
        do throws(MeterWindows.Defect) { try self.windows.add(UsageLine(record)) } catch {
          log.error(
            "a request cannot be told to a metering service", metadata: ["usage": "\(record.usage)", "reason": "\(error)"])
        }
      }
      if records.count < Self.page { break }
    }
    let end = Timestamp(seconds: instant.seconds / 60 * 60)
    guard end > self.closedUntil else { return [] }
    let events = self.windows.close(before: end)
    self.closedUntil = end
    let closed = self.open.prefix { $0.settledAt < end }
    self.done = closed.last?.usage ?? self.done
    self.open.removeFirst(closed.count)
    return events
  }
}
