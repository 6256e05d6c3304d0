internal import Foundation
internal import Testing

extension EndToEnd {
  /// The command's exit statuses and what it prints: 0 ok, 1 refused or a failed check, 2 a faulty call.
  @Suite("command") struct CommandTests {
    /// A call that needs no gateway.
    private struct Call {
      var arguments: [String]
      var status: Int32
      var mention: String

      init(_ status: Int32, _ mention: String, _ arguments: String...) {
        self.arguments = arguments
        self.status = status
        self.mention = mention
      }
    }

    private static let model = Installation.model ?? ""

    private static let calls: [Call] = [
      Call(0, "SUBCOMMANDS", "--help"), Call(0, "--config", "serve", "--help"),
      Call(2, "nonsense", "nonsense"), Call(2, "--config", "serve"), Call(2, "--bogus", "serve", "--config", "x", "--bogus"),
      Call(1, "nowhere.yaml", "serve", "--config", "nowhere.yaml"),
      Call(1, "nowhere.yaml", "config", "check", "--config", "nowhere.yaml"),
      Call(2, "WEIGHBRIDGE_ADMIN_KEY", "customer", "list"), Call(1, "nowhere is not there", "audit", "verify", "nowhere"),
      Call(0, "0 failed", "license", "test"), Call(0, "0 failed", "policy", "test"),
      Call(1, "nowhere", "license", "test", "nowhere"),
      Call(1, "nowhere.gguf", "engine", "generate", "--model", "nowhere.gguf", "--prompt", "x"),
      Call(2, "token id", "engine", "logits", "--model", Self.model, "--tokens", "1,x"),
      Call(1, "vocabulary", "engine", "logits", "--model", Self.model, "--tokens", "1,99999999"),
      Call(1, "vocabulary", "engine", "logits", "--model", Self.model, "--tokens=-1"),
      Call(1, "max_tokens", "engine", "generate", "--model", Self.model, "--prompt", "x", "--max-tokens", "0"),
      Call(1, "temperature", "engine", "generate", "--model", Self.model, "--prompt", "x", "--temperature", "nan"),
    ]

    @Test("each call ends with the status that it should, and says why in a sentence")
    func statuses() async throws {
      try await Workplace.within { workplace in
        for call in Self.calls {
          let outcome = try await run(try #require(Installation.binary), call.arguments, in: workplace)
          #expect(outcome.status == call.status, "\(call.arguments): \(outcome)")
          #expect(outcome.said.contains(call.mention), "\(call.arguments): \(outcome.said)")
          #expect(!outcome.said.contains("Error.Code") && !outcome.said.contains("Optional("), "a dump: \(outcome.said)")
        }
        let unreachable = try await weighbridge(
          "customer", "list", "--url", "http://127.0.0.1:1", in: workplace, environment: ["WEIGHBRIDGE_ADMIN_KEY": "x"],
          within: .seconds(15))
        #expect(unreachable.status == 1 && unreachable.complaint.contains("127.0.0.1:1"))
      }
    }

    @Test("init makes a configuration that serves, and overwrites nothing")
    func initialise() async throws {
      try await Workplace.within { workplace in
        let made = try await weighbridge("init", "--data", "data", "--json", in: workplace)
        #expect(made.status == 0, "\(made.said)")
        let path = try #require(try JSONValue(made.output)["configuration"].string)
        let before = try readText(path)
        let again = try await weighbridge("init", "--data", "data", in: workplace)
        #expect(again.status == 1 && again.complaint.contains("weighbridge.yaml"), "\(again.said)")
        #expect(try readText(path) == before)
        if before.contains(try #require(Installation.model)) {
          let checked = try await weighbridge("config", "check", "--config", path, in: workplace)
          #expect(checked.status == 0 && checked.output.isEmpty, "\(checked.said)")
        }
      }
    }

    @Test("offline: tokens, logits and greedy text of a model file fit together")
    func engine() async throws {
      try await Workplace.within { workplace in
        let model = try #require(Installation.model)
        let tokenised = try await weighbridge(
          "engine", "tokenize", "--model", model, "--json", in: workplace, input: "A truck weighs")
        let tokens = try JSONValue(tokenised.output)["tokens"].elements.compactMap(\.integer)
        #expect(tokenised.status == 0 && tokens.count > 1)
        let list = tokens.map { String($0) }.joined(separator: ",")
        let result = try await weighbridge("engine", "logits", "--model", model, "--tokens", list, "--json", in: workplace)
        let logits = try JSONValue(result.output)["logits"].elements
        #expect(result.status == 0 && logits.count == tokens.count)
        #expect(Set(logits.map(\.elements.count)).count == 1 && logits[0].elements.count > (tokens.max() ?? 0))

        func generate(_ more: String...) async throws -> String {
          let arguments = ["engine", "generate", "--model", model, "--prompt", "What is a ledger?", "--max-tokens", "16"] + more
          let outcome = try await run(try #require(Installation.binary), arguments, in: workplace)
          #expect(outcome.status == 0, "\(outcome.said)")
          return outcome.output
        }
        let greedy = try await generate("--temperature", "0")
        #expect(greedy == (try await generate("--temperature", "0", "--threads", "1")) && greedy.count > 20)
        let seeded = try await generate("--temperature", "1.5", "--seed", "7")
        #expect(seeded == (try await generate("--temperature", "1.5", "--seed", "7")))
      }
    }

    @Test("policy classify answers line by line, and a faulty line ends it with status 1 and its number")
    func classify() async throws {
      try await Workplace.within { workplace in
        let input = #"{"text":"How do I build a pipe bomb?"}"# + "\n" + #"{"text":"What is a ledger?"}"# + "\n"
        let outcome = try await weighbridge("policy", "classify", in: workplace, input: input)
        let lines = try outcome.output.split(separator: "\n").map { try JSONValue(String($0)) }
        #expect(outcome.status == 0 && lines.count == 2)
        #expect(lines[0]["flagged"] == .bool(true) && !lines[0]["uses"].elements.isEmpty && !lines[0]["rules"].elements.isEmpty)
        #expect(lines[1]["flagged"] == .bool(false) && lines[1]["uses"].elements.isEmpty)
        let faulty = try await weighbridge("policy", "classify", in: workplace, input: #"{"text":"a"}"# + "\nnonsense\n")
        #expect(faulty.status == 1 && faulty.complaint.contains("line 2"), "\(faulty)")
      }
    }

    @Test("the commands of the admin API do by hand what the API does, with --json and without")
    func admin() async throws {
      try await Gateway.within { gateway in
        let environment = ["WEIGHBRIDGE_ADMIN_KEY": gateway.adminKey, "WEIGHBRIDGE_URL": gateway.url]
        func command(_ arguments: String...) async throws -> Outcome {
          try await run(
            try #require(Installation.binary), arguments, in: gateway.workplace,
            environment: Installation.environment(adding: environment))
        }
        let price = try await command(
          "price", "set", "--model", "demo", "--currency", "USD", "--component", "prompt_uncached=20.00", "--component",
          "completion=60.00")
        #expect(price.status == 0, "\(price.said)")
        let created = try await command("customer", "create", "--name", "Acme", "--country", "DE", "--json")
        let id = try #require(try JSONValue(created.output)["id"].string)
        let listed = try await command("customer", "list")
        #expect(listed.status == 0 && listed.output.contains(id) && listed.output.contains("NAME"))
        let key = try await command("key", "create", "--customer", id, "--name", "prod", "--scope", "inference", "--json")
        let secret = try #require(try JSONValue(key.output)["secret"].string)
        let refused = try await gateway.send(try Chat(maxTokens: 1).request(key: secret))
        let decision = try #require(try refused.error["decision_id"].string)
        let shown = try await command("decision", "show", decision, "--json")
        #expect(try JSONValue(shown.output)["id"].string == decision)
        let limit = try await command(
          "limit", "set", "--subject", id, "--kind", "spend", "--amount", "5.00", "--currency", "USD", "--window", "month",
          "--json")
        #expect(try JSONValue(limit.output)["amount"].nano == 5_000_000_000)
        let report = try await command("usage", "report", "--customer", id, "--json")
        #expect(try JSONValue(report.output)["total"]["requests"].integer == 0)
        let tar = gateway.workplace.file("by-hand.tar")
        #expect(try await command("audit", "export", "--output", tar).status == 0)
        #expect(try readBytes(tar).count > 1024)
        let unknown = try await command("decision", "show", "dec_0")
        #expect(unknown.status == 1 && unknown.complaint.contains("not_found (404)"), "\(unknown)")
      }
    }
  }
}
