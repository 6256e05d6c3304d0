internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GatewayApp

struct Policy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Try acceptable-use rules and the classifier offline.", subcommands: [Classify.self, Replay.self, Test.self])

  struct Classify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read JSON Lines {\"text\": …} from standard input and write one finding per line.")

    @Option(help: "A rule pack; may be given several times. Without it the packs that come with the gateway are used.")
    var pack: [String] = []

    @Option(help: "Weights of the classifier: 'shipped', 'off', or a file.")
    var classifier = "shipped"

    @Option(help: "An encoder behind the classifier: 'off', or its folder.")
    var encoder = "off"

    func run() async throws {
      var classifier = try PromptClassifier(
        packs: self.pack, classifier: self.classifier, encoder: self.encoder, environment: ProcessInfo.processInfo.environment)
      var number = 0
      while let line = StandardInput.line() {
        number += 1
        guard !line.isEmpty else { continue }
        Terminal.say(try await classifier.classify(jsonLine: line, number: number).text)
      }
    }
  }

  struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read JSON Lines {\"text\": …, \"label\": 0|1} from standard input and compare two policies over them.")

    @Option(help: "A rule pack in force; may be given several times. Without it the packs that come with the gateway are used.")
    var pack: [String] = []

    @Option(help: "A rule pack of the candidate; may be given several times. Without it the packs in force are used.")
    var candidatePack: [String] = []

    @Option(help: "A YAML file with the candidate's modes: rules, uses, classifier.")
    var settings: String?

    @Option(help: "Weights of the classifier: 'shipped', 'off', or a file.")
    var classifier = "shipped"

    @Flag(help: "Fail unless the evidence is enough to put the candidate in force.")
    var promote = false

    func run() throws {
      var comparison = try PolicyComparison(
        packs: self.pack, candidatePacks: self.candidatePack, settings: self.settings, classifier: self.classifier,
        environment: ProcessInfo.processInfo.environment)
      var number = 0
      while let line = StandardInput.line() {
        number += 1
        guard !line.isEmpty else { continue }
        try comparison.add(jsonLine: line, number: number)
      }
      Terminal.say(comparison.json.text)
      if self.promote, !comparison.objections.isEmpty { throw ExitCode(1) }
    }
  }

  struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run each rule's own examples.")

    @Option(help: "A rule pack; may be given several times. Without it the packs that come with the gateway are used.")
    var pack: [String] = []

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
      let result = try RuleTest.run(packs: self.pack, environment: ProcessInfo.processInfo.environment)
      Terminal.say(self.json ? result.json.text : result.text)
      if !result.failures.isEmpty { throw ExitCode(1) }
    }
  }
}
