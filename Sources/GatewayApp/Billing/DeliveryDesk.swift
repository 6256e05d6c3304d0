internal import AsyncHTTPClient
internal import Billing
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import Logging

/// What a message is sent by: one attempt at a batch, however it ends.
protocol DeliveryCarrier: Sendable {
  var largestBatch: Int { get }
  func send(_ batch: [(id: String, payload: String)], at now: Timestamp, by client: HTTPClient) async -> DeliveryOutcome
}

/// The way to one receiver: what is put in is on disk before it is sent, and what became of it is on disk before it is forgotten.
///
/// Only what waits is in memory, at most ``mostInMemory`` of it; the rest is fetched when there is room.
actor DeliveryDesk {
  nonisolated let receiver: String
  private let carrier: any DeliveryCarrier
  private let store: SQLiteStore
  private let log: Logger
  private var outbox: Outbox<String>
  private var isWorking = false

  private static let mostInMemory = 10_000
  /// Attempts under way at once.
  private static let mostAtOnce = 16

  init(
    to receiver: String, by carrier: any DeliveryCarrier, store: SQLiteStore, log: Logger, schedule: RetrySchedule = .usual
  ) {
    self.receiver = receiver
    self.carrier = carrier
    self.store = store
    self.log = log
    self.outbox = Outbox(schedule: schedule)
  }

  /// Keeps messages, and how far their maker has come, in one transaction; those that were there before, whatever became of them, are
  /// not put in again.
  func put(
    _ messages: [(id: String, payload: String, lane: String?)], bookmark: (name: String, value: String)? = nil
  ) async throws {
    let known = Set(try await self.store.deliveries(to: self.receiver, named: messages.map(\.id)).map(\.id))
    let now = wallClock()
    var effects = messages.filter { !known.contains($0.id) }.map { message -> StoreEffect in
      .delivery(
        DeliveryRecord(receiver: self.receiver, id: message.id, lane: message.lane, payload: message.payload, at: now))
    }
    if let bookmark { effects.append(.bookmark(name: bookmark.name, value: bookmark.value)) }
    guard !effects.isEmpty else { return }
    try await self.store.submit([JournalRecord(nil, effects: effects)]).durable()
  }

  /// Tries what is due, and keeps what became of it.
  func work(by client: HTTPClient) async throws {
    guard !self.isWorking else { return }
    self.isWorking = true
    defer { self.isWorking = false }
    try await self.fill()
    let taken = self.outbox.take(self.carrier.largestBatch * Self.mostAtOnce, at: wallClock())
    let batches = Outbox.batches(taken, of: self.carrier.largestBatch)
    guard !batches.isEmpty else { return }
    let carrier = self.carrier
    await withTaskGroup(of: ([String], DeliveryOutcome).self) { group in
      for batch in batches {
        let messages = batch.map { (id: $0.id, payload: $0.payload) }
        group.addTask { (messages.map(\.id), await carrier.send(messages, at: wallClock(), by: client)) }
      }
      for await (ids, outcome) in group { self.outbox.finish(ids, outcome, at: wallClock()) }
    }
    try await self.keep(taken.map(\.id))
  }

  /// Sends a dead letter once more from the start.
  func replay(_ id: String) async throws {
    guard var record = try await self.store.deliveries(to: self.receiver, named: [id]).first, record.state == .dead else {
      throw Refusal(.notFound, "There is no dead letter '\(id)' of '\(self.receiver)'.", parameter: "id")
    }
    record.state = .pending
    record.attempts = 0
    record.at = wallClock()
    try await self.store.submit([JournalRecord(nil, effects: [.delivery(record)])]).durable()
    _ = self.outbox.replay(id, at: record.at)
  }

  private func fill() async throws {
    guard self.outbox.isIdle else { return }
    for record in try await self.store.deliveries(to: self.receiver, .pending, limit: Self.mostInMemory) {
      _ = self.outbox.restore(
        record.id, record.payload, lane: record.lane, state: .pending(from: record.at), attempts: record.attempts,
        lastFailure: record.failure)
    }
  }

  private func keep(_ ids: [String]) async throws {
    var effects: [StoreEffect] = []
    for id in ids {
      guard let delivery = self.outbox.delivery(id) else { continue }
      var record = DeliveryRecord(
        receiver: self.receiver, id: id, lane: delivery.lane, payload: delivery.payload, at: wallClock(),
        attempts: delivery.attempts, failure: delivery.lastFailure)
      switch delivery.state {
      case .pending(let from): record.at = from
      case .inFlight(let since): record.at = since
      case .acknowledged(let at): (record.state, record.at) = (.acknowledged, at)
      case .dead(let reason):
        record.state = .dead
        self.log.error(
          "a delivery is given up; it can be replayed",
          metadata: ["receiver": "\(self.receiver)", "delivery": "\(id)", "reason": "\(reason)"])
      }
      effects.append(.delivery(record))
    }
    try await self.store.submit([JournalRecord(nil, effects: effects)]).durable()
    self.outbox.forget(acknowledgedBefore: Timestamp(nanoseconds: .max))
  }
}
