internal import AcceptableUse
internal import AuditSigning
public import Documents

/// Runs rule packs and the classifier over texts, offline.
public struct PromptClassifier: Sendable {
  private var scanner: TextScanner

  /// - Parameter packs: Paths of rule packs; those that come with the gateway where there is none.
  /// - Parameter classifier: `shipped`, `off`, or the path of a file of weights.
  public init(packs: [String], classifier: String, environment: [String: String]) throws {
    self.scanner = try AcceptableUsePolicy(
      packs: try RuleLibrary.packs(packs, environment: environment),
      classifier: try RuleLibrary.classifier(classifier, environment: environment)
    ).scanner(.prompt)
  }

  /// Reads `{"text": …}` and returns the finding.
  public mutating func classify(jsonLine line: String, number: Int) throws -> JSON {
    do throws(DocumentError) {
      var reader = try DocumentReader(try Document.parseJSON(Array(line.utf8)))
      return self.scanner.assess(try reader.string("text")).json
    } catch {
      throw StartFailure("line \(number) of standard input: \(error)")
    }
  }
}

/// Runs each rule's own examples.
public struct RuleTest: Sendable {
  public let failures: [String]
  private let rules: Int

  public static func run(packs paths: [String], environment: [String: String]) throws -> RuleTest {
    let packs = try RuleLibrary.packs(paths, environment: environment)
    return RuleTest(
      failures: packs.flatMap { pack in pack.test().map { "\(pack.id): \($0)" } }, rules: packs.reduce(0) { $0 + $1.rules.count })
  }

  public var text: String {
    (self.failures + ["\(self.rules) rules, \(self.failures.count) failed examples"]).joined(separator: "\n")
  }
  public var json: JSON {
    ["rules": .integer(self.rules), "failures": .array(self.failures.map(JSON.string))]
  }
}
