internal import AsyncHTTPClient
internal import Documents
internal import GatewayHTTP
internal import GovernanceTypes
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import ServiceLifecycle
internal import Synchronization

/// Tells a collector of OpenTelemetry of the completions that are over, over HTTP and in JSON.
///
/// What is to be told waits in a queue of bounded length; where the collector does not keep up, spans are dropped and counted. No
/// request ever waits for it.
final class TelemetryExport: Service {
  private struct State {
    var spans: [CompletionSpan] = []
    var metrics: CompletionMetrics
    var dropped = 0
    var isFailing = false
  }

  private static let queueLimit = 8192
  private static let batchLimit = 512
  private static let patience = TimeAmount.seconds(10)

  private let collector: String
  private let interval: Duration
  private let resource: JSON
  private let random: RandomSource
  private let log: Logger
  private let client: HTTPClient
  private let state: Mutex<State>

  init(collector: String, interval: Duration, operatorName: String, random: RandomSource, log: Logger) {
    self.collector = collector
    self.interval = interval
    self.resource = [
      "attributes": .array([
        OTLP.attribute("service.name", "weighbridge"), OTLP.attribute("service.version", GatewayApp.version),
        OTLP.attribute("service.namespace", operatorName),
      ])
    ]
    self.random = random
    self.log = log
    var client = HTTPClient.Configuration()
    // Asked again at the next interval; a process that ends must not wait for a collector that is not there.
    client.connectionPool.retryConnectionEstablishment = false
    self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: client)
    self.state = Mutex(State(metrics: CompletionMetrics(since: wallClock())))
  }

  /// Spans that were never told, because the collector did not keep up or could not be reached.
  var dropped: Int { self.state.withLock { $0.dropped } }

  func take(_ served: ServedCompletion) {
    let span = CompletionSpan(served, random: self.random.bytes(24))
    self.state.withLock { state in
      state.metrics.count(served)
      guard state.spans.count < Self.queueLimit else { return state.dropped += 1 }
      state.spans.append(span)
    }
  }

  /// Reports at each interval, and once more when the process is told to stop.
  @concurrent
  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await Task.sleep(for: self.interval) } catch { break }
        await self.report()
      }
    }
    await self.report()
    try await self.client.shutdown()
  }

  private func report() async {
    while true {
      let batch = self.state.withLock { state -> [CompletionSpan] in
        let batch = Array(state.spans.prefix(Self.batchLimit))
        state.spans.removeFirst(batch.count)
        return batch
      }
      guard !batch.isEmpty else { break }
      guard await self.post("/v1/traces", OTLP.traces(batch, resource: self.resource)) else {
        return self.state.withLock { $0.dropped += batch.count }
      }
    }
    let metrics = self.state.withLock { $0.metrics.isEmpty ? nil : $0.metrics }
    if let metrics { _ = await self.post("/v1/metrics", metrics.json(at: wallClock(), resource: self.resource)) }
  }

  private func post(_ path: String, _ body: JSON) async -> Bool {
    var request = HTTPClientRequest(url: self.collector + path)
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/json")
    request.body = .bytes(ByteBuffer(bytes: body.bytes))
    do {
      let response = try await self.client.execute(request, timeout: Self.patience)
      // Left unread: a collector's answer to a batch says nothing that could be acted on.
      let isTaken = (200..<300).contains(Int(response.status.code))
      self.note(isTaken ? nil : "it answered \(response.status.code)")
      return isTaken
    } catch {
      self.note("\(error)")
      return false
    }
  }

  /// Says once that the collector fails, and once that it is back.
  private func note(_ failure: String?) {
    let wasFailing = self.state.withLock { state in
      defer { state.isFailing = failure != nil }
      return state.isFailing
    }
    if let failure, !wasFailing {
      self.log.warning("the collector of telemetry does not take what it is told", metadata: ["reason": "\(failure)"])
    } else if failure == nil, wasFailing {
      self.log.notice("the collector of telemetry takes what it is told again", metadata: ["dropped_spans": "\(self.dropped)"])
    }
  }
}
