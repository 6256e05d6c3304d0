internal import AcceptableUse
internal import AuditSigning
public import Documents

/// Runs rule packs, the classifier and an encoder behind it over texts, offline.
public struct PromptClassifier: Sendable {
  /// Nobody waits here as a request does.
  private static let patience = Duration.seconds(600)

  private let policy: AcceptableUsePolicy
  private let encoder: EncoderDetector?
  private var scanner: TextScanner

  /// - Parameters:
  ///   - packs: Paths of rule packs; those that come with the gateway where there is none.
  ///   - classifier: `shipped`, `off`, or the path of a file of weights.
  ///   - encoder: `off`, or a folder as `policies.encoder` names it.
  public init(packs: [String], classifier: String, encoder: String, environment: [String: String]) throws {
    let weights = try RuleLibrary.classifier(classifier, environment: environment)
    if weights == nil, encoder != "off" {
      throw StartFailure("an encoder reads what the classifier is in doubt about, and the classifier is off")
    }
    self.encoder = try EncoderFolder.load(encoder, behind: weights, patience: Self.patience)
    self.policy = try AcceptableUsePolicy(
      packs: try RuleLibrary.packs(packs, environment: environment), classifier: weights, encoder: self.encoder?.terms)
    self.scanner = self.policy.scanner(.prompt)
  }

  /// Reads `{"text": …}` and returns the finding.
  public mutating func classify(jsonLine line: String, number: Int) async throws -> JSON {
    let text: String
    do throws(DocumentError) {
      var reader = try DocumentReader(try Document.parseJSON(Array(line.utf8)))
      text = try reader.string("text")
    } catch {
      throw StartFailure("line \(number) of standard input: \(error)")
    }
    let assessment = self.scanner.assess(text)
    guard let encoder, self.policy.isAmbiguous(assessment) else { return assessment.json }
    do throws(DetectorFailure) {
      return self.policy.adding(try await encoder.reading(of: text), to: assessment, direction: .prompt).json
    } catch {
      throw StartFailure("line \(number) of standard input: the encoder gave no reading (\(error.rawValue))")
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
