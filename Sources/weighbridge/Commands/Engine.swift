internal import ArgumentParser
internal import Documents
internal import GatewayApp

struct Engine: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Work with a model file offline: no gateway, no license, no charge; for the operator's own tests.",
    subcommands: [
      Generate.self, Tokenize.self, Logits.self, Perplexity.self, Embed.self, Bench.self, Quantize.self,
    ])

  struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the model's answer to a prompt.")

    @OptionGroup var engine: EngineOptionGroup
    @Option(help: "The user's message, or raw text with --raw.") var prompt: String
    @Option(help: "The most tokens of the answer.") var maxTokens = 256
    @Option(help: "0 is greedy.") var temperature = 0.0
    @Option(help: "The seed for sampling.") var seed: UInt64?
    @Flag(help: "Continue the prompt as it stands, without the chat template.") var raw = false

    func run() async throws {
      let asked = OfflineEngine.Question(
        prompt: self.prompt, isRaw: self.raw, maximumTokens: self.maxTokens, temperature: Float(self.temperature), seed: self.seed
      )
      try await self.engine.offline.generate(asked) { Terminal.write($0) }
      Terminal.say("")
    }
  }

  struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Tokenise standard input.")

    @Option(help: "A GGUF file, a Hugging Face folder or a Meta checkpoint.") var model: String
    @Flag(help: "Print as JSON.") var json = false

    func run() throws {
      let tokens = try OfflineEngine(model: self.model, threads: 1).tokenize(StandardInput.text())
      Terminal.say(
        self.json
          ? JSON.object([JSONMember("tokens", .array(tokens.map { .integer(Int($0)) }))]).text
          : tokens.map { String($0) }.joined(separator: " "))
    }
  }

  struct Logits: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the logits after each of some tokens.")

    @OptionGroup var engine: EngineOptionGroup
    @Option(help: "Token ids, divided by commas.") var tokens: String
    @Flag(help: "Print as JSON.") var json = false

    func run() throws {
      let ids = try self.tokens.split(separator: ",").map { text throws -> Int32 in
        guard let id = Int32(text) else { throw ValidationError("'\(text)' is no token id") }
        return id
      }
      let logits = try self.engine.offline.logits(ids)
      guard self.json else {
        for row in logits { Terminal.say(row.map { "\($0)" }.joined(separator: " ")) }
        return
      }
      Terminal.say(JSON.object([JSONMember("logits", .array(logits.map { .array($0.map { .number("\($0)") }) }))]).text)
    }
  }

  struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measure prefill and decode speed.")

    @OptionGroup var engine: EngineOptionGroup
    @Option(help: "Tokens of the prompt.") var promptTokens = 512
    @Option(help: "Tokens to generate.") var generateTokens = 128
    @Option(help: "Sequences at once.") var parallel = 1
    @Flag(help: "Tell where the time goes, beside the speed at which this machine reads the same weights.") var profile = false
    @Flag(help: "Print as JSON.") var json = false

    func run() throws {
      let result = try self.engine.offline.bench(
        promptTokens: self.promptTokens, generateTokens: self.generateTokens, parallel: self.parallel,
        isProfiled: self.profile)
      Terminal.say(self.json ? result.json.text : Terminal.table(result.rows))
    }
  }
}

/// What every command that runs a model takes.
struct EngineOptionGroup: ParsableArguments {
  @Option(help: "A GGUF file, a Hugging Face folder or a Meta checkpoint.") var model: String
  @Option(help: "Threads of the engine; 0 for as many as there are cores for it.") var threads = 0
  @Option(help: "The most memory in MiB; a model that needs more is refused before it is loaded.") var memoryLimit: Int?

  func validate() throws {
    guard (self.memoryLimit ?? 1) >= 1, (self.memoryLimit ?? 1) <= 1 << 40 else {
      throw ValidationError("--memory-limit must be 1 or more.")
    }
  }

  var offline: OfflineEngine {
    OfflineEngine(model: self.model, threads: self.threads, memoryLimit: self.memoryLimit.map { $0 << 20 })
  }
}
