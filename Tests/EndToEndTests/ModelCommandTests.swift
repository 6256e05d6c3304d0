internal import Foundation
internal import Testing

extension EndToEnd {
  /// What the command says of model files, and what it makes of them.
  @Suite("model files") struct ModelCommandTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/Engine/llama-2").path

    @Test("a folder is inspected, stored smaller, verified and read")
    func files() async throws {
      try await Workplace.within { workplace in
        let inspected = try await weighbridge("model", "inspect", Self.folder, "--json", in: workplace)
        #expect(inspected.status == 0, "\(inspected.said)")
        let report = try JSONValue(inspected.output)
        #expect(report["layout"].string == "Hugging Face" && report["architecture"].string == "llama")
        #expect(report["files"].elements.count == 3 && report["tensors"].elements.count == 21)
        let digest = try #require(report["sha256"].string)
        let stored = try await weighbridge(
          "engine", "quantize", "--model", Self.folder, "--type", "Q8_0", "--output", "small.gguf", in: workplace)
        #expect(stored.status == 0, "\(stored.said)")
        let again = try await weighbridge(
          "engine", "quantize", "--model", Self.folder, "--type", "Q8_0", "--output", "small.gguf", in: workplace)
        #expect(again.status == 1 && again.complaint.contains("small.gguf"))
        let wrong = try await weighbridge(
          "engine", "quantize", "--model", Self.folder, "--type", "Q9", "--output", "other.gguf", in: workplace)
        #expect(wrong.status == 1 && wrong.complaint.contains("Q4_K_M"))
        let small = try await weighbridge("model", "inspect", "small.gguf", in: workplace)
        #expect(small.status == 0 && small.output.contains("Q8_0 16"), "\(small.said)")
        let license = small.output.split(separator: "\n").first { $0.hasPrefix("license") }
        #expect(license?.hasSuffix("not stated") == true, "\(small.said)")
        let same = try await weighbridge("model", "verify", Self.folder, "--sha256", digest, in: workplace)
        #expect(same.status == 0, "\(same.said)")
        let other = try await weighbridge("model", "verify", "small.gguf", "--sha256", digest, in: workplace)
        #expect(other.status == 1 && other.said.contains("FAILED"))
        let bare = try await weighbridge("model", "verify", Self.folder, "--terms", "llama-2", in: workplace)
        #expect(bare.status == 1 && bare.said.contains("LICENSE"))
        let unknown = try await weighbridge("model", "verify", Self.folder, "--terms", "no-such", in: workplace)
        #expect(unknown.status == 1 && unknown.complaint.contains("WEIGHBRIDGE_SHARE"), "\(unknown.said)")
        let foretold = try await weighbridge(
          "engine", "perplexity", "--model", "small.gguf", "--json", in: workplace, input: "the inn there")
        #expect(foretold.status == 0 && foretold.output.contains("predicted_tokens"), "\(foretold.said)")
        let large = try await weighbridge(
          "engine", "logits", "--model", try #require(Installation.model), "--tokens", "1", "--memory-limit", "1", in: workplace)
        #expect(large.status == 1 && large.complaint.contains("needs"), "\(large.said)")
      }
    }
  }
}
