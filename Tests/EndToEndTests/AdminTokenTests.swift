import Foundation
import Testing
import UpstreamFixtures

extension EndToEnd {
  /// The admin API for holders of an identity provider's tokens: Tests/Fixtures/AdminTokens.
  @Suite("admin tokens") struct AdminTokenTests {
    private static func settings(keys: String = "./keys.json") -> String {
      #"admin_tokens: {issuer: "https://id.example", audience: "weighbridge", keys: "\#(keys)", "#
        + #"roles: {wb-owner: "owner", wb-billing: "billing", wb-audit: "auditor"}}"#
    }

    private struct Samples: Decodable {
      struct Spoilt: Decodable { var token: String }
      var keys: JSONValue
      var lasting: [String: String]
      var spoilt: [Spoilt]
    }

    private static func samples() throws -> (samples: Samples, keys: String) {
      let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/AdminTokens/tokens.json")
      let text = try Data(contentsOf: path)
      let samples = try JSONDecoder().decode(Samples.self, from: text)
      let all = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
      let keys = try JSONSerialization.data(withJSONObject: try #require(all["keys"]))
      return (samples, String(decoding: keys, as: UTF8.self))
    }

    private static func within(_ body: (Gateway, Samples) async throws -> Void) async throws {
      let (samples, keys) = try self.samples()
      try await Gateway.within(server: self.settings(), start: false) { gateway in
        try gateway.workplace.write(keys, to: "keys.json")
        try await gateway.start()
        try await body(gateway, samples)
      }
    }

    @Test("a token lets in whom it was given to, for what their role may do, under their own name")
    func roles() async throws {
      try await Self.within { gateway, samples in
        func send(_ method: String, _ path: String, as role: String, _ body: String? = nil) async throws -> Reply {
          try await gateway.send(
            HTTPRequest(
              method: method, path: "/admin/v1" + path, key: samples.lasting[role], body: body.map { Array($0.utf8) }))
        }
        let made = try await send("POST", "/customers", as: "billing", #"{"name":"Acme","country":"DE"}"#)
        #expect(made.status == 201 || made.status == 200, "\(made.text)")
        #expect(try await send("GET", "/customers", as: "audit").status == 200)
        #expect(try await send("POST", "/customers", as: "audit", #"{"name":"X","country":"DE"}"#).status == 403)
        #expect(try await send("GET", "/admin_keys", as: "billing").status == 403)
        #expect(try await send("POST", "/admin_keys", as: "owner", #"{"name":"ann","role":"auditor"}"#).status < 300)
        let entries = try await gateway.send(HTTPRequest(path: "/audit/v1/tile/entries/000", key: samples.lasting["audit"]))
        #expect(entries.status != 401 && entries.status != 403)
      }
    }

    @Test("what is no sound token is refused, and never taken for a key")
    func spoilt() async throws {
      try await Self.within { gateway, samples in
        for sample in samples.spoilt.map(\.token) + ["a.b.c", "..", "\(gateway.adminKey).", "eyJhbGciOiJub25lIn0.e30."] {
          let reply = try await gateway.send(HTTPRequest(path: "/admin/v1/customers", key: sample))
          #expect(reply.status == 401, "\(sample.prefix(80)): \(reply.text)")
        }
        #expect(try await gateway.send(HTTPRequest(path: "/admin/v1/customers", key: gateway.adminKey)).status == 200)
        // Nor does a token open what customers' keys open.
        #expect(try await gateway.send(HTTPRequest(path: "/v1/models", key: samples.lasting["owner"])).status == 401)
      }
    }

    @Test("keys are fetched from the provider once for many tokens, and no token makes it answer more often than it should")
    func fetched() async throws {
      let (samples, keys) = try Self.samples()
      let provider = try await ScriptedUpstream { _, _ in
        [.head(200, [("content-type", "application/json")]), .bytes(keys), .end]
      }
      let url = "http://127.0.0.1:\(provider.port)/keys"
      try await Gateway.within(server: Self.settings(keys: url)) { gateway in
        func status(_ token: String?) async throws -> Int {
          try await gateway.send(HTTPRequest(path: "/admin/v1/customers", key: token)).status
        }
        for _ in 0..<3 {
          let sound = try await status(samples.lasting["audit"])
          #expect(sound == 200)
        }
        for sample in samples.spoilt {
          let spoilt = try await status(sample.token)
          #expect(spoilt == 401)
        }
        #expect(provider.asked.map(\.path) == ["/keys"])
      }
    }

    @Test(
      "without keys from the provider the gateway runs, and its tokens are told to come again",
      arguments: ["an error", "no JSON", "no end"])
    func withoutProvider(trouble: String) async throws {
      let (samples, keys) = try Self.samples()
      let provider = try await ScriptedUpstream { _, _ in
        switch trouble {
        case "an error": [.head(500, []), .bytes(keys), .end]
        case "no JSON": [.head(200, []), .bytes("<html>"), .end]
        default: [.head(200, [])] + Array(repeating: .bytes(String(repeating: " ", count: 1 << 16)), count: 32) + [.end]
        }
      }
      try await Gateway.within(server: Self.settings(keys: "http://127.0.0.1:\(provider.port)/keys")) { gateway in
        let reply = try await gateway.send(HTTPRequest(path: "/admin/v1/customers", key: samples.lasting["audit"]))
        #expect(reply.status == 503 && reply.headers["retry-after"] != nil, "\(reply.text)")
        #expect(try await gateway.send(HTTPRequest(path: "/admin/v1/customers", key: gateway.adminKey)).status == 200)
      }
    }
  }
}
