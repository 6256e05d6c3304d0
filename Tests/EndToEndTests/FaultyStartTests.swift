internal import Foundation
internal import Testing

extension EndToEnd {
  /// A gateway that cannot start says why, names the thing, and ends with status 1.
  @Suite("faulty start") struct FaultyStartTests {
    @Test("an unknown key, a wrong value and broken YAML are refused with file, line and what belongs there")
    func configuration() async throws {
      try await Workplace.within { workplace in
        let model = try #require(Installation.model)
        let sound = Gateway.configuration()
        let faults: [(text: String, mentions: [String])] = [
          (sound.replacingOccurrences(of: "listen:", with: "listn:"), ["line 1", "listn", "did you mean 'listen'"]),
          (sound.replacingOccurrences(of: "operator:", with: "operater:"), ["operater", "did you mean 'operator'"]),
          (sound.replacingOccurrences(of: "127.0.0.1:0", with: "127.0.0.1:99999"), ["line 1", "server.listen", "99999"]),
          (sound.replacingOccurrences(of: "\"sqlite\"", with: "\"mongodb\""), ["store.url", "mongodb"]),
          (sound.replacingOccurrences(of: "[llama-2]", with: "[lama-2]"), ["lama-2", "Did you mean 'llama-2'"]),
          (sound.replacingOccurrences(of: "[llama-2]", with: "[]"), ["models[0].terms"]),
          (sound.replacingOccurrences(of: model, with: "./nowhere.gguf"), ["nowhere.gguf"]),
          (sound + "limits: {queued_requests: -1}\n", ["limits.queued_requests", "-1"]),
          (sound + "limits: {queued_requests: [\n", ["line"]), ("server: \u{7}\n", ["line 1"]), ("", ["weighbridge.yaml"]),
        ]
        for fault in faults {
          let path = try workplace.write(fault.text, to: "weighbridge.yaml")
          let outcome = try await weighbridge("serve", "--config", path, in: workplace)
          #expect(outcome.status == 1, "\(outcome.said)")
          #expect(
            outcome.complaint.contains("weighbridge.yaml") || outcome.complaint.contains("lama-2")
              || outcome.complaint.contains("nowhere"))
          for mention in fault.mentions { #expect(outcome.complaint.contains(mention), "\(mention): \(outcome.complaint)") }
          #expect(outcome.output.isEmpty)
        }
      }
    }

    @Test("the environment overrides the file, and an unknown key in it is refused like one in the file")
    func environment() async throws {
      try await Workplace.within { workplace in
        let path = try workplace.write(Gateway.configuration(), to: "weighbridge.yaml")
        let shown = try await weighbridge(
          "config", "show", "--config", path, "--json", in: workplace,
          environment: ["WEIGHBRIDGE_SERVER_LISTEN": "127.0.0.1:4711"])
        #expect(shown.status == 0 && shown.output.contains("4711"), "\(shown.said)")
        let refused = try await weighbridge(
          "config", "check", "--config", path, in: workplace, environment: ["WEIGHBRIDGE_SERVER_LISTN": "127.0.0.1:4711"])
        #expect(refused.status == 1 && refused.complaint.contains("listn"), "\(refused.said)")
      }
    }

    /// How a sound model file is spoilt.
    private static func spoilt(_ model: [UInt8]) -> [(name: String, bytes: [UInt8])] {
      var spoilt: [(String, [UInt8])] = [24, 1000, model.count / 2, model.count - 1].map {
        ("truncated to \($0)", Array(model.prefix($0)))
      }
      spoilt.append(("empty", []))
      spoilt.append(("another magic", Array("GGML".utf8) + model.dropFirst(4)))
      spoilt.append(("version 99", Array(model.prefix(4)) + [99, 0, 0, 0] + model.dropFirst(8)))
      spoilt.append(("2^63 tensors", Array(model.prefix(8)) + [0, 0, 0, 0, 0, 0, 0, 0x80] + model.dropFirst(16)))
      spoilt.append(("2^64 - 1 keys", Array(model.prefix(16)) + [UInt8](repeating: 0xFF, count: 8) + model.dropFirst(24)))
      if let name = model.firstRange(of: Array("output_norm.weight".utf8)) {
        // After the name: dimensions (4 bytes), one extent (8), type (4), offset (8).
        let offset = name.upperBound + 16
        spoilt.append(
          ("an offset beyond the file", Array(model[..<offset]) + [0, 0, 0, 0, 0, 0, 0, 0x40] + model[(offset + 8)...]))
        let extent = name.upperBound + 4
        spoilt.append(
          ("an extent beyond the file", Array(model[..<extent]) + [0, 0, 0, 0, 0, 0, 0, 0x10] + model[(extent + 8)...]))
      }
      return spoilt
    }

    @Test("a truncated or lying model file is refused by name")
    func models() async throws {
      try await Workplace.within { workplace in
        let spoilt = Self.spoilt(try readBytes(try #require(Installation.model)))
        #expect(spoilt.count == 11, "the model has no tensor output_norm.weight to lie about")
        let config = try workplace.write(Gateway.configuration(model: "./spoilt.gguf"), to: "weighbridge.yaml")
        for (name, bytes) in spoilt {
          let path = try workplace.write(bytes, to: "spoilt.gguf")
          let outcome = try await weighbridge("serve", "--config", config, in: workplace)
          #expect(outcome.status == 1 && outcome.complaint.contains("spoilt.gguf"), "\(name): \(outcome)")
          let offline = try await weighbridge("engine", "tokenize", "--model", path, in: workplace, input: "a truck")
          #expect(offline.status == 1 && offline.complaint.contains("spoilt.gguf"), "\(name): \(offline)")
        }
      }
    }

    @Test("a port in use and a data directory in use are named, and the gateway that has them goes on")
    func twice() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        try await Workplace.within { workplace in
          let other = try Gateway(in: workplace, listen: "127.0.0.1:\(gateway.port)")
          let outcome = try await other.launch().wait(within: .seconds(20))
          #expect(outcome.status == 1 && outcome.complaint.contains("\(gateway.port)"), "\(outcome)")
        }
        let second = try await weighbridge("serve", "--config", gateway.configurationPath, in: gateway.workplace)
        #expect(second.status == 1 && second.complaint.contains(gateway.dataDirectory), "\(second)")
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
      }
    }

    @Test("without an admin key in the environment the admin API is closed, and says so")
    func withoutAdminKey() async throws {
      try await Workplace.within { workplace in
        let path = try workplace.write(Gateway.configuration(), to: "weighbridge.yaml")
        let child = try ChildProcess(
          try #require(Installation.binary), ["serve", "--config", path], in: workplace, name: "closed",
          environment: Installation.environment())
        do {
          let port = try await Exchange.await("it listens") { Gateway.announcedPort(try readText(child.outputPath)) }
          let call = try HTTPCall(port: port, bytes: HTTPRequest(path: "/admin/v1/customers", key: "anything").bytes)
          try await Exchange.finish([call], within: .seconds(10))
          #expect(call.status == 403)
          #expect(try call.reply?.error["message"].string?.contains("WEIGHBRIDGE_ADMIN_KEY") == true)
        } catch {
          await child.end()
          throw error
        }
        await child.end()
      }
    }

    /// What may have happened to a data directory that holds a ledger.
    enum Damage: String, CaseIterable, Sendable {
      case truncatedDatabase, overwrittenDatabase, garbledPages, missingKeys, garbledKey
    }

    @Test("a damaged data directory is refused by name, and is left as it is", arguments: Damage.allCases)
    func damage(kind: Damage) async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        try await gateway.stop()
        let path = gateway.dataDirectory + "/weighbridge.sqlite"
        try Self.damage(gateway.dataDirectory, kind)
        let damaged = try readBytes(path)
        let outcome = try await gateway.launch().wait(within: .seconds(10))
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.complaint.contains(gateway.dataDirectory), "\(outcome.complaint)")
        if kind != .missingKeys, kind != .garbledKey { #expect(try readBytes(path) == damaged) }
      }
    }

    private static func damage(_ directory: String, _ kind: Damage) throws {
      let path = directory + "/weighbridge.sqlite"
      var bytes = try readBytes(path)
      switch kind {
      case .truncatedDatabase: bytes.removeLast(bytes.count / 2)
      case .overwrittenDatabase: for index in 0..<200 { bytes[index] = 0x78 }
      case .garbledPages:
        for page in stride(from: 8192, to: bytes.count, by: 4096) { for index in page..<page + 64 { bytes[index] ^= 0xA5 } }
      case .missingKeys: return try FileManager.default.removeItem(atPath: directory + "/keys")
      case .garbledKey: return try Data("garbage\n".utf8).write(to: URL(fileURLWithPath: directory + "/keys/log.pem"))
      }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
  }
}
