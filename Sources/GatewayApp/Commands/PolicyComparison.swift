internal import AcceptableUse
internal import AuditSigning
public import Documents
internal import GovernanceTypes
internal import YAMLDocuments

/// Runs two acceptable-use policies over texts that the operator supplies, offline: what the candidate would change, and whether that
/// is evidence enough to put it in force.
public struct PolicyComparison: Sendable {
  private var current: TextScanner
  private var candidate: TextScanner
  private var replay = PolicyReplay()
  private var settings = PolicySettings()

  /// - Parameter packs: Paths of the packs in force; those that come with the gateway where there is none.
  /// - Parameter candidatePacks: Paths of the candidate's packs; the same where there is none.
  /// - Parameter settings: Path of a YAML file with the candidate's modes.
  /// - Parameter classifier: `shipped`, `off`, or the path of a file of weights; the same for both.
  public init(
    packs: [String], candidatePacks: [String], settings: String?, classifier: String, environment: [String: String]
  ) throws {
    let weights = try RuleLibrary.classifier(classifier, environment: environment)
    let current = try AcceptableUsePolicy(packs: try RuleLibrary.packs(packs, environment: environment), classifier: weights)
    var candidate = current
    if !candidatePacks.isEmpty {
      candidate = try AcceptableUsePolicy(
        packs: try RuleLibrary.packs(candidatePacks, environment: environment), classifier: weights)
    }
    if let settings { self.settings = try Self.settings(settings) }
    candidate = candidate.applying(self.settings)
    self.current = current.scanner(.prompt)
    self.candidate = candidate.scanner(.prompt)
  }

  private static func settings(_ path: String) throws -> PolicySettings {
    let bytes = try readFile(path)
    do throws(DocumentError) {
      return try PolicySettings(try Document.parseYAML(bytes))
    } catch {
      throw ConfigurationError(path: path, message: error.description)
    }
  }

  /// Reads `{"text": …, "label": 0|1}`; the label, whether a person calls it a violation, may be missing.
  public mutating func add(jsonLine line: String, number: Int) throws {
    do throws(DocumentError) {
      let entry = try ReplayText(jsonLine: line)
      self.replay.add(
        current: self.current.assess(entry.text), candidate: self.candidate.assess(entry.text), isViolation: entry.isViolation)
    } catch {
      throw StartFailure("line \(number) of standard input: \(error)")
    }
  }

  /// Why the candidate may not be promoted on this evidence; empty when it may.
  public var objections: [String] { PromotionGate().objections(self.replay) }

  /// Counts and places, never a text; and which settings they are of: evidence for these and for no others.
  public var json: JSON {
    guard case .object(let members) = self.replay.json else { return self.replay.json }
    return .object(
      members + [
        JSONMember("objections", .array(self.objections.map(JSON.string))),
        JSONMember("settings_sha256", .string(sha256(self.settings.json.canonicalBytes).hexadecimal)),
      ])
  }
}
