internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GatewayApp

extension Engine {
  struct Perplexity: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measure how well the model foretells standard input.")

    @OptionGroup var engine: EngineOptionGroup
    @Option(help: "Tokens read at once, each run from its own beginning; 512 or the context if left out.") var window: Int?
    @Flag(help: "Print as JSON.") var json = false

    func run() throws {
      let result = try self.engine.offline.perplexity(StandardInput.text(), window: self.window)
      guard !self.json, case .object(let members) = result else { return Terminal.say(result.text) }
      Terminal.say(Terminal.table(members.map { ($0.key.replacing("_", with: " "), $0.value.text) }))
    }
  }

  struct Embed: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the embedding of standard input, of length 1.")

    @OptionGroup var engine: EngineOptionGroup
    @Option(help: "mean or last: which tokens' hidden states are taken.") var pooling = "mean"
    @Flag(help: "Print as JSON.") var json = false

    func run() throws {
      let embedding = try self.engine.offline.embedding(StandardInput.text(), pooling: self.pooling)
      Terminal.say(
        self.json
          ? JSON.object([JSONMember("embedding", .array(embedding.map { .number("\($0)") }))]).text
          : embedding.map { "\($0)" }.joined(separator: " "))
    }
  }

  struct Quantize: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a model of any layout as one GGUF file in another weight type.")

    @OptionGroup var engine: EngineOptionGroup
    @Option(help: "\(OfflineEngine.quantizationTypes.joined(separator: ", ")).") var type: String
    @Option(name: .shortAndLong, help: "The file to write; it must not be there yet.") var output: String
    @Flag(help: "Print the result as JSON.") var json = false

    func run() throws {
      let isShown = Terminal.isInteractive
      try self.engine.offline.quantize(to: self.output, type: self.type) { share, tensor in
        if isShown { Terminal.progress(share, tensor) }
      }
      let size = try FileManager.default.attributesOfItem(atPath: self.output)[.size] as? Int ?? 0
      guard !self.json else {
        return Terminal.say(
          JSON.object([JSONMember("file", .string(self.output)), JSONMember("bytes", .integer(size))]).text)
      }
      Terminal.say("\(self.output): \(size >> 20) MiB")
    }
  }
}

extension Model {
  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what a model's files say and hold: architecture, lineage, license, digest, memory.")

    @Argument(help: "A GGUF file, a Hugging Face folder or a Meta checkpoint.") var model: String
    @Flag(help: "List the tensors too; JSON always has them.") var tensors = false
    @Flag(help: "Print as JSON.") var json = false

    func run() throws {
      let report = try ModelReport(model: self.model)
      guard !self.json else { return Terminal.say(report.json.text) }
      Terminal.say(Terminal.table(report.rows))
      if self.tensors { for line in report.tensorLines { Terminal.say(line) } }
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check a model's digest, and that its license texts lie beside it unchanged.")

    @Argument(help: "A GGUF file, a Hugging Face folder or a Meta checkpoint.") var model: String
    @Option(help: "The SHA-256 that the weights must have, as 'model inspect' prints it.") var sha256: String?
    @Option(help: "Terms whose texts must lie beside the weights; may be given several times.") var terms: [String] = []
    @Flag(help: "Print as JSON.") var json = false

    func validate() throws {
      guard self.sha256 != nil || !self.terms.isEmpty else {
        throw ValidationError("Name what to check: --sha256, --terms or both.")
      }
    }

    func run() throws {
      let result = try ModelVerification(
        model: self.model, sha256: self.sha256, terms: self.terms, environment: ProcessInfo.processInfo.environment)
      Terminal.say(self.json ? result.json.text : Terminal.table(result.rows))
      if !result.isPassed { throw ExitCode(1) }
    }
  }
}
