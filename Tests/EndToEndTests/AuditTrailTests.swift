internal import Foundation
internal import Testing

extension EndToEnd {
  /// What a stranger, a customer and a witness can hold against the log, with the real process.
  @Suite("audit trail") struct AuditTrailTests {
    @Test("a customer proves its own usage with one file, and nobody gets another's")
    func receipts() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let other = try await gateway.onboard("Other")
        let reply = try await gateway.send(try Chat(maxTokens: 2).request(key: customer.key))
        let usage = try #require(reply.headers["x-weighbridge-usage"])
        let told = try reply.json["weighbridge"]
        #expect(told["leaf_hash"].string == reply.headers["x-weighbridge-leaf"])
        #expect(told["customer_seq"].integer.map { String($0) } == reply.headers["x-weighbridge-customer-sequence"])

        let receipt = try await gateway.get("/v1/usage/receipts/\(usage)", key: customer.key).json
        #expect(receipt["leaf_hash"] == told["leaf_hash"] && receipt["index"] == told["seq"])
        let entry = try JSONValue(try #require(receipt["entry"].string))
        #expect(entry["usage"].string == usage && entry["customer_seq"] == told["customer_seq"])
        #expect(try await gateway.get("/v1/usage/receipts/\(usage)", key: other.key).status == 404)
        #expect(try await gateway.get("/v1/usage/receipts/usg_00000000000000000000000000", key: customer.key).status == 404)
        #expect(try await gateway.get("/v1/usage/receipts/\(usage)").status == 401)

        let charge = try await gateway.get("/v1/usage/charges/\(usage)", key: customer.key).json
        #expect(charge["agrees"] == .bool(true) && charge["amount"] == charge["computed"], "\(charge)")
        #expect(try await gateway.get("/v1/usage/charges/\(usage)", key: other.key).status == 404)
        #expect(try await gateway.get("/v1/usage/charges/usg_none", key: customer.key).status == 404)
        #expect(try await gateway.get("/v1/usage/charges/\(usage)").status == 401)
        let explained = try await weighbridge(
          "usage", "explain", usage, "--url", gateway.url, in: gateway.workplace,
          environment: ["WEIGHBRIDGE_API_KEY": customer.key])
        #expect(explained.status == 0)
        #expect(explained.output.contains("Completion tokens: 2, behind 0 of the month"), "\(explained.said)")

        let bundle = try await gateway.exportBundle(named: "bundle")
        let key = try readText(bundle + "/keys/log.vkey").trimmingCharacters(in: .whitespacesAndNewlines)
        let file = gateway.workplace.file("receipt.tlog-proof")
        let made = try await weighbridge(
          "audit", "prove", usage, "--url", gateway.url, "-o", file, in: gateway.workplace,
          environment: ["WEIGHBRIDGE_API_KEY": customer.key])
        #expect(made.status == 0, "\(made.said)")
        #expect(try await weighbridge("audit", "verify", file, "--key", key, in: gateway.workplace).status == 0)
        let script = try await run("/usr/bin/env", ["python3", bundle + "/proof.py", file, key], in: gateway.workplace)
        #expect(script.status == 0 && script.output.contains(usage), "\(script.said)")
        var forged = try readBytes(file)
        forged[60] ^= 1
        try gateway.workplace.write(forged, to: "forged.tlog-proof")
        let refused = try await weighbridge(
          "audit", "verify", gateway.workplace.file("forged.tlog-proof"), "--key", key, in: gateway.workplace)
        #expect(refused.status == 1, "\(refused.said)")

        // Every entry that concerns the customer is numbered, from its first on, and so are the other's.
        let entries = try LogEntries(bundle: bundle).all
        for id in [customer.id, other.id] {
          let numbers = entries.filter { $0["customer"].string == id }.map { $0["customer_seq"].integer }
          #expect(numbers == Array(0..<numbers.count).map { $0 } && !numbers.isEmpty)
        }
        let heartbeats = entries.filter { $0["type"].string == "heartbeat" }
        #expect(!heartbeats.isEmpty && entries.contains { $0["type"].string == "export" && $0["actor"].string != nil })
      }
    }

    @Test("tiles of hashes are public and agree with the entries; tiles of entries are for an auditor")
    func tiles() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        let bundle = try await gateway.exportBundle(named: "bundle")
        let note = try await gateway.get("/audit/v1/checkpoint").text
        let size = try #require(note.split(separator: "\n").dropFirst().first.flatMap { Int($0) })
        let hashes = try await gateway.get("/audit/v1/tile/0/000.p/\(size)")
        #expect(hashes.status == 200 && hashes.body.count == 32 * size)
        let leaves = try readText(bundle + "/leaves.txt").split(separator: "\n")
        let first = hashes.body.prefix(32).map { String(format: "%02x", $0) }.joined()
        #expect(first == leaves[0])
        for path in ["0/000", "0/000.p/\(size + 1)", "0/001.p/1", "9/000", "0/../000", "0/000.p/0", "x"] {
          #expect(try await gateway.get("/audit/v1/tile/\(path)").status == 404, "\(path)")
        }
        let entries = "/audit/v1/tile/entries/000.p/\(size)"
        #expect(try await gateway.get(entries).status == 401)
        #expect(try await gateway.get(entries, key: customer.key).status == 401)
        let bytes = try await gateway.get(entries, key: gateway.adminKey).body
        let length = Int(bytes[0]) << 8 | Int(bytes[1])
        let line = String(decoding: bytes[2..<2 + length], as: UTF8.self)
        #expect(line == (try readText(bundle + "/entries.jsonl").split(separator: "\n").first.map { String($0) }))
      }
    }

    @Test("yesterday's copy of the data directory is refused at the start by the witness, and by whoever kept a checkpoint")
    func rollback() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        let first = try await gateway.exportBundle(named: "first")
        let logKey = try readText(first + "/keys/log.vkey").trimmingCharacters(in: .whitespacesAndNewlines)
        try await gateway.stop()
        let plain = try readText(gateway.configurationPath)

        let witness = try ChildProcess(
          try #require(Installation.binary),
          ["audit", "witness", "--listen", "127.0.0.1:0", "--data", gateway.workplace.file("witness"), "--log", logKey],
          in: gateway.workplace, name: "witness", environment: Installation.environment())
        let said = try await Exchange.await("the witness listens", within: .seconds(20)) { () -> String? in
          let text = try readText(witness.outputPath)
          return text.contains("listens on") ? text : nil
        }
        let port = try #require(Gateway.announcedPort(said))
        let key = try #require(said.split(separator: " ").dropFirst().first)
        let section = "audit: {witnesses: [{url: \"http://127.0.0.1:\(port)\", key: \"\(key)\"}]}\n"
        try gateway.workplace.write(plain + section, to: "weighbridge.yaml")

        try await gateway.start()
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        try await gateway.stop()
        let (data, yesterday) = (gateway.dataDirectory, gateway.workplace.file("yesterday"))
        try FileManager.default.copyItem(atPath: data, toPath: yesterday)
        try await gateway.start()
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        let bundle = try await gateway.exportBundle(named: "second")
        let sound = try await weighbridge("audit", "verify", bundle, "--witness", String(key), in: gateway.workplace)
        #expect(sound.status == 0 && sound.output.contains("cosigned by"), "\(sound.said)")
        let script = try await run("/usr/bin/env", ["python3", bundle + "/verify.py", bundle], in: gateway.workplace)
        #expect(script.output.contains("cosigned by 1"), "\(script.said)")
        let newest = try gateway.workplace.write(try await gateway.get("/audit/v1/checkpoint").body, to: "newest")
        try await gateway.stop()

        try FileManager.default.removeItem(atPath: data)
        try FileManager.default.copyItem(atPath: yesterday, toPath: data)
        let refused = try await gateway.launch().wait(within: .seconds(30))
        #expect(
          refused.status == 1 && refused.said.contains("The witness") && refused.said.contains("earlier copy"), "\(refused.said)")

        // Without its witness the operator can go on from there, and whoever has the newest checkpoint sees it.
        await witness.end()
        try gateway.workplace.write(plain, to: "weighbridge.yaml")
        try await gateway.start()
        for _ in 0..<3 { _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key) }
        let forked = try await gateway.exportBundle(named: "third")
        let alone = try await weighbridge("audit", "verify", forked, in: gateway.workplace)
        #expect(alone.status == 0, "\(alone.said)")
        let compared = try await weighbridge("audit", "verify", forked, "--checkpoint", newest, in: gateway.workplace)
        #expect(compared.status == 1 && compared.said.contains("rewritten"), "\(compared.said)")
      }
    }

    @Test("keys change with the signature of both, are encrypted with a passphrase, and are in no bundle and no line of the log")
    func keys() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        let first = try await gateway.exportBundle(named: "first")
        let old = try readText(first + "/keys/log.vkey").trimmingCharacters(in: .whitespacesAndNewlines)
        try await gateway.stop()
        let keys = gateway.dataDirectory + "/keys"
        let secrets = try ["log.pem", "manifest-key.pem"].map { try readText(keys + "/" + $0).split(separator: "\n")[1] }
        let rotated = try await weighbridge("audit", "rotate", "--config", gateway.configurationPath, in: gateway.workplace)
        #expect(rotated.status == 0, "\(rotated.said)")

        try await gateway.start()
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        let second = try await gateway.exportBundle(named: "second")
        #expect(try readText(second + "/keys/log.vkey") != old + "\n")
        let trusted = try await weighbridge("audit", "verify", second, "--key", old, in: gateway.workplace)
        #expect(trusted.status == 0, "\(trusted.said)")
        let script = try await run("/usr/bin/env", ["python3", second + "/verify.py", second, old], in: gateway.workplace)
        #expect(script.status == 0, "\(script.said)")
        #expect(try LogEntries(bundle: second).ofType("log_key").count == 1)
        // The succession cannot be left out, nor be another one.
        try FileManager.default.removeItem(atPath: second + "/keys/succession-1")
        let (command, python) = try await gateway.verify(second)
        #expect(command.status == 1 && python.status == 1, "\(command.said) \(python.said)")
        try await gateway.stop()

        let all = secrets + (try ["log.pem", "manifest-key.pem"].map { try readText(keys + "/" + $0).split(separator: "\n")[1] })
        let text = try [first, second].flatMap { bundle in
          try FileManager.default.subpathsOfDirectory(atPath: bundle).filter {
            !$0.hasSuffix("keys") && !$0.hasSuffix("terms") && !$0.hasSuffix("proofs")
          }
          .map { String(decoding: try readBytes(bundle + "/" + $0), as: UTF8.self) }
        }
        let said = try FileManager.default.contentsOfDirectory(atPath: gateway.workplace.path).filter { $0.hasPrefix("gateway-") }
          .map { String(decoding: try readBytes(gateway.workplace.file($0)), as: UTF8.self) }
        for secret in all { #expect(!(text + said).contains { $0.contains(secret) || $0.contains("PRIVATE KEY") }) }

        chmod(keys, 0o755)
        let open = try await gateway.launch().wait(within: .seconds(30))
        #expect(open.status == 1 && open.said.contains("chmod 700"), "\(open.said)")
      }
    }

    @Test("a bundle is stamped by the authority that the configuration names, and made only where it answers")
    func timestamps() async throws {
      try await Gateway.within(start: false) { gateway in
        let workplace = gateway.workplace
        let made = try await run(
          "/usr/bin/env", ["python3", try workplace.write(Self.authority, to: "tsa.py"), "make"], in: workplace)
        #expect(made.status == 0, "\(made.said)")
        let authority = try ChildProcess(
          "/usr/bin/env", ["python3", workplace.file("tsa.py"), "serve"], in: workplace, name: "tsa",
          environment: Installation.environment())
        let said = try await Exchange.await("the authority listens", within: .seconds(20)) { () -> String? in
          let text = try readText(authority.outputPath)
          return text.hasSuffix("\n") ? text : nil
        }
        let section = "audit: {timestamp: {url: \"http://127.0.0.1:\(said.dropLast())/\", certificate: \"./tsa.pem\"}}\n"
        try workplace.write(try readText(gateway.configurationPath) + section, to: "weighbridge.yaml")
        try await gateway.start()
        let bundle = try await gateway.exportBundle(named: "stamped")
        let (command, script) = try await gateway.verify(bundle)
        #expect(command.status == 0 && command.output.contains("stamped"), "\(command.said)")
        #expect(script.status == 0, "\(script.said)")
        let stock = try await run(
          "/usr/bin/env",
          [
            "openssl", "ts", "-verify", "-data", bundle + "/manifest.cms", "-in", bundle + "/manifest.tsr", "-CAfile",
            bundle + "/keys/tsa.pem",
          ], in: workplace)
        #expect(stock.status == 0, "\(stock.said)")
        await authority.end()
        let ordered = try await gateway.admin("POST", "/exports", #"{"kind":"audit","format":"bundle"}"#)
        let id = try #require(ordered["id"].string)
        let state = try await Exchange.await("the export fails", within: .seconds(30)) { () -> JSONValue? in
          let state = try await gateway.admin("GET", "/exports/\(id)")
          return state["status"] == .string("pending") ? nil : state
        }
        #expect(state["status"] == .string("failed") && "\(state)".contains("timestamp authority"), "\(state)")
      }
    }

    /// An authority of RFC 3161: the openssl program behind the smallest of servers.
    private static let authority = #"""
      import http.server, subprocess, sys
      CONF = "\n".join([
          "[tsa]", "serial=serial", "signer_cert=tsa.pem", "signer_key=tsa.key", "signer_digest=sha256", "default_policy=1.2.3.4",
          "digests=sha256", "[req]", "distinguished_name=name", "x509_extensions=extensions", "[name]", "[extensions]",
          "extendedKeyUsage=critical,timeStamping", ""])
      if sys.argv[1] == "make":
          open("tsa.cnf", "w").write(CONF)
          open("serial", "w").write("01\n")
          sys.exit(subprocess.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tsa.key -out tsa.pem "
                                  "-subj /CN=tsa -days 30 -config tsa.cnf", shell=True).returncode)
      class Authority(http.server.BaseHTTPRequestHandler):
          def do_POST(self):
              open("query", "wb").write(self.rfile.read(int(self.headers["content-length"])))
              subprocess.run("openssl ts -reply -config tsa.cnf -section tsa -queryfile query -out reply", shell=True, check=True)
              body = open("reply", "rb").read()
              self.send_response(200)
              self.send_header("content-length", str(len(body)))
              self.end_headers()
              self.wfile.write(body)
      server = http.server.HTTPServer(("127.0.0.1", 0), Authority)
      print(server.server_port, flush=True)
      server.serve_forever()

      """#
  }
}
