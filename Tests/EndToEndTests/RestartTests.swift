internal import Foundation
internal import Testing

extension EndToEnd {
  /// What a clean restart keeps, and how the log goes on.
  @Suite("restart") struct RestartTests {
    @Test("keys, limits, prices, usage and standing are there after a restart, and the log goes on without a gap")
    func keeps() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let chat = Chat(maxTokens: 4)
        let charge = try #require(try await gateway.ask(chat, key: customer.key)["weighbridge"]["amount"].nano)
        try await gateway.limitSpend(of: customer.keyID, toNano: 3 * charge)
        let revoked = try await gateway.createKey(for: customer.id)
        try await gateway.admin("POST", "/keys/\(revoked.id)/revoke")
        let before = try await self.state(gateway, customer)
        let first = try await gateway.exportBundle(named: "first")
        #expect(try await gateway.stop().status == 0)

        try await gateway.start()
        #expect(try await self.state(gateway, customer) == before)
        // The limit remembers what was spent: two more fit, a third does not.
        _ = try await gateway.ask(chat, key: customer.key)
        _ = try await gateway.ask(chat, key: customer.key)
        #expect(try await gateway.send(try chat.request(key: customer.key)).status == 402)
        #expect(try await gateway.send(try chat.request(key: revoked.secret)).status == 401)

        let second = try await gateway.exportBundle(named: "second")
        #expect(try await gateway.verify(second).command.status == 0)
        let earlier = try LogEntries(bundle: first).all
        let all = try LogEntries(bundle: second).all
        #expect(all.map { $0["seq"].integer } == Array(0..<all.count).map { $0 })
        #expect(Array(all.prefix(earlier.count)) == earlier, "the log goes on, it does not begin anew")
        #expect(Set(all.compactMap { $0["boot"].string }).count == 2)
      }
    }

    @Test("a charge is corrected by route and command, counts in its limit, and is in the log, also after a restart")
    func adjusts() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let chat = Chat(maxTokens: 4)
        let reply = try await gateway.send(try chat.request(key: customer.key))
        let usage = try #require(reply.headers["x-weighbridge-usage"])
        let charge = try #require(try reply.json["weighbridge"]["amount"].nano)
        try await gateway.limitSpend(of: customer.keyID, toNano: charge)
        #expect(try await gateway.send(try chat.request(key: customer.key)).status == 402)
        let amount = try #require(try reply.json["weighbridge"]["amount"].string)
        let body = #"{"usage":"\#(usage)","amount":"-\#(amount)","reason":"Wrong model","reference":"case 1"}"#
        let made = try await gateway.admin("POST", "/adjustments", body)
        #expect(made["id"].string?.hasPrefix("adj_") == true && made["amount"].string == "-\(amount)")
        #expect(try await gateway.admin("POST", "/adjustments", body)["id"] == made["id"], "a retry corrects nothing more")
        let again = try await weighbridge(
          "usage", "adjust", "--usage", usage, "--amount=-0.000000001", "--reason", "Too much", "--url", gateway.url,
          in: gateway.workplace, environment: ["WEIGHBRIDGE_ADMIN_KEY": gateway.adminKey])
        #expect(again.status == 1, "nothing is left to give back")
        #expect(try await gateway.stop().status == 0)
        try await gateway.start()
        #expect(try await gateway.admin("GET", "/adjustments?customer=\(customer.id)")["data"].elements == [made])
        #expect(try await gateway.admin("GET", "/adjustments?usage=usg_00000000000000000000000000")["data"] == .array([]))
        #expect(try await gateway.send(try chat.request(key: customer.key)).status == 200, "what was given back can be spent")
        let bundle = try await gateway.exportBundle(named: "bundle")
        #expect(try await gateway.verify(bundle).command.status == 0)
        let entry = try #require(try LogEntries(bundle: bundle).all.first { $0["type"].string == "adjust" })
        #expect(entry["usage"].string == usage && entry["reason"].string == "Wrong model" && entry["actor"].string == "bootstrap")
      }
    }

    @Test("a bundle of the time since proves that its log is the continuation of the one before")
    func continuation() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        _ = try await gateway.ask(Chat(maxTokens: 2), key: customer.key)
        let first = try await gateway.exportBundle(named: "first")
        try await gateway.stop()
        // Entries carry milliseconds: the next ones are of a later instant.
        try await Task.sleep(for: .milliseconds(20))
        let from = Self.now()
        try await Task.sleep(for: .milliseconds(20))
        try await gateway.start()
        _ = try await gateway.ask(Chat(maxTokens: 3), key: customer.key)

        let second = try await gateway.exportBundle(named: "second", span: #","from":"\#(from)""#)
        let (command, script) = try await gateway.verify(second)
        #expect(command.status == 0 && script.status == 0, "\(command.said) \(script.said)")
        let entries = try LogEntries(bundle: second)
        #expect(entries.ofType("settle").count == 1, "only what came since")
        let earlier = try LogEntries(bundle: first).all.count
        #expect((entries.all.first?["seq"].integer ?? 0) >= earlier - 1)
        let previous = try readText(second + "/previous-checkpoint")
        #expect(!previous.isEmpty)
        let consistency = try JSONValue(try readText(second + "/consistency.json"))
        #expect(consistency["first_size"].integer == entries.all.first?["seq"].integer)
        #expect(consistency["previous_size"].integer == previous.split(separator: "\n").dropFirst().first.flatMap { Int($0) })

        // Another previous checkpoint is not the one that the log grew from.
        let changed = previous.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        try (changed.prefix(1) + ["1"] + changed.dropFirst(2)).joined(separator: "\n")
          .write(toFile: second + "/previous-checkpoint", atomically: true, encoding: .utf8)
        let (refused, refusedToo) = try await gateway.verify(second)
        #expect(refused.status == 1 && refused.said.contains("previous-checkpoint"), "\(refused.said)")
        #expect(refusedToo.status == 1 && refusedToo.said.contains("previous-checkpoint"), "\(refusedToo.said)")
      }
    }

    private static func now() -> String {
      let format = ISO8601DateFormatter()
      format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
      return format.string(from: Date())
    }

    /// What the admin API says of a customer.
    private func state(_ gateway: Gateway, _ customer: Customer) async throws -> [JSONValue] {
      var answers: [JSONValue] = []
      for path in [
        "/customers/\(customer.id)", "/customers/\(customer.id)/keys", "/limits", "/prices",
        "/usage?customer=\(customer.id)&group_by=key,model,day",
        "/standing?subject=\(customer.id)&model=demo", "/audience", "/models", "/licenses",
      ] { answers.append(try await gateway.admin("GET", path)) }
      return answers
    }
  }
}
