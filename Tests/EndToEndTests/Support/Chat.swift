internal import Foundation

/// Prompts that the demonstration model answers with more than 150 tokens.
enum Prompt {
  static let story = "Please tell me a really long story about a truck on its way to a city."
  static let essay = "I would love to read a long essay on tolls."
  static let short = "What is a ledger?"
}

/// A chat request; deterministic unless said otherwise.
struct Chat {
  var prompt = Prompt.short
  var maxTokens: Int?
  var isStreamed = false
  var includesUsage = false
  var more = ""

  var body: String {
    get throws {
      var members = #""model":"demo","messages":[{"role":"user","content":\#(try quoted(self.prompt))}],"temperature":0"#
      if let most = self.maxTokens { members += #","max_tokens":\#(most)"# }
      if self.isStreamed { members += #","stream":true"# }
      if self.includesUsage { members += #","stream_options":{"include_usage":true}"# }
      return "{\(members)\(self.more)}"
    }
  }

  func request(key: String, headers: [(String, String)] = []) throws -> HTTPRequest {
    HTTPRequest(method: "POST", path: "/v1/chat/completions", key: key, headers: headers, body: Array(try self.body.utf8))
  }
}

extension Gateway {
  /// A chat request that is served; its JSON.
  func ask(_ chat: Chat, key: String) async throws -> JSONValue {
    let reply = try await self.send(try chat.request(key: key))
    guard reply.status == 200 else { throw Failure("the request was refused with \(reply.status): \(reply.text)") }
    return try reply.json
  }
}

/// The text of the first n tokens of a greedy answer, asked of the engine again: it does not depend on what else the engine does.
struct Reference {
  private let gateway: Gateway
  private let key: String
  private var known: [String: String] = [:]

  /// - Parameter key: what is asked is charged to this key.
  init(_ gateway: Gateway, key: String) {
    self.gateway = gateway
    self.key = key
  }

  mutating func text(_ prompt: String, _ tokens: Int) async throws -> String {
    guard tokens > 0 else { return "" }
    let name = "\(tokens) \(prompt)"
    if let text = self.known[name] { return text }
    let reply = try await self.gateway.ask(Chat(prompt: prompt, maxTokens: tokens), key: self.key)
    let text = reply["choices"][0]["message"]["content"].string ?? ""
    self.known[name] = text
    return text
  }
}

/// A streamed answer as far as it has come.
struct StreamedAnswer {
  var events: [JSONValue] = []
  var isDone = false

  init(_ body: [UInt8]) throws {
    let text = String(decoding: body, as: UTF8.self)
    // What follows the last empty line is an event that has not come in whole.
    for event in text.components(separatedBy: "\n\n").dropLast() {
      guard event.hasPrefix("data: ") else { throw Failure("an event does not begin with 'data: ': \(event)") }
      let value = event.dropFirst(6)
      if value == "[DONE]" { self.isDone = true } else { self.events.append(try JSONValue(String(value))) }
    }
  }

  var text: String { self.events.compactMap { $0["choices"][0]["delta"]["content"].string }.joined() }
  /// Events with text.
  var pieces: Int { self.events.count { !($0["choices"][0]["delta"]["content"].string ?? "").isEmpty } }
  /// The event that says why the answer ended.
  var closing: JSONValue { self.events.last { $0["choices"][0]["finish_reason"] != .null } ?? .null }
  var usage: JSONValue { self.events.last { $0["usage"] != .null }?["usage"] ?? .null }
  var error: JSONValue { self.events.last { $0["error"] != .null }?["error"] ?? .null }
}

extension HTTPCall {
  var streamed: StreamedAnswer { get throws { try StreamedAnswer(self.body) } }
  var usageID: String? { self.headers["x-weighbridge-usage"] }
}
