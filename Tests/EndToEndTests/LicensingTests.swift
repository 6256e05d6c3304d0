internal import Foundation
internal import Testing

extension EndToEnd {
  /// What opens and what closes the gate of the license, on the real process.
  @Suite("licensing") struct LicensingTests {
    private func newcomer(_ gateway: Gateway, _ name: String = "Newcomer") async throws -> Customer {
      let customer = try await gateway.admin("POST", "/customers", #"{"name":"\#(name)","country":"DE"}"#)
      let id = try #require(customer["id"].string)
      let key = try await gateway.createKey(for: id, name: "first")
      return Customer(id: id, key: key.secret, keyID: key.id)
    }

    private func send(_ gateway: Gateway, _ customer: Customer, user: String? = nil, more: String = "") async throws -> Reply {
      let user = user.map { #","user":"\#($0)""# } ?? ""
      return try await gateway.send(try Chat(maxTokens: 1, more: user + more).request(key: customer.key))
    }

    private static var today: String { String(Date().ISO8601Format().prefix(10)) }
    private static var tomorrow: String { String(Date(timeIntervalSinceNow: 86_400).ISO8601Format().prefix(10)) }

    @Test("no attestation: 403 with clause, fact, state and remedy; posting what is missing opens the gate at once")
    func opens() async throws {
      try await Gateway.within { gateway in
        try await gateway.setPrice()
        let customer = try await self.newcomer(gateway)
        let refused = try await self.send(gateway, customer)
        let error = try refused.error
        #expect(refused.status == 403 && refused.headers["x-should-retry"] == "false")
        for member in ["clause", "ref", "fact", "remedy"] {
          #expect(error[member].string?.isEmpty == false, "\(member): \(error)")
        }
        #expect(error["state"].string == "missing")
        let decision = try #require(error["decision_id"].string)
        let shown = try await gateway.admin("GET", "/decisions/\(decision)")
        #expect(shown["clause"] == error["clause"] && shown["standing_verdict"]["verdict"].string == "require_record")
        let rows = try await gateway.admin("GET", "/standing?subject=\(customer.id)&model=demo")["missing"].elements
        #expect(!rows.isEmpty)
        for (index, row) in rows.enumerated() {
          #expect(try await self.send(gateway, customer).status == 403, "open before the last record, \(index) of \(rows.count)")
          try await gateway.admin("POST", "/attestations", try Gateway.attestation(for: row))
        }
        #expect(try await self.send(gateway, customer).status == 200)
      }
    }

    @Test("a suit recorded as filed closes the gate from its date, and no sooner")
    func suit() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let other = try await gateway.onboard("Other")
        func file(_ subject: String, on day: String) async throws {
          try await gateway.admin(
            "POST", "/terminations", #"{"subject":"\#(subject)","terms":"llama-2","fact":"party.ip_suit_filed","on":"\#(day)"}"#)
        }
        try await file(other.id, on: Self.tomorrow)
        #expect(try await self.send(gateway, other).status == 200)
        try await file(customer.id, on: Self.today)
        let refused = try await self.send(gateway, customer)
        #expect(refused.status == 403)
        #expect(try refused.error["code"].string == "license_terminated")
        #expect(try refused.error["ref"].string?.contains("5.c") == true)
        let list = try await gateway.admin("GET", "/terminations")["data"].elements
        #expect(Set(list.compactMap { $0["deletion"].string }) == ["due", "not_due"])
      }
    }

    @Test("a grant by two admins cures section 2, and only section 2")
    func grant() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        func attest(_ fact: String, _ value: String) async throws {
          try await gateway.admin(
            "POST", "/attestations",
            #"{"subject":"\#(customer.id)","fact":"\#(fact)","value":\#(value),"signer":{"name":"E","role":"Counsel"}}"#)
        }
        try await attest("party.mau.2023-06", #"{"lower":800000000,"upper":900000000}"#)
        let refused = try await self.send(gateway, customer)
        #expect(try refused.error["ref"].string == "2")
        let digest = String(repeating: "ab", count: 32)
        let grant = try await gateway.admin(
          "POST", "/grants",
          #"{"subject":"\#(customer.id)","terms":"llama-2","exception":"separate-license","document_sha256":"\#(digest)","signatory":"L. Icensor","valid_from":"2026-01-01"}"#
        )
        let id = try #require(grant["id"].string)
        #expect(try await self.send(gateway, customer).status == 403)
        let alone = try await gateway.send(
          HTTPRequest(method: "POST", path: "/admin/v1/grants/\(id)/confirm", key: gateway.adminKey))
        #expect(alone.status == 403)
        let ann = try await gateway.admin("POST", "/admin_keys", #"{"name":"ann"}"#)
        let confirmed = try await gateway.send(
          HTTPRequest(method: "POST", path: "/admin/v1/grants/\(id)/confirm", key: ann["secret"].string))
        #expect(confirmed.status == 200)
        #expect(try await self.send(gateway, customer).status == 200)
        try await attest("party.sanctions_clear", "false")
        let other = try await self.send(gateway, customer)
        #expect(try other.status == 403 && other.error["ref"].string?.hasPrefix("1.b.iv") == true, "\(other.text)")
      }
    }

    @Test("a measured count above the attested bound closes the gate, with an alert; affiliates count as one")
    func measured() async throws {
      try await HouseTerms.within { gateway in
        let customer = try await gateway.open()
        try await gateway.admin(
          "POST", "/attestations",
          #"{"subject":"\#(customer.id)","fact":"party.users","value":{"upper":2},"signer":{"name":"E","role":"Counsel"}}"#)
        for user in ["one", "two", "one"] { #expect(try await self.send(gateway, customer, user: user).status == 200) }
        let refused = try await self.send(gateway, customer, user: "three")
        #expect(try refused.status == 403 && refused.error["state"].string == "contradicted", "\(refused.text)")
        #expect(try refused.error["fact"].string == "party.users" && refused.error["terms"].string == "house")
        #expect(try await self.send(gateway, customer, user: "one").status == 403)
        let metrics = try await gateway.metrics()
        #expect(metrics.sum("weighbridge_alerts_total", ["kind": "attestation.refuted"]) == 1)
        let explained = try await weighbridge(
          "license", "explain", customer.id, "demo", "--url", gateway.url, in: gateway.workplace,
          environment: ["WEIGHBRIDGE_ADMIN_KEY": gateway.adminKey])
        #expect(explained.status == 0 && explained.output.contains("contradicted"), "\(explained.said)")
        #expect(
          explained.output.contains("at least 3, attestation att_") && explained.output.contains("(Counsel)"),
          "facts with their sources")
        let audience = try await gateway.admin("GET", "/audience")["data"].elements
        let row = try #require(audience.first { $0["scope"].string == customer.id })
        #expect(row["active_users"].integer == 3)
        // The counts, anonymous ones with their bounds, are the same after a restart.
        _ = try await gateway.stop()
        try await gateway.start()
        let again = try await gateway.admin("GET", "/audience")["data"].elements
        func bounds(_ rows: [JSONValue]) -> [[JSONValue]] {
          rows.map { [$0["scope"], $0["least"], $0["most"], $0["active_users"]] }
        }
        #expect(bounds(again) == bounds(audience))
        #expect(try await self.send(gateway, customer, user: "one").status == 403)
      }
    }

    @Test("the place of a request is what the trusted header says; without it the request is refused as unknown")
    func region() async throws {
      try await HouseTerms.within(asksPlace: true, policies: "request_region: {header: x-country}") { gateway in
        let customer = try await gateway.open()
        func status(_ countries: [String]) async throws -> (Int, String?) {
          let reply = try await gateway.send(
            try Chat(maxTokens: 1).request(key: customer.key, headers: countries.map { ("X-Country", $0) }))
          return (reply.status, reply.status == 403 ? try reply.error["state"].string : nil)
        }
        #expect(try await status(["DE"]) == (200, nil))
        #expect(try await status(["FR"]) == (403, "false"))
        #expect(try await status([]) == (403, "missing"))
        #expect(try await status(["XX"]) == (403, "missing"))
        #expect(try await status(["DE", "FR"]) == (403, "missing"))
      }
    }

    @Test("an export of output to train another model is refused with the clause; one for accounting is made")
    func exports() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        #expect(try await self.send(gateway, customer).status == 200)
        func order(_ purpose: String) async throws -> Reply {
          try await gateway.post(
            "/admin/v1/exports", #"{"kind":"usage","format":"csv","customer":"\#(customer.id)",\#(purpose)}"#,
            key: gateway.adminKey)
        }
        for target in ["", #","target_lineage":"another""#] {
          let refused = try await order(#""purpose":"model_training"\#(target)"#)
          #expect(try refused.status == 403 && refused.error["ref"].string == "1.b.v", "\(refused.text)")
          let decision = try #require(try refused.error["decision_id"].string)
          #expect(try await gateway.admin("GET", "/decisions/\(decision)")["moment"].string == "export")
        }
        let own = try await order(#""purpose":"model_training","target_lineage":"llama-2""#)
        #expect(own.status == 202, "\(own.text)")
        #expect(try await order(#""purpose":"accounting""#).status == 202)
        #expect(try await order(#""purpose":"fun""#).status == 400)
      }
    }

    @Test("a text is taken in by the digest of its normalised form, handed out as it is, and one with another word is refused")
    func normalised() async throws {
      try await HouseTerms.within { gateway in
        let path = "/admin/v1/licenses/house/documents/policy"
        func put(_ text: String) async throws -> Reply {
          try await gateway.send(
            HTTPRequest(
              method: "PUT", path: path, key: gateway.adminKey, headers: [("Content-Type", "text/plain")], body: Array(text.utf8))
          )
        }
        let changed = try await put(HouseTerms.policy.replacingOccurrences(of: "Nobody", with: "Everybody"))
        #expect(changed.status == 400)
        let another = HouseTerms.policy.replacingOccurrences(of: "\n", with: "\r\n").replacingOccurrences(of: "*", with: "**")
        let taken = try await put(another)
        #expect(taken.status == 201, "\(taken.text)")
        #expect(try await gateway.get("/legal/licenses/house/documents/policy").text == another)
      }
    }

    @Test("term files with an error change nothing: those before stay in force, and readyz says so until they are sound")
    func reload() async throws {
      try await HouseTerms.within { gateway in
        let customer = try await gateway.open()
        let sound = try readText(gateway.workplace.file("terms/house/terms.yaml"))
        try gateway.workplace.write(
          sound.replacingOccurrences(of: "at_most: 2", with: "at_most: many"), to: "terms/house/terms.yaml")
        let refused = try await gateway.send(
          HTTPRequest(method: "POST", path: "/admin/v1/licenses/reload", key: gateway.adminKey))
        #expect(refused.status == 400 && refused.text.contains("at_most"), "\(refused.text)")
        #expect(try await gateway.get("/readyz").text.contains("at_most"))
        #expect(try await self.send(gateway, customer, user: "one").status == 200)
        try gateway.workplace.write(sound, to: "terms/house/terms.yaml")
        try await gateway.admin("POST", "/licenses/reload")
        #expect(try await !gateway.get("/readyz").text.contains("at_most"))
      }
    }
  }
}

/// A gateway whose one model is under house rules besides its license: a number of users that is measured, a policy with a digest, and
/// perhaps a place.
enum HouseTerms {
  static let policy = "# Our  *Policy*\n\n\u{201C}Nobody\u{201D} shall pass it on to every-\nbody \u{A9} 2026.\n"

  static func within(
    asksPlace: Bool = false, policies: String = "", _ body: (Gateway) async throws -> Void
  ) async throws {
    let more = """
      policies:
        terms: ["./terms", "\(Installation.root)/Licenses"]
        for_all_models: [house]
        \(policies)
      """
    try await Gateway.within(more: more, start: false) { gateway in
      let folder = gateway.workplace.file("terms/house")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try gateway.workplace.write(Self.terms(asksPlace: asksPlace), to: "terms/house/terms.yaml")
      try await gateway.start()
      try await body(gateway)
    }
  }

  private static func terms(asksPlace: Bool) -> String {
    let fact = "request.region: {type: region, subject: request, source: [request, config]}"
    let clause = """
      - {id: place, ref: "2", kind: condition, summary: Not from France., binds: [customer], moments: [request],
           require: {not: {fact: request.region, in: [FR]}}, on_false: deny, on_unknown: require_record}
      """
    return """
      schema: model-terms/1
      id: house
      revision: 1
      title: House rules
      status: in-force
      documents:
        - role: policy
          name: POLICY.md
          url: https://example.org/policy
          mutable: false
          accepted: [{sha256: \(String(repeating: "ab", count: 32)), bytes: 1, from: nowhere}]
          normalized_sha256: [6980f9a58b83f6c4e1023b09e671c8e92174441528b263ad24518227832b6cf5]
          normalizer: nfkc-quotes-markup-space-lower/1
      sections: ["1"\(asksPlace ? ", \"2\"" : "")]
      facts:
        party.users:
          type: count
          subject: party_and_affiliates
          source: [attestation, measured]
          bound: upper
          statement: The party and its affiliates have at most that many users.
        \(asksPlace ? fact : "")
      clauses:
        - id: users
          ref: "1"
          kind: condition
          summary: No more users than a thousand thousands.
          binds: [customer]
          moments: [onboard, request]
          require:
            threshold:
              metric: monthly_active_users
              fact: party.users
              entities: {include: [licensee, affiliates]}
              products: all
              period: {anchor: any_time}
              limit: {at_most: 2000000}
              ongoing: true
          on_false: deny
          on_unknown: require_record
        \(asksPlace ? clause : "")

      """
  }
}
