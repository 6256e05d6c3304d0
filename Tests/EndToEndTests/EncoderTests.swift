import Foundation
import Testing

extension EndToEnd {
  /// An operator's own encoder behind the classifier: the small checkpoint of TextEncoderTests, its labels named after what they say.
  @Suite("an encoder behind the classifier") struct EncoderTests {
    private static let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("TextEncoderTests/Tiny")

    /// - Parameters:
    ///   - digest: Of the classifier's weights, as `ensemble.json` names them.
    ///   - label: What the checkpoint's first label is called.
    private static func folder(in workplace: Workplace, digest: String, label: String = "violation") throws {
      let folder = URL(fileURLWithPath: workplace.file("encoder"))
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
      for name in ["vocab.txt", "model.safetensors"] {
        try FileManager.default.copyItem(
          at: self.checkpoint.appendingPathComponent(name), to: folder.appendingPathComponent(name))
      }
      let text = try readText(self.checkpoint.appendingPathComponent("config.json").path)
      try workplace.write(
        text.replacingOccurrences(of: #""LABEL_0""#, with: #""\#(label)""#)
          .replacingOccurrences(of: #""LABEL_1""#, with: #""2b""#), to: "encoder/config.json")
      try workplace.write(
        #"{"schema":"weighbridge/encoder-ensemble/v1","linear_sha256":"\#(digest)","band_from_milli":-1000000,"#
          + #""band_to_milli":1000000,"linear_weight_milli":1000,"encoder_weight_milli":0,"offset_milli":0}"#,
        to: "encoder/ensemble.json")
    }

    private static func digest(in workplace: Workplace) async throws -> String {
      let told = try await run(
        "/usr/bin/env", ["sha256sum", Installation.root + "/Policies/classifier/linear.weights"], in: workplace)
      return String(told.said.prefix(64))
    }

    @Test("it reads a prompt that the classifier is in doubt about, and the decision says so, with the digest of what read it")
    func read() async throws {
      try await Gateway.within(more: #"policies: {encoder: "./encoder"}"#, start: false) { gateway in
        try Self.folder(in: gateway.workplace, digest: try await Self.digest(in: gateway.workplace))
        try await gateway.start()
        let customer = try await gateway.open()
        let reply = try await gateway.send(try Chat(maxTokens: 3).request(key: customer.key))
        #expect(reply.status == 200, "\(reply.text)")
        let decision = try await gateway.admin("GET", "/decisions/\(reply.headers["x-weighbridge-decision"] ?? "")")
        #expect(decision["encoder"]["outcome"].string == "read" && decision["encoder"]["texts"].integer == 1, "\(decision)")
        #expect(decision["encoder"]["sha256"].string?.count == 64)
      }
    }

    @Test("policy classify asks it too, and will not without a classifier before it")
    func offline() async throws {
      try await Workplace.within { workplace in
        try Self.folder(in: workplace, digest: try await Self.digest(in: workplace))
        let input = #"{"text":"What is a ledger?"}"# + "\n"
        let alone = try await weighbridge("policy", "classify", in: workplace, input: input)
        let both = try await weighbridge("policy", "classify", "--encoder", "encoder", in: workplace, input: input)
        let (before, after) = (try JSONValue(alone.output)["classifier"], try JSONValue(both.output)["classifier"])
        // The encoder's logit counts nothing here, and it is told.
        #expect(before["score"] == after["score"] && before["encoder_logit_milli"] == .null, "\(alone.said)")
        #expect(after["encoder_logit_milli"].integer != nil, "\(both.said)")
        let refused = try await weighbridge(
          "policy", "classify", "--encoder", "encoder", "--classifier", "off", in: workplace, input: input)
        #expect(refused.status == 1 && refused.complaint.contains("the classifier is off"), "\(refused)")
      }
    }

    @Test("a folder whose numbers are for other weights, or whose checkpoint cannot say that a text is a violation, is refused")
    func refused() async throws {
      for (label, message) in [("violation", "names other weights"), ("harm", "names no label 'violation'")] {
        try await Gateway.within(more: #"policies: {encoder: "./encoder"}"#, start: false) { gateway in
          let digest =
            label == "harm" ? try await Self.digest(in: gateway.workplace) : String(repeating: "0", count: 64)
          try Self.folder(in: gateway.workplace, digest: digest, label: label)
          let checked = try await weighbridge("config", "check", "--config", gateway.configurationPath, in: gateway.workplace)
          #expect(checked.status != 0 && checked.said.contains(message), "\(checked.said)")
        }
      }
    }
  }
}
