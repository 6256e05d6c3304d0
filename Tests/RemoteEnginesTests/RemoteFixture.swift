import Completions
import NIOCore
import RemoteEngines
import Synchronization
import UpstreamFixtures

/// An engine over scripted servers, and what it reported.
struct RemoteFixture {
  let servers: [ScriptedUpstream]
  let upstreams: [Upstream]
  let engine: RemoteEngine
  let reports: Reports

  final class Reports: Sendable {
    private let kept = Mutex<[UpstreamReport]>([])
    var all: [UpstreamReport] { self.kept.withLock { $0 } }
    func keep(_ report: UpstreamReport) { self.kept.withLock { $0.append(report) } }
  }

  init(
    _ servers: [ScriptedUpstream], weights: [Int] = [], contextLength: Int = 4096, counter: TextCounter? = nil,
    attempts: Int = 3,
    settings change: (inout UpstreamSettings) -> Void = { _ in }
  ) {
    let reports = Reports()
    self.reports = reports
    self.servers = servers
    self.upstreams = servers.enumerated().map { index, server in
      var settings = UpstreamSettings(id: "s\(index)", url: server.url, apiKey: "secret-\(index)")
      change(&settings)
      return Upstream(settings) { reports.keep($0) }
    }
    let members = self.upstreams.enumerated().map { index, upstream in
      UpstreamPool.Member(upstream: upstream, model: "upstream/model", weight: index < weights.count ? weights[index] : 1)
    }
    self.engine = RemoteEngine(pool: UpstreamPool(members), contextLength: contextLength, counter: counter, attempts: attempts)
  }

  static func serving(_ script: @escaping @Sendable (Int, ScriptedUpstream.Asked) -> [UpstreamStep]) async throws -> RemoteFixture
  {
    RemoteFixture([try await ScriptedUpstream(script: script)])
  }

  func ask(_ text: String = "hello", most: Int? = nil, allowance: TokenAllowance? = nil) async throws -> Answer {
    let request = CompletionRequest(prompt: .chat([ChatMessage(role: .user, content: text)]), maximumCompletionTokens: most)
    return await self.ask(request, allowance: allowance)
  }

  func ask(_ request: CompletionRequest, allowance: TokenAllowance? = nil) async -> Answer {
    var answer = Answer()
    do {
      let prompt = try await self.engine.prepare(request)
      let stream = self.engine.start(prompt, allowance: allowance ?? TokenAllowance(tokens: prompt.completionCeiling))
      for try await event in stream { answer.take(event) }
    } catch {
      answer.error = error as? CompletionError
    }
    return answer
  }
}

/// All that came out of one completion.
struct Answer: Sendable {
  var text = ""
  var tokens = 0
  var pieces = 0
  var events = 0
  var toolCalls: [ToolCallPiece] = []
  var prompt: CompletionUsage?
  var end: CompletionEnd?
  var error: CompletionError?

  mutating func take(_ event: CompletionEvent) {
    self.events += 1
    switch event {
    case .prompt(let usage): self.prompt = usage
    case .delta, .deltas:
      for delta in event.steps {
        self.text += delta.text
        self.tokens += delta.tokens
        self.pieces += 1
        self.toolCalls += delta.toolCalls
      }
    case .end(let end): self.end = end
    }
  }
}
