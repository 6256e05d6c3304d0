public import Documents
public import GovernanceTypes

/// Cases that a lawyer can read and a computer can run: facts given, verdict expected.
public struct DecisionTable: Sendable {
  public static let schema = "decision-table/1"

  public let cases: [Case]

  /// One case: a question, and what the answer must be.
  public struct Case: Sendable {
    public let name: String
    public let position: TextPosition
    /// What is asked.
    public let question: StandingRequest
    /// The facts of one request; nil where only the standing is asked for.
    public let request: FactSheet?
    public let expectation: Expectation
  }

  /// What a case expects; what is nil is not looked at.
  public struct Expectation: Sendable {
    public let verdict: Verdict
    public let clause: String?
    public let subject: Subject?
    public let state: ClauseState?
    public let code: RefusalCode?
    public let fact: String?
    /// A part of the deciding clause's remedy.
    public let remedy: String?
    /// All rows to record, as `subject fact`, in any order.
    public let missing: Set<String>?
    public let until: Timestamp?
    /// Clauses whose unknowns are recorded.
    public let recorded: [String]
    /// Clauses lifted by an exemption or an exception.
    public let lifted: [String]
    /// Ids of forbidden uses found.
    public let findings: [String]?
    /// Names of duties that ride along.
    public let duties: [String]
  }

  /// A case that came out otherwise than expected.
  public struct Failure: Sendable, Hashable, CustomStringConvertible {
    public let name: String
    public let position: TextPosition
    public let message: String

    public var description: String { "line \(self.position.line): \(self.name): \(self.message)" }
  }

  /// Runs all cases; empty where all came out as expected.
  public func run() -> [Failure] {
    self.cases.flatMap { item in
      item.differences.map { Failure(name: item.name, position: item.position, message: $0) }
    }
  }
}

extension DecisionTable.Case {
  /// What came out otherwise than expected, in words.
  public var differences: [String] {
    let standing = LicenseTerms.standing(of: self.question)
    let asked = self.request.map { standing.verdict(for: $0, at: self.question.time) }
    var differences = Differences()
    differences.compare("verdict", (asked?.verdict ?? standing.verdict).rawValue, self.expectation.verdict.rawValue)
    differences.compare(asked?.deciding ?? standing.deciding, self.expectation)
    differences.compare(standing, asked, self.expectation)
    return differences.messages
  }
}

/// Gathers what differs from an expectation.
private struct Differences {
  private(set) var messages: [String] = []

  mutating func compare(_ what: String, _ got: String?, _ expected: String?) {
    guard let expected, got != expected else { return }
    self.messages.append("\(what) is \(got ?? "none"), expected \(expected)")
  }

  mutating func compare(_ deciding: ClauseResult?, _ expected: DecisionTable.Expectation) {
    self.compare("clause", deciding?.clause, expected.clause)
    self.compare("subject", deciding?.party.description, expected.subject?.description)
    self.compare("state", deciding?.state.rawValue, expected.state?.rawValue)
    self.compare("code", deciding?.code.rawValue, expected.code?.rawValue)
    self.compare("fact", deciding?.fact, expected.fact)
    guard let part = expected.remedy else { return }
    let remedy = deciding?.remedy ?? ""
    if !remedy.contains(part) { self.messages.append("the remedy is '\(remedy)', expected to hold '\(part)'") }
  }

  mutating func compare(_ standing: Standing, _ asked: RequestVerdict?, _ expected: DecisionTable.Expectation) {
    self.compare("until", standing.until?.description, expected.until?.description)
    if let missing = expected.missing {
      let rows = Set((standing.missing + (asked?.missing ?? [])).map { "\($0.subject) \($0.fact)" })
      self.compare("missing", rows.sorted().joined(separator: ", "), missing.sorted().joined(separator: ", "))
    }
    if let findings = expected.findings {
      let found = (asked?.findings ?? []).map(\.use).sorted()
      self.compare("findings", found.joined(separator: ", "), findings.sorted().joined(separator: ", "))
    }
    let results = standing.clauses + (asked?.clauses ?? [])
    let recorded = Set(results.filter { $0.effect == .allowAndRecord }.map(\.clause))
    for clause in expected.recorded where !recorded.contains(clause) { self.messages.append("'\(clause)' is not recorded") }
    let lifted = Set(results.filter { $0.state == .exempt || $0.state == .cured }.map(\.clause))
    for clause in expected.lifted where !lifted.contains(clause) { self.messages.append("'\(clause)' is not lifted") }
    let duties = Set(standing.duties.map(\.kind.name))
    for duty in expected.duties where !duties.contains(duty) { self.messages.append("the duty '\(duty)' does not ride along") }
  }
}
