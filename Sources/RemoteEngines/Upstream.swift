internal import NIOCore
internal import NIOHTTP1
internal import OpenAIWire
internal import Synchronization

/// One server, shared by all models that it serves: its health and what was counted of it.
public final class Upstream: Sendable {
  public let settings: UpstreamSettings
  let report: @Sendable (UpstreamReport) -> Void
  let watch: PhaseWatch
  /// Nil where the server's address is none.
  let connections: UpstreamConnections?
  /// The heads of requests, by the end of their path.
  private let heads: [String: HTTPRequestHead]
  private let probeHead: HTTPRequestHead?
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

  public init(_ settings: UpstreamSettings, report: @escaping @Sendable (UpstreamReport) -> Void = { _ in }) {
    self.settings = settings
    self.report = report
    self.watch = PhaseWatch(settings.timeouts)
    let address = UpstreamAddress(settings.url)
    self.connections = address.map {
      UpstreamConnections(to: $0, connectTimeout: settings.timeouts.connect, trust: settings.trust)
    }
    self.heads = Dictionary(
      uniqueKeysWithValues: UpstreamRequest.paths.compactMap { path in
        address.map { (path, Self.head(.POST, path, at: $0, key: settings.apiKey)) }
      })
    self.probeHead = address.map { Self.head(.GET, "models", at: $0, key: settings.apiKey) }
    self.health = Mutex(UpstreamHealth(failuresToOpen: settings.failuresToOpen, rest: .seconds(settings.restSeconds)))
  }

  private static func head(_ method: HTTPMethod, _ path: String, at address: UpstreamAddress, key: String?) -> HTTPRequestHead {
    var headers: HTTPHeaders = ["host": address.authority]
    if method == .POST {
      headers.add(name: "content-type", value: "application/json")
      headers.add(name: "accept", value: "text/event-stream")
    }
    if let key { headers.add(name: "authorization", value: "Bearer \(key)") }
    return HTTPRequestHead(version: .http1_1, method: method, uri: "\(address.path)/\(path)", headers: headers)
  }

  func head(of path: String) -> HTTPRequestHead? { self.heads[path] }

  /// Closes the connections that are idle.
  public func close() { self.connections?.close() }

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
    guard let connections = self.connections, let head = self.probeHead else { return }
    let status = await UpstreamProbe.status(of: head, over: connections, within: self.settings.timeouts.connect + .seconds(5))
    let isBack = status.map { $0.code < 500 && $0 != .tooManyRequests } ?? false
    guard isBack else { return }
    _ = self.health.withLock { $0.note(.succeeded, at: Self.now) }
    self.report(.recovered(upstream: self.settings.id))
  }
}

private let processStart = ContinuousClock.now
