import Foundation
import Testing

extension EndToEnd {
  /// The admin API for holders of an identity provider's tokens: Tests/Fixtures/AdminTokens.
  @Suite("admin tokens") struct AdminTokenTests {
    private static let settings =
      #"admin_tokens: {issuer: "https://id.example", audience: "weighbridge", keys: "./keys.json", "#
      + #"roles: {wb-owner: "owner", wb-billing: "billing", wb-audit: "auditor"}}"#

    private struct Samples: Decodable {
      struct Spoilt: Decodable { var token: String }
      var keys: JSONValue
      var lasting: [String: String]
      var spoilt: [Spoilt]
    }

    private static func within(_ body: (Gateway, Samples) async throws -> Void) async throws {
      let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/AdminTokens/tokens.json")
      let text = try Data(contentsOf: path)
      let samples = try JSONDecoder().decode(Samples.self, from: text)
      let all = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
      let keys = try JSONSerialization.data(withJSONObject: try #require(all["keys"]))
      try await Gateway.within(server: Self.settings, start: false) { gateway in
        try gateway.workplace.write(String(decoding: keys, as: UTF8.self), to: "keys.json")
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
  }
}
