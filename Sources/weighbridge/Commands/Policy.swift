internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GatewayApp

struct Policy: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Try acceptable-use rules and the classifier offline.", subcommands: [Classify.self, Test.self])

  struct Classify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read JSON Lines {\"text\": …} from standard input and write one finding per line.")

    @Option(help: "A rule pack; may be given several times. Without it the packs that come with the gateway are used.")
    var pack: [String] = []

    @Option(help: "Weights of the classifier: 'shipped', 'off', or a file.")
    var classifier = "shipped"

    func run() throws {
      var classifier = try PromptClassifier(
        packs: self.pack, classifier: self.classifier, environment: ProcessInfo.processInfo.environment)
      var number = 0
      while let line = StandardInput.line() {
        number += 1
        guard !line.isEmpty else { continue }
        Terminal.say(try classifier.classify(jsonLine: line, number: number).text)
      }
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
