internal import AdminHTTP
internal import AsyncHTTPClient
internal import Billing
internal import Documents
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

/// All that billing does beside requests: tells receivers of balances and invoices, and metering services of usage.
struct BillingService: Service, DeliveryBoard {
  private let alerts: AlertService
  private let collectors: [MeterCollector]
  private let desks: [DeliveryDesk]
  private let store: SQLiteStore
  private let log: Logger
  private let capture: CaptureDesk

  private static let interval = Duration.seconds(1)

  /// - Throws: ``StartFailure`` where a secret is not in the environment.
  init(
    gate: Gate, store: SQLiteStore, engines: EngineRoom, billing: GatewayConfiguration.Billing, environment: [String: String],
    log: Logger
  ) throws {
    func secret(_ name: String, of receiver: String) throws -> String {
      guard let secret = environment[name], !secret.isEmpty else {
        throw StartFailure("the receiver '\(receiver)' needs a secret, and \(name) is not set in the environment")
      }
      return secret
    }
    let hooks = try billing.webhooks.map { settings in
      let carrier = WebhookCarrier(
        receiver: settings, secret: Array(try secret(settings.secretVariable, of: settings.id).utf8))
      return (settings: settings, desk: DeliveryDesk(to: settings.id, by: carrier, store: store, log: log))
    }
    var collectors: [MeterCollector] = []
    var desks = hooks.map(\.desk)
    for receiver in billing.pushes {
      let carrier = PushCarrier(receiver: receiver, token: try secret(receiver.tokenVariable, of: receiver.id))
      let desk = DeliveryDesk(to: receiver.id, by: carrier, store: store, log: log)
      desks.append(desk)
      collectors.append(MeterCollector(gate: gate, store: store, desk: desk, receiver: receiver, log: log))
    }
    self.desks = desks
    self.collectors = collectors
    self.alerts = AlertService(
      gate: gate, store: store, receivers: hooks, marks: billing.lowBalances, steps: billing.budgetPercents)
    self.store = store
    self.log = log
    self.capture = CaptureDesk(gate: gate, tally: EngineTally(engines: engines, store: store))
  }

  @concurrent
  func run() async throws {
    var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(10)))
    // What is signed for one receiver is not for another.
    configuration.redirectConfiguration = .disallow
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await self.repeating("alerts", every: Self.interval) { try await self.alerts.look() } }
        group.addTask { await self.repeating("the count of engines", every: Self.interval) { try await self.capture.keep() } }
        group.addTask { await self.repeating("the capture rate", every: Self.interval) { try await self.capture.look() } }
        for collector in self.collectors {
          group.addTask {
            await self.repeating("metering events", every: Self.interval) {
              try await collector.collect()
              try await collector.compare()
            }
          }
        }
        // A receiver that hangs holds up no other.
        for desk in self.desks {
          group.addTask {
            await self.repeating("deliveries to \(desk.receiver)", every: Self.interval) { try await desk.work(by: client) }
          }
        }
      }
    }
    try await client.shutdown()
    // What was counted since the last look.
    try await self.capture.keep()
  }

  private func repeating(_ what: String, every interval: Duration, _ work: @concurrent () async throws -> Void) async {
    var failure = ""
    while !Task.isCancelled {
      do {
        try await work()
        failure = ""
      } catch {
        // Told once, and tried again: what is not done yet is still on disk.
        if failure != "\(error)" { self.log.error("\(what) cannot go on now", metadata: ["error": "\(error)"]) }
        failure = "\(error)"
      }
      do { try await Task.sleep(for: interval) } catch { return }
    }
  }

  /// A month's tokens from the engines to the invoices.
  func captureRate(of month: CalendarMonth) async throws -> CaptureReport { try await self.capture.report(of: month) }

  // MARK: Metrics

  /// What is on its way to receivers, what of it was given up, and how a month that is over was captured.
  func metrics() async throws -> String {
    var page = PrometheusText()
    var backlogs: [(receiver: String, backlog: DeliveryBacklog, attempts: [String: Int])] = []
    for desk in self.desks {
      backlogs.append((desk.receiver, try await self.store.backlog(of: desk.receiver), await desk.attempts))
    }
    page.family("weighbridge_deliveries_waiting", .gauge, "Messages to receivers outside that have not arrived.")
    for (receiver, backlog, _) in backlogs { page.sample([("receiver", receiver)], String(backlog.waiting)) }
    page.family("weighbridge_deliveries_dead", .gauge, "Messages that were given up and can be replayed.")
    for (receiver, backlog, _) in backlogs { page.sample([("receiver", receiver)], String(backlog.dead)) }
    page.family("weighbridge_delivery_oldest_seconds", .gauge, "For how long the oldest message has waited.")
    let now = wallClock().seconds
    for (receiver, backlog, _) in backlogs {
      page.sample([("receiver", receiver)], String(backlog.oldest.map { max(0, now - $0.seconds) } ?? 0))
    }
    page.family("weighbridge_delivery_attempts_total", .counter, "Attempts at messages, by how they ended.")
    for (receiver, _, attempts) in backlogs {
      for name in DeliveryOutcome.names {
        page.sample([("receiver", receiver), ("outcome", name)], String(attempts[name] ?? 0))
      }
    }
    await self.capture.add(to: &page)
    return page.text
  }

  // MARK: The board

  func deliveries(to receiver: String?, _ state: DeliveryRecord.State, limit: Int) async throws -> [DeliveryRecord] {
    var found: [DeliveryRecord] = []
    for name in self.desks.map(\.receiver) where (receiver ?? name) == name {
      found += try await self.store.deliveries(to: name, state, limit: limit - found.count)
    }
    return found
  }

  func counts() async throws -> [(receiver: String, state: DeliveryRecord.State, count: Int)] {
    try await self.store.deliveryCounts()
  }

  func replay(_ id: String, to receiver: String) async throws {
    guard let desk = self.desks.first(where: { $0.receiver == receiver }) else {
      throw Refusal(.notFound, "There is no receiver '\(receiver)'.", parameter: "receiver")
    }
    try await desk.replay(id)
  }
}
