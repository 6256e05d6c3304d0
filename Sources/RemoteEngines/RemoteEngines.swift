// RemoteEngines: OpenAI-compatible servers elsewhere as engines of this gateway.
// Holds pools of servers with their health, the phases of one exchange, and the counting of what a server streams.
// It must never know a customer, a license or a price, and never hands on an error's body as text of an answer.

public import NIOCore

/// One OpenAI-compatible server, as the operator described it.
public struct UpstreamSettings: Sendable {
  public var id: String
  /// The base address, `/v1` included, without a slash at its end.
  public var url: String
  /// Sent as a bearer token; never shown, logged or part of an error.
  public var apiKey: String?
  public var timeouts = UpstreamTimeouts()
  /// The most completions at once; beyond it the server is passed over.
  public var concurrentRequests = 256
  /// Failures in a row after which the server is left alone.
  public var failuresToOpen = 3
  /// How long it is left alone at first; doubled with each trial that fails, up to 32 times this.
  public var restSeconds = 5
  /// Whether the server is asked to count in each chunk (vLLM's `continuous_usage_stats`).
  public var countsEachChunk = false
  /// Whom a server behind `https` must be vouched for by.
  public var trust = UpstreamTrust.system

  public init(id: String, url: String, apiKey: String? = nil) {
    self.id = id
    self.url = url
    self.apiKey = apiKey
  }
}

/// How long each phase of an exchange may take.
public struct UpstreamTimeouts: Sendable {
  public var connect = TimeAmount.seconds(5)
  /// From the request to the first event of the stream: the server's queue and the reading of the prompt.
  public var firstByte = TimeAmount.seconds(120)
  public var betweenChunks = TimeAmount.seconds(60)
  public var total = TimeAmount.seconds(1800)

  public init() {}
}

/// Counts tokens as a model's own tokenizer does.
public struct TextCounter: Sendable {
  /// The tokens of a text within an answer.
  public var text: @Sendable (String) -> Int

  public init(text: @escaping @Sendable (String) -> Int) { self.text = text }
}

/// What is worth telling the operator of an exchange; never a text of a prompt or an answer.
public enum UpstreamReport: Sendable, Equatable {
  /// An attempt failed; `retried` where another one follows.
  case failed(upstream: String, reason: String, retried: Bool)
  /// The server's count and ours differ; `charged` is the one that was taken.
  case usageDiffers(upstream: String, category: String, reported: Int, counted: Int, charged: Int)
  case rests(upstream: String, seconds: Int)
  case recovered(upstream: String)
}
