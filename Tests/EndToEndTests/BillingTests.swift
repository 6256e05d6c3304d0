internal import Foundation
internal import Testing

extension EndToEnd {
  /// From requests to invoices, through the whole process and over restarts.
  @Suite("billing") struct BillingTests {
    static let configuration = """
      billing:
        seller: {name: "Example GmbH", street: "Weg 1", city: "Berlin", postal_code: "10115", country: "DE", vat_id: "DE123456789"}
        tax: {category: S, percent: "19"}
        due_days: 14
      """

    static let party =
      #""party":{"name":"Acme <&>","street":"Street 2","city":"Hamburg","postal_code":"20095","country":"DE"}"#

    /// Completion tokens of a month: the first 10 for nothing, then 30 at 60,000 nano-units, all others at 7,500 and a flat amount.
    private func expected(_ completion: Int, request: Int) -> Int {
      let paid = max(0, completion - 10)
      return min(paid, 30) * 60_000 + max(0, paid - 30) * 7_500 + (paid > 30 ? 1000 : 0) + request * 5
    }

    private static let price = #"""
      {"model":"demo","currency":"USD","components":[
        {"category":"prompt_uncached","per_million":"0"},{"category":"request","per_million":"0.005"},
        {"category":"completion","free":10,"tier_mode":"graduated",
         "tiers":[{"up_to":30,"per_million":"60.00"},{"per_million":"7.50","flat":"0.000001"}]}]}
      """#

    @Test("requests across the tiers of a month, a restart and a crash in between: the draft is the ledger to the nano-unit")
    func acrossTheTiers() async throws {
      try await Gateway.within(more: Self.configuration) { gateway in
        try await gateway.admin("POST", "/prices", Self.price)
        let customer = try await gateway.onboard()
        try await gateway.admin("PUT", "/customers/\(customer.id)/billing", "{\(Self.party)}")
        let month = String(Self.now().prefix(7))
        var (completion, requests) = (0, 0)
        for most in [16, 16, 16, 16] {
          let answer = try await gateway.ask(Chat(maxTokens: most), key: customer.key)
          let before = self.expected(completion, request: requests)
          completion += try #require(answer["usage"]["completion_tokens"].integer)
          requests += 1
          #expect(answer["weighbridge"]["amount"].nano == self.expected(completion, request: requests) - before)
          if requests == 2 { try await gateway.stop() }
          if requests == 3 { gateway.crash() }
          if requests == 2 || requests == 3 { try await gateway.start() }
        }
        let charged = self.expected(completion, request: requests)
        #expect(try await gateway.total(customer: customer.id)["amount"].nano == charged)
        try await self.comparesWithOpenAI(gateway, customer, charged: charged, completion: completion, requests: requests)
        // In the last hours of a month this would be two months; then the next run looks again.
        guard month == String(Self.now().prefix(7)) else { return }
        let draft = try await gateway.admin("POST", "/invoices", #"{"customer":"\#(customer.id)","period":"\#(month)"}"#)
        #expect(draft["totals"]["exact"].nano == charged && draft["status"].string == "draft")
        #expect(draft["usage"][0]["requests"].integer == requests && draft["usage"][0]["entries"].integer == requests)
        #expect(draft["waits_for"].string?.contains("not over") == true)
        let id = try #require(draft["id"].string)
        let early = try await gateway.send(
          HTTPRequest(method: "POST", path: "/admin/v1/invoices/\(id)/finalize", key: gateway.adminKey, body: []))
        #expect(early.status == 409)
        // The places in the log are those of the settlements.
        let bundle = try LogEntries(bundle: try await gateway.exportBundle(named: "all"))
        let places = draft["usage"][0]["log_positions"].elements.flatMap { range in
          Array((range[0].integer ?? 0)...(range[1].integer ?? 0))
        }
        let settled = bundle.ofType("settle").compactMap { $0["seq"].integer }
        #expect(places == settled && settled.count == requests)
      }
    }

    @Test(
      "an invoice of a month that is over: numbered, in the log, in every form, corrected by a credit note, and there after a restart"
    )
    func finalised() async throws {
      try await Gateway.within(more: Self.configuration) { gateway in
        let customer = try await gateway.onboard()
        let month = "2026-01"
        func draft() async throws -> Reply {
          try await gateway.send(
            HTTPRequest(
              method: "POST", path: "/admin/v1/invoices", key: gateway.adminKey,
              body: Array(#"{"customer":"\#(customer.id)","period":"\#(month)"}"#.utf8)))
        }
        #expect(try await draft().status == 409, "nobody is invoiced without an address")
        try await gateway.admin(
          "PUT", "/customers/\(customer.id)/billing",
          #"{\#(Self.party),"commitments":[{"amount":"100.00","currency":"EUR"}]}"#)
        let id = try #require(try await draft().json["id"].string)
        let final = try await gateway.admin("POST", "/invoices/\(id)/finalize", "")
        #expect(final["number"].string == "INV-000001" && final["gross"].nano == 119_000_000_000)
        let document = try await gateway.send(HTTPRequest(path: "/admin/v1/invoices/\(id)", key: gateway.adminKey))
        #expect(document.headers["x-weighbridge-document-sha256"] == final["document_sha256"].string)
        let digest = try await run("/usr/bin/sha256sum", [], in: gateway.workplace, input: document.body)
        #expect(digest.output.hasPrefix(try #require(final["document_sha256"].string)), "whoever has the document can check it")
        let page = try await self.form("html", of: id, gateway)
        #expect(page.contains("INV-000001") && page.contains("Acme &lt;&amp;&gt;") && !page.contains("Acme <"))
        let ubl = try await self.form("ubl", of: id, gateway)
        #expect(ubl.contains("urn:oasis:names:specification:ubl:schema:xsd:Invoice-2") && ubl.contains(">119.00<"))
        #expect(try await draft().status == 409, "a month is invoiced once")

        try await gateway.stop()
        try await gateway.start()
        #expect(
          try await gateway.send(HTTPRequest(path: "/admin/v1/invoices/\(id)", key: gateway.adminKey)).body == document.body)
        let note = try await gateway.admin(
          "POST", "/invoices/\(id)/credit_notes", #"{"reason":"goodwill","lines":[{"line":1,"amount":"10.00"}]}"#)
        #expect(note["number"].string == "CN-000001" && note["gross"].nano == 11_900_000_000)
        let logged = try LogEntries(bundle: try await gateway.exportBundle(named: "all")).ofType("invoice")
        #expect(logged.compactMap { $0["number"].string } == ["INV-000001", "CN-000001"])
        #expect(logged.compactMap { $0["document_sha256"].string }.count == 2)

        let environment = ["WEIGHBRIDGE_ADMIN_KEY": gateway.adminKey, "WEIGHBRIDGE_URL": gateway.url]
        let shown = try await weighbridge("invoice", "show", id, in: gateway.workplace, environment: environment)
        #expect(shown.status == 0 && shown.output.contains("True-up") && shown.output.contains("119.00"), "\(shown.said)")
        let listed = try await weighbridge("invoice", "list", "--json", in: gateway.workplace, environment: environment)
        #expect(try JSONValue(listed.output)["data"].elements.count == 2)
        let run = try await weighbridge(
          "invoice", "finalize", "--period", "2026-02", in: gateway.workplace, environment: environment)
        #expect(run.status == 0 && run.output.contains("INV-000002"), "\(run.said)")
        let verified = try await gateway.verify(try await gateway.exportBundle(named: "later"))
        #expect(verified.command.status == 0 && verified.script.status == 0, "\(verified.command.said) \(verified.script.said)")
      }
    }

    /// The same sums in OpenAI's shapes, over all pages.
    private func comparesWithOpenAI(
      _ gateway: Gateway, _ customer: Customer, charged: Int, completion: Int, requests: Int
    ) async throws {
      func pages(_ path: String) async throws -> [JSONValue] {
        var (results, next): ([JSONValue], String?) = ([], "")
        while let page = next {
          let reply = try await gateway.send(HTTPRequest(path: path + page, key: gateway.adminKey))
          #expect(reply.status == 200, "\(reply.text)")
          let body = try reply.json
          results += body["data"].elements.flatMap { $0["results"].elements }
          next = body["next_page"].string.map { "&page=\($0)" }
          #expect((next != nil) == (body["has_more"] == .bool(true)))
        }
        return results
      }
      let start = Int(Date().timeIntervalSince1970) - 7200
      let usage = try await pages(
        "/v1/organization/usage/completions?start_time=\(start)&bucket_width=1h&limit=1&group_by=api_key_id")
      #expect(usage.compactMap { $0["output_tokens"].integer }.reduce(0, +) == completion)
      #expect(usage.compactMap { $0["num_model_requests"].integer }.reduce(0, +) == requests)
      #expect(usage.allSatisfy { $0["api_key_id"].string == customer.keyID && $0["model"] == .null })
      let costs = try await pages("/v1/organization/costs?start_time=\(start)&group_by[]=line_item")
      #expect(costs.allSatisfy { $0["line_item"].string == "demo" && $0["amount"]["currency"].string == "usd" })
      var nano = 0
      for cost in costs {
        if case .number(let value) = cost["amount"]["value"] { nano += Int((value * 1_000_000_000).rounded()) }
        if case .integer(let value) = cost["amount"]["value"] { nano += value * 1_000_000_000 }
      }
      #expect(nano == charged)
      for query in [
        "", "?start_time=x", "?start_time=1&limit=0", "?start_time=1&group_by=user_id", "?start_time=1&user_ids=a",
        "?start_time=1&page=page_7",
      ] {
        let reply = try await gateway.send(HTTPRequest(path: "/v1/organization/usage/completions\(query)", key: gateway.adminKey))
        #expect(reply.status == 400, "\(query): \(reply.status)")
      }
      let key = try await gateway.send(HTTPRequest(path: "/v1/organization/costs?start_time=1", key: customer.key))
      #expect(key.status == 401, "a customer's key reads its own usage only")
    }

    private func form(_ name: String, of id: String, _ gateway: Gateway) async throws -> String {
      let reply = try await gateway.send(
        HTTPRequest(path: "/admin/v1/invoices/\(id)?format=\(name)", key: gateway.adminKey))
      #expect(reply.status == 200)
      return reply.text
    }

    private static func now() -> String { ISO8601DateFormatter().string(from: Date()) }
  }
}
