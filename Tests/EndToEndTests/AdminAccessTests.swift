internal import Foundation
internal import Testing

extension EndToEnd {
  /// Who may do what in the admin API, from where, and what it says of itself.
  @Suite("admin access") struct AdminAccessTests {
    private static func key(_ gateway: Gateway, _ role: String) async throws -> String {
      let made = try await gateway.admin("POST", "/admin_keys", #"{"name":"\#(role)","role":"\#(role)"}"#)
      guard let secret = made["secret"].string else { throw Failure("the admin key has no secret: \(made)") }
      return secret
    }

    private static func status(
      _ gateway: Gateway, _ key: String, _ method: String, _ path: String, _ body: String?
    ) async throws -> Int {
      let request = HTTPRequest(method: method, path: "/admin/v1" + path, key: key, body: body.map { Array($0.utf8) })
      return try await gateway.send(request).status
    }

    @Test("each role reads, and writes what is its work and nothing else")
    func roles() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.onboard()
        let limit = #"{"subject":"\#(customer.id)","kind":"requests_per_minute","amount":"1000"}"#
        let attestation =
          #"{"subject":"\#(customer.id)","fact":"party.accepted.llama-2","value":true,"signer":{"name":"A","role":"GC"}}"#
        for (role, mayBill, mayState) in [("billing", true, false), ("counsel", false, true), ("auditor", false, false)] {
          let key = try await Self.key(gateway, role)
          #expect(try await Self.status(gateway, key, "GET", "/customers", nil) == 200)
          #expect(try await Self.status(gateway, key, "GET", "/usage?customer=\(customer.id)", nil) == 200)
          #expect(try await Self.status(gateway, key, "GET", "/admin_keys", nil) == 403)
          #expect(try await Self.status(gateway, key, "POST", "/admin_keys", #"{"name":"x"}"#) == 403)
          #expect((try await Self.status(gateway, key, "POST", "/limits", limit) == 403) == !mayBill, "\(role)")
          // A request that is not there: whoever may correct charges is told so.
          let correction = #"{"usage":"usg_00000000000000000000000000","amount":"-1","reason":"r"}"#
          #expect(
            try await Self.status(gateway, key, "POST", "/adjustments", correction) == (mayBill ? 404 : 403), "\(role)")
          #expect((try await Self.status(gateway, key, "POST", "/attestations", attestation) == 403) == !mayState, "\(role)")
          #expect(try await Self.status(gateway, key, "POST", "/exports", #"{"kind":"usage","format":"csv"}"#) == 202)
        }
        let wrong = try await gateway.send(
          HTTPRequest(
            method: "POST", path: "/admin/v1/admin_keys", key: gateway.adminKey, body: Array(#"{"name":"x","role":"king"}"#.utf8))
        )
        #expect(wrong.status == 400)
      }
    }

    @Test("an address that is not listed is not answered, whatever its key")
    func networks() async throws {
      try await Gateway.within(server: #"admin_from: ["10.0.0.0/8"]"#) { gateway in
        let reply = try await gateway.send(HTTPRequest(path: "/admin/v1/customers", key: gateway.adminKey))
        #expect(reply.status == 403)
        #expect(try await gateway.get("/healthz").status == 200)
      }
    }

    @Test("the description of the API names every route that answers, with a place for each of its parts")
    func description() async throws {
      try await Gateway.within { gateway in
        let document = try await gateway.get("/openapi.json").json
        #expect(document["openapi"].string == "3.1.0")
        let paths = document["paths"]
        for path in ["/admin/v1/customers", "/admin/v1/customers/{id}/keys", "/v1/chat/completions", "/v1/messages", "/metrics"] {
          #expect(paths.keys.contains(path), "\(paths.keys.sorted())")
        }
        for path in paths.keys {
          for method in paths[path].keys {
            let operation = paths[path][method]
            #expect(operation["operationId"].string?.isEmpty == false && operation["responses"].keys.contains("default"))
            let named = operation["parameters"].elements.filter { $0["in"].string == "path" }.compactMap { $0["name"].string }
            #expect(
              named
                == path.split(separator: "/").filter { $0.hasPrefix("{") }.map { $0.dropFirst().dropLast() }.map { String($0) })
            // A route that is described answers, even if it is to refuse.
            let filled = path.replacing(/\{[a-z]+\}/, with: "x")
            let reply = try await gateway.send(
              HTTPRequest(method: method.uppercased(), path: filled, body: method == "get" ? nil : []))
            let message = reply.status == 404 ? try reply.error["message"].string ?? "" : ""
            let isThere = !message.hasPrefix("There is no \(method.uppercased()) ")
            #expect(isThere && reply.status < 500, "\(method) \(path): \(reply.status)")
          }
        }
      }
    }

    @Test(
      "TLS in the process: HTTP/2 and HTTP/1.1, and a renewed certificate without a restart",
      .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl"), "curl is not installed"))
    func tls() async throws {
      try await Workplace.within { workplace in
        func make(_ name: String) async throws {
          let made = try await run(
            "/usr/bin/openssl",
            [
              "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-keyout",
              workplace.file("tls.key"), "-out", workplace.file("tls.crt"),
            ], in: workplace)
          guard made.status == 0 else { throw Failure("openssl made no certificate: \(made.said)") }
        }
        func ask(_ gateway: Gateway, _ more: [String]) async throws -> String {
          try await run(
            "/usr/bin/curl", ["-skv", "--max-time", "10"] + more + ["https://127.0.0.1:\(gateway.port)/healthz"], in: workplace
          ).said
        }
        try await make("first.example")
        let gateway = try Gateway(in: workplace, server: #"certificate: "./tls.crt", certificate_key: "./tls.key""#)
        do {
          let child = try gateway.launch()
          try await gateway.announced(by: child)
          let second = try await ask(gateway, ["--http2"])
          #expect(second.contains("HTTP/2 200") && second.contains("CN=first.example") && second.contains(#"{"status":"ok"}"#))
          #expect(try await ask(gateway, ["--http1.1"]).contains("HTTP/1.1 200"))
          try await make("second.example")
          try await Task.sleep(for: .milliseconds(1200))
          #expect(try await ask(gateway, ["--http2"]).contains("CN=second.example"))
          try workplace.write("no key", to: "tls.key")
          try await Task.sleep(for: .milliseconds(1200))
          #expect(try await ask(gateway, ["--http2"]).contains("CN=second.example"), "what cannot be read changes nothing")
          await gateway.end()
        } catch {
          await gateway.end()
          throw error
        }
      }
    }
  }
}
