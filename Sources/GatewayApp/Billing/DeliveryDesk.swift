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
  /// Why a message that may have arrived in earlier attempts is not sent again unasked; nil where the receiver would know it.
  func doubt(_ payload: String, attempts: Int, at now: Timestamp) -> String?
}

/// The way to one receiver: what is put in, and that it is about to be sent, is on disk before it is sent, and what became of it is on
/// disk before it is forgotten.
///
/// Only what waits is in memory, some ``mostInMemory`` of it; the rest is fetched when there is room.
actor DeliveryDesk {
  nonisolated let receiver: String
  private let carrier: any DeliveryCarrier
  private let store: SQLiteStore
  private let log: Logger
  private var outbox: Outbox<String>
  private var isWorking = false
  /// The disk may have what memory has not.
  private var hasMore = true
  /// Those whose state on disk is behind.
  private var unkept: Set<String> = []
  /// Attempts at messages since the start, by how they ended.
  private(set) var attempts: [String: Int] = [:]

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
    try await self.submit(effects)
    self.hasMore = true
  }

  /// Tries what is due, and keeps what became of it.
  func work(by client: HTTPClient) async throws {
    guard !self.isWorking else { return }
    self.isWorking = true
    defer { self.isWorking = false }
    try await self.keep()
    try await self.fill()
    let now = wallClock()
    let taken = self.outbox.take(self.carrier.largestBatch * Self.mostAtOnce, at: now)
    guard !taken.isEmpty else { return }
    self.unkept.formUnion(taken.map(\.id))
    var sendable: [Outbox<String>.Delivery] = []
    for delivery in taken {
      // The attempt that begins now does not count.
      if let doubt = self.carrier.doubt(delivery.payload, attempts: delivery.attempts - 1, at: now) {
        self.outbox.finish([delivery.id], .refused(doubt), at: now)
      } else {
        sendable.append(delivery)
      }
    }
    // Should the process end in the attempt, the next one knows that there was one.
    do { try await self.submit(sendable.compactMap { self.effect($0.id) }) } catch {
      self.outbox.finish(sendable.map(\.id), .throttled(nil), at: now)
      throw error
    }
    await self.send(Outbox.batches(sendable, of: self.carrier.largestBatch), by: client)
    try await self.keep()
  }

  /// Sends a dead letter once more from the start.
  func replay(_ id: String) async throws {
    guard var record = try await self.store.deliveries(to: self.receiver, named: [id]).first, record.state == .dead else {
      throw Refusal(.notFound, "There is no dead letter '\(id)' of '\(self.receiver)'.", parameter: "id")
    }
    record.state = .pending
    record.attempts = 0
    record.at = wallClock()
    try await self.submit([.delivery(record)])
    if !self.outbox.replay(id, at: record.at) { self.hasMore = true }
  }

  /// Sends dead letters once more, unless they may have arrived. Gives those that it leaves.
  func retry(_ dead: [DeliveryRecord]) async throws -> [String] {
    var left: [String] = []
    for letter in dead {
      if self.carrier.doubt(letter.payload, attempts: letter.attempts, at: wallClock()) != nil {
        left.append(letter.id)
      } else {
        try await self.replay(letter.id)
      }
    }
    return left
  }

  private func send(_ batches: [[Outbox<String>.Delivery]], by client: HTTPClient) async {
    let carrier = self.carrier
    await withTaskGroup(of: ([String], DeliveryOutcome).self) { group in
      for batch in batches {
        let messages = batch.map { (id: $0.id, payload: $0.payload) }
        group.addTask { (messages.map(\.id), await carrier.send(messages, at: wallClock(), by: client)) }
      }
      for await (ids, outcome) in group {
        self.attempts[outcome.name, default: 0] += ids.count
        self.outbox.finish(ids, outcome, at: wallClock())
      }
    }
  }

  /// Those in memory may wait for long: others are not to wait for them.
  private func fill() async throws {
    guard self.hasMore, self.outbox.waitingCount <= Self.mostInMemory / 2 else { return }
    self.hasMore = false
    let records: [DeliveryRecord]
    do {
      records = try await self.store.deliveries(to: self.receiver, .pending, limit: Self.mostInMemory)
    } catch {
      self.hasMore = true
      throw error
    }
    if records.count == Self.mostInMemory { self.hasMore = true }
    for record in records {
      _ = self.outbox.restore(
        record.id, record.payload, lane: record.lane, state: .pending(from: record.at), attempts: record.attempts,
        lastFailure: record.failure)
    }
  }

  private func keep() async throws {
    guard !self.unkept.isEmpty else { return }
    let ids = self.unkept
    try await self.submit(ids.sorted().compactMap { self.effect($0) })
    self.unkept.subtract(ids)
    for id in ids {
      guard case .dead(let reason)? = self.outbox.delivery(id)?.state else { continue }
      self.log.error(
        "a delivery is given up; it can be replayed",
        metadata: ["receiver": "\(self.receiver)", "delivery": "\(id)", "reason": "\(reason)"])
    }
    self.outbox.forget(acknowledgedBefore: Timestamp(nanoseconds: .max))
  }

  /// What the disk is to have of a delivery.
  private func effect(_ id: String) -> StoreEffect? {
    guard let delivery = self.outbox.delivery(id) else { return nil }
    var record = DeliveryRecord(
      receiver: self.receiver, id: id, lane: delivery.lane, payload: delivery.payload, at: wallClock(),
      attempts: delivery.attempts, failure: delivery.lastFailure)
    switch delivery.state {
    case .pending(let from): record.at = from
    case .inFlight(let since): record.at = since
    case .acknowledged(let at): (record.state, record.at) = (.acknowledged, at)
    case .dead: record.state = .dead
    }
    return .delivery(record)
  }

  private func submit(_ effects: [StoreEffect]) async throws {
    guard !effects.isEmpty else { return }
    try await self.store.submit([JournalRecord(nil, effects: effects)]).durable()
  }
}

extension DeliveryOutcome {
  static let names = ["accepted", "failed", "refused", "throttled"]

  fileprivate var name: String {
    switch self {
    case .accepted: "accepted"
    case .failed: "failed"
    case .refused: "refused"
    case .throttled: "throttled"
    }
  }
}
