internal import Documents
internal import GatewayHTTP
internal import Governance
internal import GovernanceTypes

/// One completion as a span, by OpenTelemetry's conventions for generative AI (of 2026, status "development").
struct CompletionSpan: Sendable {
  let trace: String
  let span: String
  let parent: String?
  private let served: ServedCompletion

  /// - Parameter random: 24 bytes for the ids; the first 16 are left aside where the caller has a trace.
  init(_ served: ServedCompletion, random: [UInt8]) {
    let parent = TraceParent(served.traceParent ?? "")
    self.trace = parent?.trace ?? hexadecimalText(random.prefix(16))
    self.span = hexadecimalText(random.suffix(8))
    self.parent = parent?.span
    self.served = served
  }

  var json: JSON {
    let record = self.served.record
    var members = [
      JSONMember("traceId", .string(self.trace)), JSONMember("spanId", .string(self.span)),
      JSONMember("name", .string("\(self.served.operation) \(self.served.askedModel)")), JSONMember("kind", 2),
      JSONMember("startTimeUnixNano", .string(String(record.heldAt.nanoseconds))),
      JSONMember("endTimeUnixNano", .string(String(record.settledAt.nanoseconds))),
      JSONMember("attributes", .array(self.attributes)),
    ]
    if let parent = self.parent { members.append(JSONMember("parentSpanId", .string(parent))) }
    if self.served.isError { members.append(JSONMember("status", ["code": 2])) }
    return .object(members)
  }

  private var attributes: [JSON] {
    let record = self.served.record
    var attributes = [
      OTLP.attribute("gen_ai.operation.name", self.served.operation), OTLP.attribute("gen_ai.provider.name", OTLP.provider),
      OTLP.attribute("gen_ai.request.model", self.served.askedModel), OTLP.attribute("gen_ai.response.model", record.model.name),
      OTLP.attribute("gen_ai.response.id", record.usage.description),
      OTLP.attribute("gen_ai.usage.input_tokens", record.tokens.prompt.value),
      OTLP.attribute("gen_ai.usage.output_tokens", record.tokens.completion.value),
      OTLP.attribute("weighbridge.decision", record.decision.description), OTLP.attribute("weighbridge.finish", record.finish),
    ]
    if self.served.isError {
      attributes.append(OTLP.attribute("error.type", record.finish))
    } else {
      attributes.append(
        [
          "key": "gen_ai.response.finish_reasons",
          "value": ["arrayValue": ["values": [["stringValue": .string(self.served.finish)]]]],
        ])
    }
    return attributes
  }
}

extension ServedCompletion {
  var isError: Bool { self.finish == "error" }
}

/// The caller's place in a trace, as W3C's Trace Context writes it: `00-<32 digits>-<16 digits>-<2 digits>`.
struct TraceParent: Equatable {
  let trace: String
  let span: String

  /// Nil for what is none; then a trace begins here.
  init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard text.utf8.count == 55, parts.count == 4, parts.map(\.utf8.count) == [2, 32, 16, 2], parts[0] != "ff",
      parts.allSatisfy({ $0.utf8.allSatisfy(Self.isDigit) }), parts[1].contains(where: { $0 != "0" }),
      parts[2].contains(where: { $0 != "0" })
    else { return nil }
    self.trace = String(parts[1])
    self.span = String(parts[2])
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}

/// The shapes of OTLP's JSON.
enum OTLP {
  static let provider = "weighbridge"

  static func attribute(_ key: String, _ value: String) -> JSON {
    ["key": .string(key), "value": ["stringValue": .string(value)]]
  }

  /// 64-bit integers are strings in protobuf's JSON.
  static func attribute(_ key: String, _ value: Int) -> JSON {
    ["key": .string(key), "value": ["intValue": .string(String(value))]]
  }

  private static let scope: JSON = ["name": "weighbridge", "version": .string(GatewayApp.version)]

  static func traces(_ spans: [CompletionSpan], resource: JSON) -> JSON {
    ["resourceSpans": [["resource": resource, "scopeSpans": [["scope": self.scope, "spans": .array(spans.map(\.json))]]]]]
  }

  static func metrics(_ metrics: [JSON], resource: JSON) -> JSON {
    ["resourceMetrics": [["resource": resource, "scopeMetrics": [["scope": self.scope, "metrics": .array(metrics)]]]]]
  }
}
