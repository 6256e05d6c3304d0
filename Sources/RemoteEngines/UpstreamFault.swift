internal import Completions
internal import Documents
internal import NIOCore
internal import NIOHTTP1

/// Why an attempt failed, in three voices: to the client, to the operator, to the server's health.
struct UpstreamFault: Error, Sendable {
  /// What the client is told: no address, no body of the server's but the message of a refused request.
  var error: CompletionError
  /// What the operator is told.
  var reason: String
  var outcome: UpstreamHealth.Outcome
  /// Whether another attempt may succeed.
  var mayRetry: Bool

  init(_ error: CompletionError, reason: String, outcome: UpstreamHealth.Outcome = .failed, mayRetry: Bool = true) {
    self.error = error
    self.reason = reason
    self.outcome = outcome
    self.mayRetry = mayRetry
  }

  static func unreachable(_ error: any Error) -> UpstreamFault {
    UpstreamFault(CompletionError(.unavailable, "The model's server cannot be reached."), reason: "not reached: \(error)")
  }

  static let notAsked = UpstreamFault(
    CompletionError(.unavailable, "The model's server cannot be reached."), reason: "its address is none", mayRetry: true)

  static func timedOut(_ phase: PhaseTimer.Phase) -> UpstreamFault {
    UpstreamFault(
      CompletionError(
        phase == .firstByte ? .unavailable : .failed, "The model's server took too long to send \(phase.rawValue)."),
      reason: "timed out waiting for \(phase.rawValue)")
  }

  static func broken(_ reason: String) -> UpstreamFault {
    UpstreamFault(CompletionError(.failed, "The model's server broke off its answer."), reason: reason)
  }

  static func garbage(_ reason: String) -> UpstreamFault {
    UpstreamFault(CompletionError(.failed, "The model's server sent what is no answer."), reason: reason)
  }
}

extension UpstreamFault {
  /// The most bytes of an error's body that are read.
  static let bodyLimit = 16 << 10
  private static let messageLimit = 400
  private static let longestPause = 60

  /// A status other than 200, with as much of its body as was read.
  init(status: Int, retryAfter: String?, body: [UInt8], url: String) {
    let (message, code) = Self.reading(body, url: url)
    switch status {
    case 400, 413, 422:
      let isTooLong = code == "context_length_exceeded" || message.contains("context length")
      self.init(
        CompletionError(
          isTooLong ? .contextLengthExceeded : .invalidRequest, "The model's server refuses the request: \(message)"),
        reason: "refused the request with \(status)", outcome: .neutral, mayRetry: false)
    case 401, 403:
      self.init(
        CompletionError(.unavailable, "The model's server does not let the gateway in."),
        reason: "refuses the gateway's key with \(status)")
    case 404:
      self.init(
        CompletionError(.unavailable, "The model's server does not know the model."), reason: "does not know the model (404)",
        outcome: .neutral)
    case 408, 409:
      self.init(
        CompletionError(.unavailable, "The model's server could not take the request."), reason: "answered \(status)",
        outcome: .neutral)
    case 429:
      let pause = min(Self.longestPause, max(1, retryAfter.flatMap { Int($0) } ?? 1))
      self.init(
        CompletionError(.overloaded, "The model's server is busy."), reason: "is busy (429)", outcome: .busy(.seconds(pause)))
    default:
      self.init(CompletionError(.unavailable, "The model's server failed."), reason: "answered \(status)")
    }
  }

  /// An error in the place of a chunk.
  init(message: String, code: String?, url: String) {
    self.init(
      CompletionError(.failed, "The model's server reported an error."), reason: "reported: \(Self.shown(message, url: url))")
  }

  private static func reading(_ body: [UInt8], url: String) -> (message: String, code: String?) {
    // What is no JSON has no message for the client; the status says all that is known.
    guard let document = try? Document.parseJSON(body, limits: JSONLimits(bytes: self.bodyLimit, depth: 16, nodes: 1024)) else {
      return ("it gave no reason", nil)
    }
    let error = document["error"] ?? document
    var texts: [String] = []
    for key in ["message", "detail"] {
      if case .string(let text)? = error[key]?.content { texts.append(text) }
    }
    if case .string(let text) = error.content { texts.append(text) }
    var code: String?
    if case .string(let text)? = error["code"]?.content { code = text }
    return (self.shown(texts.first ?? "it gave no reason", url: url), code)
  }

  /// A server's text without its own address and of bounded length.
  private static func shown(_ text: String, url: String) -> String {
    let host = url.split(separator: "/").dropFirst().first.map { String($0) } ?? url
    return String(text.replacing(url, with: "…").replacing(host, with: "…").prefix(self.messageLimit))
  }
}
