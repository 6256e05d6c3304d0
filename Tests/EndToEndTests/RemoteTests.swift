import Foundation
import NIOCore
import Testing
import UpstreamFixtures

extension EndToEnd {
  /// Models that other servers run, behind the same gate.
  @Suite("remote engines") struct RemoteTests {
    private static func within(
      _ upstream: ScriptedUpstream, engine: String = "", model: String = "", more: String = "",
      _ body: (Gateway, Customer) async throws -> Void
    ) async throws {
      try await Gateway.within(
        models: #"{id: far, engine: upstream, upstream_model: "x/y", terms: [llama-2]\#(model)}"#,
        more: #"engines: [{id: upstream, url: "\#(upstream.url)", api_key_env: UPSTREAM_KEY\#(engine)}]"# + "\n" + more
      ) { gateway in
        let customer = try await gateway.open()
        try await gateway.setPrice(of: "far")
        try await body(gateway, customer)
      }
    }

    private static func chat(_ key: String, stream: Bool = false, more: String = "") -> HTTPRequest {
      HTTPRequest(
        method: "POST", path: "/v1/chat/completions", key: key,
        body: Array(
          #"{"model":"far","messages":[{"role":"user","content":"hello"}],"stream":\#(stream)\#(more)}"#.utf8))
    }

    @Test("an answer is charged by the server's own count, and says so")
    func answer() async throws {
      let upstream = try await ScriptedUpstream { _, _ in Script.answer(["Hel", "lo"], usage: (9, 3)) }
      try await Self.within(upstream) { gateway, customer in
        let reply = try await gateway.send(Self.chat(customer.key))
        #expect(reply.status == 200, "\(reply.text)")
        let answer = try reply.json
        #expect(answer["choices"][0]["message"]["content"].string == "Hello")
        #expect(answer["usage"]["prompt_tokens"].integer == 9 && answer["usage"]["completion_tokens"].integer == 3)
        #expect(answer["weighbridge"]["usage_source"].string == "provider_reported")
        let total = try await gateway.total(customer: customer.id)
        #expect(total["amount"].nano == Price.charge(prompt: 9, completion: 3))
        #expect(try await gateway.metrics().sum("weighbridge_holds") == 0)
      }
    }

    @Test("a server that dies in mid-stream: the client sees an error and no end, and what it was given is charged")
    func killed() async throws {
      let upstream = try await ScriptedUpstream { _, _ in
        [Script.head] + (0..<5).map { .bytes(Script.text("t\($0) ")) } + [.pause(.milliseconds(50)), .kill]
      }
      try await Self.within(upstream) { gateway, customer in
        let call = try gateway.call(Self.chat(customer.key, stream: true))
        try await Exchange.finish([call], within: .seconds(30))
        let answer = try call.streamed
        #expect(answer.text == "t0 t1 t2 t3 t4 ")
        #expect(answer.error["code"].string == "engine_failed" && !answer.isDone)
        let total = try await gateway.total(customer: customer.id)
        // "hello" is 5 bytes: one token, as is estimated where the server did not live to say.
        #expect(total["completion_tokens"].integer == 5 && total["amount"].nano == Price.charge(prompt: 1, completion: 5))
        #expect(try await gateway.metrics().sum("weighbridge_holds") == 0)
        // It comes back, and the next request is served.
        upstream.follow { _, _ in Script.answer(["back"], usage: (9, 1)) }
        #expect(try await gateway.send(Self.chat(customer.key)).status == 200)
      }
    }

    @Test(
      "a server behind TLS is asked where someone known vouches for it by its name or address, and nobody else is told anything",
      .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "openssl is not installed"))
    func behindTLS() async throws {
      try await Workplace.within { workplace in
        func certificate(_ name: String, for subject: String) async throws -> (chain: String, key: String) {
          let files = (chain: workplace.file("\(name).crt"), key: workplace.file("\(name).key"))
          let made = try await run(
            "/usr/bin/openssl",
            [
              "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-addext",
              "subjectAltName=\(subject)", "-keyout", files.key, "-out", files.chain,
            ], in: workplace)
          guard made.status == 0 else { throw Failure("openssl made no certificate: \(made.said)") }
          return files
        }
        let script: @Sendable (Int, ScriptedUpstream.Asked) -> [UpstreamStep] = { _, _ in Script.answer(["Hello"], usage: (9, 3))
        }
        let known = try await ScriptedUpstream(certificate: certificate("known", for: "IP:127.0.0.1"), script: script)
        let named = try await ScriptedUpstream(certificate: certificate("named", for: "DNS:localhost"), script: script)
        let other = try await ScriptedUpstream(certificate: certificate("other", for: "DNS:other.example"), script: script)
        let url = "https://127.0.0.1"
        let engines = [
          #"{id: known, url: "\#(url):\#(known.port)/v1", ca_file: "./known.crt"}"#,
          #"{id: named, url: "https://localhost:\#(named.port)/v1", ca_file: "./named.crt"}"#,
          #"{id: stranger, url: "\#(url):\#(known.port)/v1"}"#,
          #"{id: misnamed, url: "\#(url):\#(other.port)/v1", ca_file: "./other.crt"}"#,
        ]
        let gateway = try Gateway(
          in: workplace,
          models: ["known", "named", "stranger", "misnamed"].map { "{id: \($0), engine: \($0), terms: [llama-2]}" }
            .joined(separator: "\n  - "),
          more: "engines: [\(engines.joined(separator: ", "))]")
        do {
          try await gateway.start()
          let customer = try await gateway.open()
          for model in ["known", "named", "stranger", "misnamed"] { try await gateway.setPrice(of: model) }
          func ask(_ model: String) async throws -> Reply {
            try await gateway.send(
              HTTPRequest(
                method: "POST", path: "/v1/chat/completions", key: customer.key,
                body: Array(#"{"model":"\#(model)","messages":[{"role":"user","content":"hello"}]}"#.utf8)))
          }
          #expect(try await ask("known").status == 200)
          #expect(try await ask("named").status == 200)
          let asked = known.asked.count
          #expect(try await ask("stranger").status == 503)
          #expect(try await ask("misnamed").status == 503)
          #expect(
            known.asked.count == asked && other.asked.isEmpty, "no request and no key goes to a server that nobody vouches for")
          #expect(try await gateway.metrics().sum("weighbridge_holds") == 0)
          await gateway.end()
        } catch {
          await gateway.end()
          throw error
        }
      }
    }

    @Test("a server that only fails costs nothing, whatever it writes into its errors")
    func failing() async throws {
      let upstream = try await ScriptedUpstream { _, _ in Script.error(500, String(repeating: "tokens ", count: 1000)) }
      try await Self.within(upstream) { gateway, customer in
        let reply = try await gateway.send(Self.chat(customer.key))
        #expect(reply.status == 503 && reply.headers["x-should-retry"] == "true")
        #expect(try reply.error["code"].string == "model_unavailable")
        #expect(!reply.text.contains("tokens") && !reply.text.contains("127.0.0.1"))
        #expect(try await gateway.total(customer: customer.id)["requests"].integer == 0)
        #expect(try await gateway.metrics().sum("weighbridge_holds") == 0)
      }
    }

    @Test("a limit ends a stream from elsewhere at the exact token, and the connection with it")
    func cut() async throws {
      let upstream = try await ScriptedUpstream { _, _ in
        Script.answer(Array(repeating: "x", count: 2000), usage: (9, 2000), pause: .milliseconds(1))
      }
      try await Self.within(upstream) { gateway, customer in
        // The prompt is held for at its bound: 5 bytes and a margin of 48.
        let limit = Price.charge(prompt: 53, completion: 40)
        try await gateway.limitSpend(of: customer.keyID, toNano: limit)
        let call = try gateway.call(Self.chat(customer.key, stream: true))
        try await Exchange.finish([call], within: .seconds(30))
        let answer = try call.streamed
        #expect(answer.text == String(repeating: "x", count: 40))
        #expect(answer.closing["choices"][0]["finish_reason"].string == "length")
        #expect(answer.closing["weighbridge"]["finish_detail"].string == "spend_limit_reached")
        let total = try await gateway.total(customer: customer.id)
        #expect(total["completion_tokens"].integer == 40)
        #expect(try #require(total["amount"].nano) <= limit)
        try await Exchange.await("the server sees its client go") { upstream.abandoned == 1 ? true : nil }
      }
    }

    @Test("a client that leaves takes its request to the server with it, and pays for what it was given")
    func departure() async throws {
      let upstream = try await ScriptedUpstream { _, _ in
        Script.answer(Array(repeating: "x", count: 5000), pause: .milliseconds(2))
      }
      try await Self.within(upstream) { gateway, customer in
        let call = try gateway.call(Self.chat(customer.key, stream: true))
        try await Exchange.drive([call], within: .seconds(30), "ten pieces came") { call.body.count > 10 * 180 }
        let received = String(decoding: call.body, as: UTF8.self).components(separatedBy: #""content":"x""#).count - 1
        call.close()
        try await Exchange.await("the server sees its client go") { upstream.abandoned == 1 ? true : nil }
        try await Exchange.await("the hold is settled") {
          try await gateway.metrics().sum("weighbridge_holds") == 0 ? true : nil
        }
        let tokens = try #require(try await gateway.total(customer: customer.id)["completion_tokens"].integer)
        #expect((received...received + 110).contains(tokens), "\(tokens) tokens were charged, \(received) came")
      }
    }

    @Test("while a model cannot be reached its fallback answers, under its own license and at its own price")
    func fallback() async throws {
      let upstream = try await ScriptedUpstream { _, _ in Script.error(503) }
      try await Self.within(upstream, model: ", fallbacks: [demo]") { gateway, customer in
        let reply = try await gateway.send(Self.chat(customer.key, more: #","max_tokens":4"#))
        #expect(reply.status == 200, "\(reply.text)")
        #expect(reply.headers["x-weighbridge-model"] == "demo")
        #expect(try reply.json["model"].string == "demo")
        let rows = try await gateway.admin("GET", "/usage?customer=\(customer.id)&group_by=model")["data"].elements
        #expect(rows.map(\.["model"].string) == ["demo"])
        // The license of the fallback is asked anew: without an acceptance nothing is served, reachable or not.
        let stranger = try await gateway.admin("POST", "/customers", #"{"name":"Stranger","country":"DE"}"#)
        let key = try await gateway.createKey(for: try #require(stranger["id"].string))
        #expect(try await gateway.send(Self.chat(key.secret)).status == 403)
      }
    }

    @Test("tools go to the server, and calls come back whole and in pieces")
    func tools() async throws {
      let upstream = try await ScriptedUpstream { _, _ in
        [
          Script.head,
          .bytes(Script.chunk(#"{"tool_calls":[{"index":0,"id":"call_7","function":{"name":"look","arguments":"{\"pl"}}]}"#)),
          .bytes(Script.chunk(#"{"tool_calls":[{"index":0,"function":{"arguments":"ace\":\"Rome\"}"}}]}"#)),
          .bytes(Script.chunk("{}", finish: "tool_calls")), .bytes(Script.usage(30, 8)), .bytes("data: [DONE]\n\n"), .end,
        ]
      }
      let tools = #","tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}]"#
      try await Self.within(upstream) { gateway, customer in
        let whole = try await gateway.send(Self.chat(customer.key, more: tools)).json
        let choice = whole["choices"][0]
        #expect(choice["finish_reason"].string == "tool_calls" && choice["message"]["content"] == .null)
        let call = choice["message"]["tool_calls"][0]
        #expect(call["id"].string == "call_7" && call["type"].string == "function")
        #expect(call["function"]["arguments"].string == #"{"place":"Rome"}"#)

        let stream = try gateway.call(Self.chat(customer.key, stream: true, more: tools))
        try await Exchange.finish([stream], within: .seconds(30))
        let pieces = try stream.streamed.events.flatMap { $0["choices"][0]["delta"]["tool_calls"].elements }
        #expect(pieces.first?["function"]["name"].string == "look")
        #expect(pieces.compactMap { $0["function"]["arguments"].string }.joined() == #"{"place":"Rome"}"#)
        #expect(try stream.streamed.closing["choices"][0]["finish_reason"].string == "tool_calls")
      }
    }

    @Test("the sample of a configuration starts as it is written, with its server away and its key unset")
    func sample() async throws {
      try await Workplace.within { workplace in
        let model = try #require(Installation.model)
        try FileManager.default.copyItem(atPath: model, toPath: workplace.file("demo.gguf"))
        let gateway = try Gateway(in: workplace)
        try workplace.write(
          """
          server:   {listen: "127.0.0.1:0"}
          data:     {directory: "./data"}
          operator: {name: "Example GmbH", country: "DE"}
          engines:
            - {id: upstream, url: "http://127.0.0.1:9/v1", api_key_env: UPSTREAM_KEY}
          models:
            - {id: demo, file: "./demo.gguf", terms: [llama-2]}
            - {id: llama-2-70b-chat, engine: upstream, upstream_model: "meta-llama/Llama-2-70b-chat-hf", terms: [llama-2]}
          store:    {url: "sqlite"}                     # or "postgresql://…"
          """, to: "weighbridge.yaml")
        do {
          try await gateway.start()
          let customer = try await gateway.open()
          let models = try await gateway.send(HTTPRequest(path: "/v1/models", key: customer.key)).json
          #expect(models["data"].elements.compactMap(\.["id"].string) == ["demo", "llama-2-70b-chat"])
          await gateway.end()
        } catch {
          await gateway.end()
          throw error
        }
      }
    }
  }
}
