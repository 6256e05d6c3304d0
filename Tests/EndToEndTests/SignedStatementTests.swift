internal import Foundation
internal import Testing

extension EndToEnd {
  /// Statements that came signed with CMS, by the commands of docs/how-to/onboard-a-customer.md; keys of months; models of several parts.
  @Suite("signed statements, month keys and lineage") struct SignedStatementTests {
    private func openssl(_ gateway: Gateway, _ arguments: [String]) async throws {
      let result = try await run("/usr/bin/env", ["openssl"] + arguments, in: gateway.workplace)
      guard result.status == 0 else { throw Failure("openssl \(arguments): \(result.said)") }
    }

    private func certify(_ gateway: Gateway, _ name: String, days: String = "30") async throws {
      try await self.openssl(
        gateway,
        [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)", "-keyout",
          gateway.workplace.file("\(name).key"), "-out", gateway.workplace.file("\(name).pem"), "-days", days,
        ])
    }

    /// The statement with a signature by the certificate of `name`, made with the key of `keyOf`.
    private func signed(
      _ gateway: Gateway, _ statement: String, by name: String, sent: String? = nil, shown: String? = nil
    )
      async throws -> String
    {
      func path(_ file: String) -> String { gateway.workplace.file(file) }
      try gateway.workplace.write(statement, to: "statement.json")
      try await self.openssl(
        gateway,
        [
          "cms", "-sign", "-binary", "-in", path("statement.json"), "-signer", path("\(name).pem"), "-inkey", path("\(name).key"),
          "-outform", "DER", "-out", path("statement.cms"),
        ])
      let value = Data(try readBytes(path("statement.cms"))).base64EncodedString()
      let certificate = try readText(path("\(shown ?? name).pem")).replacingOccurrences(of: "\n", with: "\\n")
      let signature = #""signature":{"algorithm":"cms","certificate":"\#(certificate)","value":"\#(value)"}"#
      return "{" + signature + "," + (sent ?? statement).dropFirst()
    }

    @Test("a CMS signature is taken with who made it; altered, by another, ended or sent twice it is refused")
    func cms() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        for name in ["counsel", "stranger"] { try await self.certify(gateway, name) }
        func statement(_ upper: Int) -> String {
          #"{"fact":"party.mau.2023-06","signer":{"name":"E","role":"Counsel"},"subject":"\#(customer.id)","value":{"upper":\#(upper)}}"#
        }
        func post(_ body: String) async throws -> Reply {
          try await gateway.post("/admin/v1/attestations", body, key: gateway.adminKey)
        }
        let good = try await self.signed(gateway, statement(900), by: "counsel")
        let taken = try await post(good)
        #expect(taken.status == 201 || taken.status == 200, "\(taken.text)")
        #expect(try taken.json["verified_signer"].string?.hasPrefix("CN=counsel (certificate sha256:") == true)
        #expect(try await post(good).status == 409)
        let altered = try await post(self.signed(gateway, statement(901), by: "counsel", sent: statement(902)))
        #expect(altered.status == 400 && altered.text.contains("does not belong to this statement"), "\(altered.text)")
        let foreign = try await post(self.signed(gateway, statement(903), by: "stranger", shown: "counsel"))
        #expect(foreign.status == 400, "\(foreign.text)")
        let listed = try await gateway.admin("GET", "/attestations?subject=\(customer.id)")["data"].elements
        #expect(listed.count { $0["verified_signer"].string != nil } == 1)
      }
    }

    @Test("the key of a month that has been kept for its time is destroyed, and the log says so; the running month's stays")
    func monthKeys() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        #expect(try await gateway.send(try Chat(maxTokens: 1, more: #","user":"u""#).request(key: customer.key)).status == 200)
        let folder = gateway.dataDirectory + "/keys/audience"
        let running = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(running.count == 1)
        try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: folder + "/2024-01.key"))
        try await Exchange.await("the key is destroyed", within: .seconds(20)) { () -> Bool? in
          FileManager.default.fileExists(atPath: folder + "/2024-01.key") ? nil : true
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == running)
        let entries = try LogEntries(bundle: try await gateway.exportBundle(named: "after"))
        let destroyed = entries.all.filter { $0["act"].string == "audience.key_destroyed" }
        #expect(destroyed.map { $0["month"].string } == ["2024-01"])
      }
    }

    @Test(
      "an auxiliary model is governed by its own terms, and the refusal names it; a part without role or terms is no configuration"
    )
    func lineage() async throws {
      let parts = "terms: [llama-2], auxiliary: [{name: sentry, role: guard, terms: [gemma]}]"
      try await Gateway.within(start: false) { gateway in
        let text = Gateway.configuration().replacingOccurrences(of: "terms: [llama-2]", with: parts)
        try gateway.workplace.write(text, to: "weighbridge.yaml")
        try await gateway.start()
        try await gateway.setPrice()
        let customer = try await gateway.admin("POST", "/customers", #"{"name":"Acme","country":"DE"}"#)
        let id = try #require(customer["id"].string)
        let rows = try await gateway.admin("GET", "/standing?subject=\(id)&model=demo")["missing"].elements
        let ofGuard = rows.filter { $0["parts"].elements.compactMap(\.string) == ["guard sentry"] }
        #expect(!ofGuard.isEmpty && ofGuard.count < rows.count)
        for row in rows where row["parts"].elements.contains(where: { $0.string == "base" }) {
          try await gateway.admin("POST", "/attestations", try Gateway.attestation(for: row))
        }
        let key = try await gateway.createKey(for: id, name: "first")
        let refused = try await gateway.send(try Chat(maxTokens: 1).request(key: key.secret))
        #expect(refused.status == 403 && refused.text.contains("the guard model 'sentry'"), "\(refused.text)")
        #expect(try refused.error["terms"].string == "gemma")
        let model = try #require(try await gateway.admin("GET", "/models")["data"].elements.first)
        #expect(model["lineage"].elements.compactMap { $0["part"].string } == ["base", "guard sentry"])
      }
      for (wrong, word) in [
        ("auxiliary: [{name: sentry, terms: [gemma]}]", "role"), ("auxiliary: [{name: a, role: judge, terms: [gemma]}]", "judge"),
        ("adapters: [{name: a}]", "terms"), ("adapters: [{name: a, terms: [mit]}, {name: a, terms: [mit]}]", "twice"),
      ] {
        try await Workplace.within { workplace in
          let text = Gateway.configuration().replacingOccurrences(of: "terms: [llama-2]", with: "terms: [llama-2], \(wrong)")
          let path = try workplace.write(text, to: "weighbridge.yaml")
          let refused = try await weighbridge("serve", "--config", path, in: workplace, within: .seconds(20))
          #expect(refused.status == 1 && refused.complaint.contains(word), "\(wrong): \(refused.said)")
        }
      }
    }
  }
}
