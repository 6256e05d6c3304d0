public import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import OpenAIWire
internal import Synchronization

/// One server, shared by all models that it serves: its health and what was counted of it.
public final class Upstream: Sendable {
  public let settings: UpstreamSettings
  let client: HTTPClient
  let report: @Sendable (UpstreamReport) -> Void
  let watch: PhaseWatch
  /// Requests without a body, by the end of their path: their address is read once.
  private let requests: [String: HTTPClient.Request]
  private let health: Mutex<UpstreamHealth>
  private let counts = Mutex(Statistics())

  public struct Statistics: Sendable, Equatable {
    public var running = 0
    public var isResting = false
    public var succeeded = 0
    public var failed = 0
    public var retried = 0
    public var refused = 0
    public var cancelled = 0
    /// Completion tokens handed on.
    public var tokens = 0
    /// Answers whose usage as reported differed from what was counted here.
    public var usageDifferences = 0
  }

  /// - Parameter client: Shared; its limit of connections must not be below the server's limit of requests.
  public init(
    _ settings: UpstreamSettings, client: HTTPClient, report: @escaping @Sendable (UpstreamReport) -> Void = { _ in }
  ) {
    self.settings = settings
    self.client = client
    self.report = report
    self.watch = PhaseWatch(settings.timeouts)
    self.requests = Dictionary(
      uniqueKeysWithValues: UpstreamRequest.paths.compactMap { path in Self.request(settings, path).map { (path, $0) } })
    self.health = Mutex(UpstreamHealth(failuresToOpen: settings.failuresToOpen, rest: .seconds(settings.restSeconds)))
  }

  private static func request(_ settings: UpstreamSettings, _ path: String) -> HTTPClient.Request? {
    var headers: HTTPHeaders = ["content-type": "application/json", "accept": "text/event-stream"]
    if let key = settings.apiKey { headers.add(name: "authorization", value: "Bearer \(key)") }
    do {
      return try HTTPClient.Request(url: "\(settings.url)/\(path)", method: .POST, headers: headers)
    } catch {
      return nil  // An address that is none cannot be asked, which each request for it is told.
    }
  }

  func request(_ path: String) -> HTTPClient.Request? { self.requests[path] }

  public var statistics: Statistics {
    var statistics = self.counts.withLock { $0 }
    self.health.withLock { health in
      statistics.running = health.running
      statistics.isResting = health.circuit != .closed
    }
    return statistics
  }

  /// Never negative: the start is taken before the first reading, not by it.
  static var now: Duration {
    let start = processStart
    return ContinuousClock.now - start
  }

  /// Takes a place at the server, if it has one and is well.
  func take() -> Bool {
    let now = Self.now
    return self.health.withLock { health in
      guard health.mayTake(at: now, limit: self.settings.concurrentRequests) else { return false }
      health.take()
      return true
    }
  }

  /// How busy the server is, or nil where it would take nothing.
  var load: Int? {
    let now = Self.now
    return self.health.withLock { $0.mayTake(at: now, limit: self.settings.concurrentRequests) ? $0.running : nil }
  }

  func finish(_ outcome: UpstreamHealth.Outcome, tokens: Int) {
    self.counts.withLock { counts in
      counts.tokens += tokens
      switch outcome {
      case .succeeded: counts.succeeded += 1
      case .failed: counts.failed += 1
      case .busy: counts.refused += 1
      case .neutral: counts.cancelled += 1
      }
    }
    let rest = self.health.withLock { $0.finish(outcome, at: Self.now) }
    self.tell(rest)
  }

  func countRetry() { self.counts.withLock { $0.retried += 1 } }

  func differs(_ category: String, reported: Int, counted: Int, charged: Int) {
    self.counts.withLock { $0.usageDifferences += 1 }
    self.report(
      .usageDiffers(upstream: self.settings.id, category: category, reported: reported, counted: counted, charged: charged))
  }

  private func tell(_ rest: Duration?) {
    guard let rest else { return }
    self.report(.rests(upstream: self.settings.id, seconds: Int(rest.components.seconds)))
  }

  // MARK: Health checks

  /// Asks a resting server whether it is back, by listing its models. A server that is well is not asked.
  public func probe() async {
    guard self.health.withLock({ $0.circuit != .closed }) else { return }
    var request = HTTPClientRequest(url: self.settings.url + "/models")
    if let key = self.settings.apiKey { request.headers.add(name: "authorization", value: "Bearer \(key)") }
    let isBack: Bool
    do {
      let response = try await self.client.execute(request, timeout: self.settings.timeouts.connect + .seconds(5))
      // A body that is left unread closes the connection, which is as good for a probe.
      isBack = response.status.code < 500 && response.status != .tooManyRequests
    } catch {
      isBack = false  // Not being reached is the finding, and the next probe comes in time.
    }
    guard isBack else { return }
    _ = self.health.withLock { $0.note(.succeeded, at: Self.now) }
    self.report(.recovered(upstream: self.settings.id))
  }
}

private let processStart = ContinuousClock.now
