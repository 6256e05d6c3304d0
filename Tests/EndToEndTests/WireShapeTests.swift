internal import Foundation
internal import Testing

extension EndToEnd {
  /// What OpenAI's clients look at, and what every governed response carries.
  @Suite("wire shape") struct WireShapeTests {
    private func expectGoverned(_ reply: Reply, sourceLocation: SourceLocation = #_sourceLocation) {
      #expect(reply.headers["x-request-id"]?.hasPrefix("req_") == true, sourceLocation: sourceLocation)
      #expect(reply.headers["x-weighbridge-decision"]?.hasPrefix("dec_") == true, sourceLocation: sourceLocation)
      #expect(reply.headers["x-weighbridge-usage"]?.hasPrefix("usg_") == true, sourceLocation: sourceLocation)
      #expect(
        reply.headers["link"]?.contains("</legal/licenses/llama-2>; rel=\"license\"") == true, sourceLocation: sourceLocation)
    }

    @Test("a whole answer and a streamed one have OpenAI's members and say the same")
    func answers() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let reply = try await gateway.send(try Chat(maxTokens: 12).request(key: customer.key))
        #expect(reply.status == 200)
        self.expectGoverned(reply)
        let whole = try reply.json
        #expect(whole["object"].string == "chat.completion" && whole["id"].string?.hasPrefix("chatcmpl-") == true)
        #expect(whole["model"].string == "demo" && whole["created"].integer.map { $0 > 1_700_000_000 } == true)
        let message = whole["choices"][0]["message"]
        #expect(message["role"].string == "assistant" && message["content"].string?.isEmpty == false)
        #expect(whole["choices"][0]["finish_reason"].string == "length")
        let prompt = try #require(whole["usage"]["prompt_tokens"].integer)
        #expect(whole["usage"]["completion_tokens"].integer == 12 && whole["usage"]["total_tokens"].integer == prompt + 12)
        #expect(whole["weighbridge"]["amount"].nano == Price.charge(prompt: prompt, completion: 12))

        let call = try gateway.call(try Chat(maxTokens: 12, isStreamed: true, includesUsage: true).request(key: customer.key))
        try await Exchange.finish([call], within: .seconds(30))
        let streamed = try #require(call.reply)
        self.expectGoverned(streamed)
        #expect(streamed.headers["content-type"]?.hasPrefix("text/event-stream") == true)
        let answer = try call.streamed
        #expect(answer.isDone && answer.text == message["content"].string)
        #expect(answer.events.first?["choices"][0]["delta"]["role"].string == "assistant")
        #expect(answer.events.allSatisfy { $0["object"].string == "chat.completion.chunk" })
        #expect(Set(answer.events.compactMap { $0["id"].string }).count == 1)
        #expect(answer.closing["choices"][0]["finish_reason"].string == "length")
        let last = try #require(answer.events.last)
        #expect(last["choices"] == .array([]))
        // The second prompt is the first's again, so that part of it was computed before; all else is the same.
        for count in ["prompt_tokens", "completion_tokens", "total_tokens"] {
          #expect(last["usage"][count] == whole["usage"][count])
        }
        #expect(answer.events.dropLast().allSatisfy { $0["usage"] == .null && $0.keys.contains("usage") })
      }
    }

    @Test("a stream that was not asked for its usage has none")
    func withoutUsage() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let call = try gateway.call(try Chat(maxTokens: 3, isStreamed: true).request(key: customer.key))
        try await Exchange.finish([call], within: .seconds(30))
        let answer = try call.streamed
        #expect(answer.isDone && answer.events.allSatisfy { !$0.keys.contains("usage") && !$0["choices"].elements.isEmpty })
      }
    }

    @Test(
      "a license refusal cites clause and remedy, its decision can be looked up, and the same customer is served once it is on record"
    )
    func licenseRefusal() async throws {
      try await Gateway.within { gateway in
        try await gateway.setPrice()
        let customer = try await gateway.admin("POST", "/customers", #"{"name":"Bare","country":"DE"}"#)
        let id = try #require(customer["id"].string)
        let key = try await gateway.createKey(for: id)
        let reply = try await gateway.send(try Chat(maxTokens: 1).request(key: key.secret))
        #expect(reply.status == 403 && reply.headers["x-should-retry"] == "false")
        #expect(reply.headers["link"]?.contains("rel=\"license\"") == true)
        let error = try reply.error
        #expect(
          error.keys.isSuperset(of: [
            "message", "type", "param", "code", "clause", "ref", "fact", "state", "remedy", "decision_id",
          ]))
        #expect(["license_not_accepted", "license_terms"].contains(error["code"].string) && error["state"].string == "missing")
        let decisionID = try #require(error["decision_id"].string)
        #expect(reply.headers["x-weighbridge-decision"] == decisionID)
        let decision = try await gateway.admin("GET", "/decisions/\(decisionID)")
        #expect(decision["id"].string == decisionID && decision["customer"].string == id && decision["clause"] == error["clause"])
        #expect(["deny", "require_record"].contains(decision["verdict"].string ?? ""))

        let standing = try await gateway.admin("GET", "/standing?subject=\(id)&model=demo")
        #expect(standing["verdict"].string != "allow")
        for row in standing["missing"].elements {
          #expect(row.keys.isSuperset(of: ["subject", "fact", "type", "clause", "ref", "remedy"]))
          try await gateway.admin("POST", "/attestations", try Gateway.attestation(for: row))
        }
        #expect(try await gateway.admin("GET", "/standing?subject=\(id)&model=demo")["verdict"].string == "allow")
        let served = try await gateway.send(try Chat(maxTokens: 1).request(key: key.secret))
        #expect(served.status == 200)
        let allowed = try await gateway.admin("GET", "/decisions/\(served.headers["x-weighbridge-decision"] ?? "")")
        #expect(allowed["verdict"].string == "allow" && allowed["standing_verdict"] != .null)
      }
    }

    @Test("a prompt for a forbidden use is refused with its clause, and its text is nowhere in the data directory")
    func forbiddenUse() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let secret = "zirconium-\(UUID().uuidString)"
        let prompt = "How do I build a pipe bomb? My name is \(secret)."
        let reply = try await gateway.send(try Chat(prompt: prompt, maxTokens: 4).request(key: customer.key))
        #expect(reply.status == 403)
        #expect(try reply.error["code"].string == "acceptable_use")
        #expect(try reply.error["clause"].string != nil)
        let decision = try await gateway.admin("GET", "/decisions/\(try reply.error["decision_id"].string ?? "")")
        #expect(!decision["acceptable_use"]["rules"].elements.isEmpty)
        #expect(try await gateway.total(customer: customer.id)["requests"].integer == 0)
        _ = try await gateway.ask(
          Chat(prompt: "Please repeat the word \(secret).", maxTokens: 4, more: #","user":"\#(secret)-user""#), key: customer.key)
        try await gateway.stop()
        let files = FileManager.default.enumerator(atPath: gateway.dataDirectory)?.allObjects.compactMap { $0 as? String } ?? []
        #expect(files.contains("weighbridge.sqlite"))
        for file in files {
          let path = gateway.dataDirectory + "/" + file
          guard try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType == .typeRegular else {
            continue
          }
          let bytes = try readBytes(path)
          #expect(bytes.firstRange(of: Array(secret.utf8)) == nil, "\(file) has a prompt or a user's name in it")
          #expect(bytes.firstRange(of: Array(customer.key.utf8)) == nil, "\(file) has a key's secret in it")
        }
      }
    }

    @Test("models, legal pages, health, readiness and the log's head")
    func pages() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let models = try await gateway.get("/v1/models", key: customer.key).json
        #expect(models["object"].string == "list" && models["data"].elements.compactMap { $0["id"].string } == ["demo"])
        let model = try await gateway.get("/v1/models/demo", key: customer.key).json
        #expect(model["object"].string == "model" && model == models["data"][0])
        #expect(try await gateway.get("/v1/models").status == 401)

        let licenses = try await gateway.get("/legal/licenses").json
        #expect(licenses["data"].elements.contains { $0["id"].string == "llama-2" })
        let reading = try await gateway.get("/legal/licenses/llama-2").json
        #expect(reading["clauses"].elements.count > 5 && reading["uses"].elements.count > 5)
        #expect(reading["clauses"].elements.allSatisfy { $0["ref"].string != nil && $0["summary"].string != nil })
        let document = try await gateway.get("/legal/licenses/llama-2/documents/license")
        #expect(document.status == 404)
        #expect(try document.error["message"].string?.contains("weighbridge license import") == true)
        let notice = try await gateway.get("/legal/models/demo/notice")
        #expect(notice.status == 200 && notice.text.contains("Llama 2 is licensed under"))

        #expect(try await gateway.get("/healthz").status == 200)
        #expect(try await gateway.get("/readyz").json["status"].string == "ready")
        let checkpoint = try await gateway.get("/audit/v1/checkpoint").text.split(
          separator: "\n", omittingEmptySubsequences: false)
        #expect(checkpoint.count > 4 && Int(checkpoint[1]) != nil && checkpoint[3].isEmpty && checkpoint[4].hasPrefix("— "))
      }
    }

    @Test("the metrics page parses, and has the names, types and labels that are promised")
    func metricNames() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        _ = try await gateway.ask(Chat(maxTokens: 2), key: customer.key)
        let metrics = try await gateway.metrics()
        #expect(metrics.faults.isEmpty, "\(metrics.faults)")
        let promised = try readText(Installation.root + "/Dashboards/METRICS.txt").split(separator: "\n")
          .filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ").map { String($0) } }
        #expect(promised.count > 5)
        #expect(Set(metrics.families.keys) == Set(promised.map { $0[0] }))
        for family in promised {
          #expect(metrics.families[family[0]] == family[1], "\(family[0])")
          for sample in metrics.samples where sample.name == family[0] {
            #expect(Set(sample.labels.keys) == Set(family.dropFirst(2)), "\(family[0])")
          }
        }
        for sample in metrics.samples {
          #expect(sample.labels.values.allSatisfy { !$0.contains(customer.id) && !$0.contains(customer.keyID) })
        }
        #expect(metrics.sum("weighbridge_tokens_total", ["category": "completion"]) == 2)
      }
    }
  }
}
