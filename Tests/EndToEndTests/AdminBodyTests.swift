internal import Foundation
internal import Testing

extension EndToEnd {
  /// The bodies that the design promises to accept as written.
  @Suite("admin bodies") struct AdminBodyTests {
    @Test("customers, keys, attestations, limits, prices, usage and exports are accepted as written")
    func asWritten() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.admin("POST", "/customers", #"{"name":"Acme","country":"DE"}"#)
        let id = try #require(customer["id"].string)
        #expect(id.hasPrefix("cus_"))
        let key = try await gateway.admin("POST", "/customers/\(id)/keys", #"{"name":"prod","scopes":["inference"]}"#)
        #expect(key["id"].string?.hasPrefix("key_") == true && key["secret"].string?.hasPrefix("wb-") == true)
        let keys = try await gateway.admin("GET", "/customers/\(id)/keys")
        #expect(keys["data"].elements.count == 1 && keys["data"][0]["secret"] == .null, "a secret is shown once")
        for subject in [id, "operator"] {
          let attestation = try await gateway.admin(
            "POST", "/attestations",
            #"{"subject":"\#(subject)","fact":"party.mau.2023-06","value":{"upper":1000000},"signer":{"name":"E. Example","role":"Counsel"},"expires":"2097-01-01"}"#
          )
          #expect(attestation["id"].string?.hasPrefix("att_") == true)
        }
        try await self.limits(gateway, customer: id, key: try #require(key["id"].string))
        let price = try await gateway.admin(
          "POST", "/prices",
          #"{"model":"demo","currency":"USD","effective_from":"2026-01-01","components":[{"category":"prompt_uncached","per_million":"0.20"},{"category":"completion","per_million":"0.60"}]}"#
        )
        #expect(price["model"].string == "demo")
        let usage = try await gateway.admin("GET", "/usage?customer=\(id)&from=2026-01-01&to=2097-01-01&group_by=model,day")
        #expect(usage["data"] == .array([]))
        #expect(
          usage["total"].keys.isSuperset(of: [
            "requests", "prompt_tokens", "cached_tokens", "completion_tokens", "amount", "currency",
          ]))
      }
    }

    private func limits(_ gateway: Gateway, customer: String, key: String) async throws {
      let bodies = [
        #"{"subject":"\#(customer)","kind":"spend","amount":"5.00","currency":"USD","window":"month"}"#,
        #"{"subject":"\#(key)","kind":"tokens","amount":"100000","window":"day"}"#,
        #"{"subject":"\#(customer)","kind":"requests_per_minute","amount":600}"#,
        #"{"subject":"\#(customer)","kind":"tokens_per_minute","amount":"60000"}"#,
        #"{"subject":"\#(key)","kind":"concurrent_requests","amount":50}"#,
        #"{"subject":"\#(customer)","kind":"active_users","amount":10}"#,
      ]
      for body in bodies {
        let asked = try JSONValue(body)
        let limit = try await gateway.admin("POST", "/limits", body)
        #expect(limit["id"].string != nil && limit["kind"] == asked["kind"])
      }
      #expect(try await gateway.admin("GET", "/limits?subject=\(customer)")["data"].elements.count == 4)
    }

    @Test("a customer is onboarded in one call, with terms accepted and attestations inline")
    func oneCall() async throws {
      try await Gateway.within { gateway in
        try await gateway.setPrice()
        // What the license asks for is learned from a first customer.
        let first = try await gateway.admin("POST", "/customers", #"{"name":"First","country":"DE"}"#)
        let rows = try await gateway.admin("GET", "/standing?subject=\(first["id"].string ?? "")&model=demo")["missing"].elements
        var inline: [String] = []
        for row in rows {
          let body = try Gateway.attestation(for: row)
          if row["subject"].string == "operator" {
            try await gateway.admin("POST", "/attestations", body)
          } else if row["fact"].string != "terms.accepted.llama-2" {
            inline.append(body.replacingOccurrences(of: #""subject":"\#(row["subject"].string ?? "")","#, with: ""))
          }
        }
        let body =
          #"{"name":"Acme","country":"DE","accept_terms":["llama-2"],"attestations":[\#(inline.joined(separator: ","))]}"#
        let customer = try await gateway.admin("POST", "/customers", body)
        let id = try #require(customer["id"].string)
        let standing = try await gateway.admin("GET", "/standing?subject=\(id)&model=demo")
        #expect(standing["verdict"].string == "allow", "\(standing["missing"])")
        _ = try await gateway.ask(Chat(maxTokens: 1), key: try await gateway.createKey(for: id).secret)
      }
    }

    @Test("usage exports agree with the usage report, in each format")
    func exports() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        for tokens in 1...3 { _ = try await gateway.ask(Chat(maxTokens: tokens), key: customer.key) }
        let total = try await gateway.total(customer: customer.id)
        let csv = String(decoding: try await gateway.export(#"{"kind":"usage","format":"csv"}"#), as: UTF8.self)
        let rows = csv.split(whereSeparator: \.isNewline).map { $0.components(separatedBy: ",") }
        let amount = try #require(rows.first?.firstIndex(of: "amount_nano"))
        #expect(rows.count == 4)
        #expect(rows.dropFirst().compactMap { Int($0[amount]) }.reduce(0, +) == total["amount"].nano)
        let lines = String(decoding: try await gateway.export(#"{"kind":"usage","format":"jsonl"}"#), as: UTF8.self)
          .split(separator: "\n").map { try? JSONValue(String($0)) }  // A line that does not parse is nil, and counted below.
        #expect(lines.compactMap(\.self).count == 3)
        let focus = String(decoding: try await gateway.export(#"{"kind":"usage","format":"focus"}"#), as: UTF8.self)
        #expect(focus.contains("BilledCost"))
        let none = try await gateway.export(#"{"kind":"usage","format":"csv","from":"2020-01-01","to":"2020-02-01"}"#)
        #expect(String(decoding: none, as: UTF8.self).split(whereSeparator: \.isNewline).count == 1)
      }
    }

    /// An admin request that is refused.
    private struct Faulty {
      var path: String
      var body: String
      var parameter: String?
    }

    @Test("faulty admin bodies are refused with 400 and the field")
    func faulty() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let limit = #""subject":"\#(customer.id)","kind":"spend","currency":"USD","window":"month""#
        let faults = [
          Faulty(path: "/customers", body: #"{"country":"DE"}"#, parameter: "name"),
          Faulty(path: "/customers", body: #"{"name":"x","country":"DEU"}"#, parameter: "country"),
          Faulty(path: "/customers", body: #"{"name":"x","contry":"DE"}"#, parameter: "contry"),
          Faulty(path: "/customers/\(customer.id)/keys", body: #"{"name":"x","scopes":["everything"]}"#, parameter: "scopes"),
          Faulty(path: "/limits", body: #"{\#(limit),"amount":"-1"}"#, parameter: "amount"),
          Faulty(path: "/limits", body: #"{\#(limit),"amount":"0.0000000001"}"#, parameter: "amount"),
          Faulty(path: "/limits", body: #"{\#(limit),"amount":"1e3"}"#, parameter: "amount"),
          Faulty(
            path: "/limits", body: #"{\#(limit),"amount":"99999999999999999999999999999999999999999999"}"#, parameter: "amount"),
          Faulty(path: "/limits", body: #"{\#(limit)}"#, parameter: "amount"),
          Faulty(
            path: "/limits", body: #"{"subject":"nobody","kind":"spend","amount":"1","currency":"USD"}"#, parameter: "subject"),
          Faulty(path: "/prices", body: #"{"model":"demo","currency":"usd","components":[]}"#, parameter: "currency"),
          Faulty(path: "/prices", body: #"{"model":"demo","currency":"USD","components":[]}"#, parameter: "components"),
          Faulty(path: "/attestations", body: #"{"subject":"operator"}"#, parameter: "fact"),
          Faulty(path: "/exports", body: #"{"kind":"audit","format":"csv"}"#, parameter: "format"),
          Faulty(
            path: "/exports", body: #"{"kind":"usage","format":"csv","from":"2026-02-01","to":"2026-01-01"}"#, parameter: "to"),
          Faulty(path: "/exports", body: #"{"kind":"usage","format":"csv","from":"yesterday"}"#, parameter: "from"),
        ]
        for fault in faults {
          let reply = try await gateway.post("/admin/v1" + fault.path, fault.body, key: gateway.adminKey)
          #expect(reply.status == 400, "\(fault.body): \(reply.text)")
          #expect(try reply.error["param"].string?.hasPrefix(fault.parameter ?? "") == true, "\(fault.body): \(reply.text)")
        }
      }
    }
  }
}
