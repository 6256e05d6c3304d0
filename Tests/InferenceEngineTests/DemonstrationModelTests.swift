import Completions
import Foundation
import InferenceEngine
import Testing

/// The model in the repository, against the ids and texts that its training program computed in float32 from the same weights.
@Suite("Demonstration model")
struct DemonstrationModelTests {
  struct Golden: Decodable {
    struct Prompt: Decodable {
      let system: String?
      let user: String
      let prompt_ids: [Int32]
      let completion_ids: [Int32]
      let text: String
    }
    let prompts: [Prompt]
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Models/demo")

  @Test("Prompts are tokenised and answered greedily to the last token as the training program did")
  func golden() async throws {
    let golden = try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: Self.folder.appendingPathComponent("golden.json")))
    let engine = try EmbeddedEngine(path: Self.folder.appendingPathComponent("demo.gguf").path)
    defer { engine.shutdown() }
    #expect(golden.prompts.count >= 3)
    for prompt in golden.prompts {
      let turns = (prompt.system.map { [ChatMessage(role: .system, content: $0)] } ?? [])
      let request = CompletionRequest(
        prompt: .chat(turns + [ChatMessage(role: .user, content: prompt.user)]), sampling: SamplingParameters(temperature: 0))
      #expect(try await engine.prepare(request).tokens == prompt.prompt_ids)
      let answer = try await engine.complete(request)
      #expect(answer.text == prompt.text)
      #expect(answer.end.usage.completion == prompt.completion_ids.filter { $0 != 2 }.count)
    }
  }
}
