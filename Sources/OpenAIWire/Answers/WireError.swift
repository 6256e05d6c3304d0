public import Documents

/// OpenAI's error object.
public struct WireError: Sendable {
  public var message: String
  public var type: String
  public var parameter: String?
  public var code: String
  /// Members of ours beside OpenAI's four.
  public var extra: [JSONMember]

  public init(message: String, type: String, parameter: String? = nil, code: String, extra: [JSONMember] = []) {
    self.message = message
    self.type = type
    self.parameter = parameter
    self.code = code
    self.extra = extra
  }

  var members: [JSONMember] {
    [
      JSONMember("message", .string(self.message)), JSONMember("type", .string(self.type)),
      JSONMember("param", JSON(self.parameter)), JSONMember("code", .string(self.code)),
    ] + self.extra
  }

  public var json: JSON { ["error": .object(self.members)] }
}

/// One server-sent event with a JSON value, or the end mark.
public enum ServerSentEvent {
  public static func data(_ value: JSON) -> [UInt8] { Array("data: ".utf8) + value.bytes + [0x0A, 0x0A] }
  /// An event with a name, as responses and messages have them.
  public static func named(_ name: String, _ value: JSON) -> [UInt8] { Array("event: \(name)\n".utf8) + self.data(value) }
  public static let done = Array("data: [DONE]\n\n".utf8)
  /// A comment, which clients skip: it keeps a connection open over proxies that close idle ones.
  public static let keepAlive = Array(": keep-alive\n\n".utf8)
}
