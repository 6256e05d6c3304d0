internal import Foundation
internal import Testing

extension EndToEnd {
  /// What a model file must be to be served at all.
  @Suite("registration") struct RegistrationTests {
    /// The demonstration model with another claim of its license; the description makes up for the length.
    private static func claiming(_ license: String) throws -> [UInt8] {
      var bytes = try readBytes(try #require(Installation.model))
      func length(_ count: Int) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } }
      func replace(_ key: String, with value: (String) -> String) throws {
        let name = Array(key.utf8)
        let place = try #require(bytes.firstRange(of: name)).upperBound + 4
        let count = bytes[place..<(place + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
        let old = String(decoding: bytes[(place + 8)..<(place + 8 + count)], as: UTF8.self)
        let new = Array(value(old).utf8)
        bytes.replaceSubrange(place..<(place + 8 + count), with: length(new.count) + new)
      }
      var delta = 0
      try replace("general.license") { old in
        delta = old.utf8.count - license.utf8.count
        return license
      }
      try replace("general.description") { old in
        delta >= 0 ? old + String(repeating: " ", count: delta) : String(old.dropLast(-delta))
      }
      return bytes
    }

    private func start(_ configuration: String, in workplace: Workplace) async throws -> Outcome {
      let path = try workplace.write(configuration, to: "weighbridge.yaml")
      return try await weighbridge("serve", "--config", path, in: workplace, within: .seconds(20))
    }

    @Test("a file that says it is under the agreement of another family is not served, unless the operator says that it is wrong")
    func embeddedLicense() async throws {
      try await Workplace.within { workplace in
        try workplace.write(try Self.claiming("gemma"), to: "claims.gguf")
        let refused = try await self.start(Gateway.configuration(model: "./claims.gguf"), in: workplace)
        #expect(refused.status == 1 && refused.complaint.contains("'gemma'"), "\(refused.said)")
        #expect(refused.complaint.contains("embedded_license"))
      }
      try await Gateway.within(start: false) { gateway in
        try gateway.workplace.write(try Self.claiming("gemma"), to: "claims.gguf")
        let text = Gateway.configuration(model: "./claims.gguf")
          .replacingOccurrences(of: "terms: [llama-2]", with: "terms: [llama-2], embedded_license: gemma")
        try gateway.workplace.write(text, to: "weighbridge.yaml")
        try await gateway.start()
      }
    }

    @Test("a file with another digest than the configuration names, or than the model was registered with, does not run")
    func digest() async throws {
      try await Workplace.within { workplace in
        let wrong = String(repeating: "ab", count: 32)
        let text = Gateway.configuration().replacingOccurrences(
          of: "terms: [llama-2]", with: "terms: [llama-2], sha256: \(wrong)")
        let refused = try await self.start(text, in: workplace)
        #expect(refused.status == 1 && refused.complaint.contains(wrong), "\(refused.said)")
      }
      try await Gateway.within(start: false) { gateway in
        let model = gateway.workplace.file("model.gguf")
        try FileManager.default.copyItem(atPath: try #require(Installation.model), toPath: model)
        try gateway.workplace.write(Gateway.configuration(model: "./model.gguf"), to: "weighbridge.yaml")
        try await gateway.start()
        try await gateway.stop()
        try gateway.workplace.write(try Self.claiming("MIT"), to: "model.gguf")
        let child = try gateway.launch()
        let refused = try await child.wait(within: .seconds(20))
        #expect(refused.status == 1 && refused.complaint.contains("was registered with weights"), "\(refused.said)")
        let digest = try #require(refused.complaint.components(separatedBy: "sha256: ").last?.prefix(64))
        let pinned = Gateway.configuration(model: "./model.gguf")
          .replacingOccurrences(of: "terms: [llama-2]", with: "terms: [llama-2], sha256: \(digest)")
        try gateway.workplace.write(pinned, to: "weighbridge.yaml")
        try await gateway.start()
      }
    }

    @Test(
      "an operator whose license has ended loses the model: refused at once, unloaded, and the deletion asked for until recorded")
    func unloaded() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let today = String(Date().ISO8601Format().prefix(10))
        try await gateway.admin(
          "POST", "/terminations", #"{"subject":"operator","terms":"llama-2","fact":"license.terminated_on","on":"\#(today)"}"#)
        let chat = Chat(maxTokens: 1)
        #expect(try await gateway.send(try chat.request(key: customer.key)).error["code"].string == "license_terminated")
        try await Exchange.await("the model is unloaded", within: .seconds(15)) { () -> Bool? in
          try await gateway.metrics().sum("weighbridge_alerts_total", ["kind": "license.ended"]) == 1 ? true : nil
        }
        let after = try await gateway.send(try chat.request(key: customer.key))
        #expect(try after.status == 403 && after.error["code"].string == "license_terminated", "\(after.text)")
        #expect(try await gateway.get("/readyz").text.contains("record the deletion"))
        let digest = String(repeating: "cd", count: 32)
        try await gateway.admin(
          "POST", "/deletions",
          #"{"subject":"operator","terms":"llama-2","models":["demo"],"files_sha256":["\#(digest)"],"by":"E. Example","on":"\#(today)"}"#
        )
        #expect(try await !gateway.get("/readyz").text.contains("record the deletion"))
      }
    }
  }
}
