internal import Foundation
internal import Testing

extension EndToEnd {
  /// What clients send that they should not: each gets an error that names the thing, and the gateway lives on.
  @Suite("bad requests") struct BadRequestTests {
    /// A body, and how it is refused.
    private struct Faulty {
      var body: [UInt8]
      var parameter: String?
      var mention: String

      init(_ body: String, _ parameter: String?, _ mention: String) {
        self.body = Array(body.utf8)
        self.parameter = parameter
        self.mention = mention
      }

      init(bytes: [UInt8], _ parameter: String?, _ mention: String) {
        self.body = bytes
        self.parameter = parameter
        self.mention = mention
      }
    }

    private static let sound = #""model":"demo","messages":[{"role":"user","content":"hi"}]"#

    private static let bodies: [Faulty] = [
      Faulty("", nil, "line 1, column 1"),
      Faulty("{\"model\":\"demo\",\n \"messages\":[}", nil, "line 2, column 14"),
      Faulty("[1]", nil, "a map belongs here"),
      Faulty(#"{"model":"de\#u{1}mo"}"#, nil, "control character"),
      Faulty(
        bytes: Array(#"{"model":"demo","messages":[{"role":"user","content":""#.utf8) + [0xFF, 0xFE] + Array(#""}]}"#.utf8), nil,
        "UTF-8"),
      Faulty(#"{"model":"demo","messages":[{"role":"user","content":"\ud800"}]}"#, nil, "surrogate"),
      Faulty(
        #"{"model":"# + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000) + "}", nil, "nested"),
      Faulty("{\(Self.sound),\"temprature\":1}", "temprature", "did you mean 'temperature'"),
      Faulty("{\(Self.sound),\"max_tokens\":2,\"max_tokens\":3}", "max_tokens", "twice"),
      Faulty("{\(Self.sound),\"max_tokens\":-1}", "max_tokens", "from 1"),
      Faulty("{\(Self.sound),\"max_tokens\":0}", "max_tokens", "from 1"),
      Faulty("{\(Self.sound),\"max_tokens\":2.5}", "max_tokens", "whole number"),
      Faulty("{\(Self.sound),\"max_tokens\":99999999999999999999999}", "max_tokens", "max_tokens"),
      Faulty("{\(Self.sound),\"temperature\":-1}", "temperature", "from 0"),
      Faulty("{\(Self.sound),\"temperature\":2.1}", "temperature", "from 0"),
      Faulty("{\(Self.sound),\"temperature\":1e999}", "temperature", "temperature"),
      Faulty("{\(Self.sound),\"temperature\":NaN}", nil, "not a JSON value"),
      Faulty("{\(Self.sound),\"temperature\":\"1\"}", "temperature", "number"),
      Faulty("{\(Self.sound),\"top_p\":1.1}", "top_p", "from 0"),
      Faulty("{\(Self.sound),\"n\":0}", "n", "from 1 to 128"),
      Faulty("{\(Self.sound),\"n\":129}", "n", "from 1 to 128"),
      Faulty("{\(Self.sound),\"n\":1.5}", "n", "whole number"),
      Faulty("{\(Self.sound),\"logprobs\":\"yes\"}", "logprobs", "logprobs"),
      Faulty("{\(Self.sound),\"stream\":\"yes\"}", "stream", "stream"),
      Faulty("{\(Self.sound),\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}", "stop", "at most 4"),
      Faulty("{\(Self.sound),\"stream_options\":{\"include_usage\":true}}", "stream_options", "stream"),
      Faulty("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", "model", "model"),
      Faulty("{\"model\":\"demo\"}", "messages", "messages"),
      Faulty("{\"model\":\"demo\",\"messages\":[]}", "messages", "at least one"),
      Faulty("{\"model\":\"demo\",\"messages\":[{\"role\":\"king\",\"content\":\"hi\"}]}", "messages[0].role", "king"),
      Faulty("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":7}]}", "messages[0].content", "content"),
    ]

    @Test("a faulty body is refused with 400, the place and the field")
    func faultyBodies() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        for faulty in Self.bodies {
          let reply = try await gateway.send(
            HTTPRequest(method: "POST", path: "/v1/chat/completions", key: customer.key, body: faulty.body))
          let name = String(decoding: faulty.body.prefix(120), as: UTF8.self)
          #expect(reply.status == 400, "\(name)")
          let error = try reply.error
          #expect(error["code"].string == "invalid_request" && error["type"].string == "invalid_request_error", "\(name)")
          #expect(error["message"].string?.contains(faulty.mention) == true, "\(name): \(error)")
          #expect(error["param"].string == faulty.parameter, "\(name): \(error)")
          #expect(reply.headers["x-should-retry"] == "false" && reply.headers["x-request-id"]?.hasPrefix("req_") == true)
        }
        // Nothing of this was work, and the gateway still serves.
        #expect(try await gateway.total(customer: customer.id)["requests"].integer == 0)
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
      }
    }

    @Test("too much is refused in good time: the body with 413, the prompt with context_length_exceeded")
    func tooMuch() async throws {
      try await Gateway.within(more: "limits: {queued_requests: 4}") { gateway in
        let customer = try await gateway.open()
        let large = HTTPRequest(
          method: "POST", path: "/v1/chat/completions", key: customer.key, body: [UInt8](repeating: 0x61, count: 9 << 20))
        let reply = try await gateway.send(large, within: .seconds(10))
        #expect(reply.status == 413)
        #expect(try reply.error["code"].string == "request_too_large")
        #expect(reply.headers["x-should-retry"] == "false")
        for text in [
          String(repeating: "a", count: 4 << 20), String(repeating: "truck toll ", count: 400_000),
          String(repeating: "truck ", count: 600),
        ] {
          let reply = try await gateway.send(
            try Chat(prompt: text, maxTokens: 1).request(key: customer.key), within: .seconds(10))
          #expect(reply.status == 400)
          #expect(try reply.error["code"].string == "context_length_exceeded")
        }
      }
    }

    /// A request that is refused before its body matters.
    private struct Refused {
      var name: String
      var request: HTTPRequest
      var status: Int
      var code: String
    }

    private func refused(_ customer: Customer, _ gateway: Gateway, usageOnly: String, suspended: String) throws -> [Refused] {
      let body = Array(try Chat(maxTokens: 1).body.utf8)
      let chat = "/v1/chat/completions"
      func post(_ key: String?, _ headers: [(String, String)] = [], body: [UInt8] = body) -> HTTPRequest {
        HTTPRequest(method: "POST", path: chat, key: key, headers: headers, body: body)
      }
      let unknown = Array(try Chat(maxTokens: 1).body.replacingOccurrences(of: "\"demo\"", with: "\"demon\"").utf8)
      return [
        Refused(name: "no key", request: post(nil), status: 401, code: "invalid_api_key"),
        Refused(name: "a wrong key", request: post("wb-wrong"), status: 401, code: "invalid_api_key"),
        Refused(
          name: "another scheme", request: post(nil, [("Authorization", "Basic YTpi")]), status: 401, code: "invalid_api_key"),
        Refused(name: "the admin key", request: post(gateway.adminKey), status: 401, code: "invalid_api_key"),
        Refused(name: "a key without the scope", request: post(usageOnly), status: 403, code: "permission_denied"),
        Refused(name: "a suspended key", request: post(suspended), status: 401, code: "invalid_api_key"),
        Refused(name: "an unknown model", request: post(customer.key, body: unknown), status: 404, code: "model_not_found"),
        Refused(
          name: "another content type", request: post(customer.key, [("Content-Type", "text/plain")]), status: 400,
          code: "invalid_request"),
        Refused(
          name: "an empty idempotency key", request: post(customer.key, [("Idempotency-Key", "")]), status: 400,
          code: "invalid_request"),
        Refused(
          name: "an unknown path", request: HTTPRequest(path: "/v1/nothing", key: customer.key), status: 404, code: "not_found"),
        Refused(
          name: "a path with dots", request: HTTPRequest(path: "/legal/licenses/..%2f..%2fetc"), status: 404, code: "not_found"),
        Refused(
          name: "an unknown model's page", request: HTTPRequest(path: "/v1/models/nothing", key: customer.key), status: 404,
          code: "model_not_found"),
        Refused(
          name: "a wrong method", request: HTTPRequest(method: "GET", path: chat, key: customer.key), status: 404,
          code: "not_found"),
        Refused(
          name: "another wrong method", request: HTTPRequest(method: "DELETE", path: "/v1/models", key: customer.key),
          status: 404, code: "not_found"),
        Refused(
          name: "admin without a key", request: HTTPRequest(path: "/admin/v1/customers"), status: 401, code: "invalid_api_key"),
        Refused(
          name: "admin with a customer's key", request: HTTPRequest(path: "/admin/v1/customers", key: customer.key), status: 401,
          code: "invalid_api_key"),
        Refused(
          name: "a customer that is none", request: HTTPRequest(path: "/admin/v1/customers/cus_x", key: gateway.adminKey),
          status: 404, code: "not_found"),
        Refused(
          name: "a decision that is none", request: HTTPRequest(path: "/admin/v1/decisions/dec_0", key: gateway.adminKey),
          status: 404, code: "not_found"),
      ]
    }

    @Test("who may not, or asks for what is not there, is told so as an OpenAI error object")
    func refusals() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let usageOnly = try await gateway.admin(
          "POST", "/customers/\(customer.id)/keys", #"{"name":"reader","scopes":["usage"]}"#)
        let suspended = try await gateway.createKey(for: customer.id)
        try await gateway.admin("POST", "/keys/\(suspended.id)/suspend")
        let refused = try self.refused(
          customer, gateway, usageOnly: usageOnly["secret"].string ?? "", suspended: suspended.secret)
        for refused in refused {
          let reply = try await gateway.send(refused.request)
          let error = try reply.error
          #expect(
            reply.status == refused.status && error["code"].string == refused.code,
            "\(refused.name): \(reply.status) \(reply.text)")
          #expect(error.keys.isSuperset(of: ["message", "type", "param", "code"]), "\(refused.name)")
          #expect(reply.headers["content-type"] == "application/json", "\(refused.name)")
          #expect(reply.headers["x-request-id"] != nil, "\(refused.name)")
          #expect(reply.headers["x-should-retry"] == "false", "\(refused.name)")
        }
      }
    }

    @Test("bytes that are no HTTP close their own connection and nothing else")
    func noHTTP() async throws {
      try await Gateway.within { gateway in
        let garbage: [[UInt8]] = [
          Array("GARBAGE\r\n\r\n".utf8), [0, 1, 2, 13, 10, 13, 10], Array("GET /healthz HTTP/9.9\r\n\r\n".utf8),
          Array("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n".utf8),
          Array("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n".utf8),
          Array("GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 300_000))\r\n\r\n".utf8),
          [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC],
        ]
        for bytes in garbage {
          let call = try HTTPCall(port: gateway.port, bytes: bytes)
          let patience = ContinuousClock.now + .seconds(2)
          try await Exchange.drive([call], within: .seconds(5)) { call.isOver || ContinuousClock.now > patience }
          #expect(
            call.status == nil || (400..<500).contains(call.status ?? 0), "\(String(decoding: bytes.prefix(60), as: UTF8.self))")
        }
        #expect(try await gateway.get("/healthz").status == 200)
      }
    }
  }
}
