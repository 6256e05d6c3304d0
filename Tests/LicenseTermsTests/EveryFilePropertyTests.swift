import Documents
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

/// What the issue promises of decisions, for every term file that ships. A failure names its seed, file and round.
@Suite("What holds of every license and law")
struct EveryFilePropertyTests {
  private static let seeds: [UInt64] = [3, 20_240_418]

  private static func files() throws -> [TermFile] {
    try ShippedLicenseTests.terms(in: "Licenses") + ShippedLicenseTests.terms(in: "Jurisdictions")
  }

  /// Calls `body` with questions about every file, each with its place for messages.
  private func every(
    _ seed: UInt64, rounds: Int, density: Int, _ body: (StandingRequest, inout RandomFacts, String) throws -> Void
  ) throws {
    for (index, file) in try Self.files().enumerated() {
      var random = RandomFacts(file: file, generator: SplitMix64(seed: seed &+ UInt64(index) &* 104_729))
      for round in 0..<rounds {
        var question = random.request(density: density)
        question.parameters = [:]
        if round % 3 == 2 { question.action = Action.allCases.randomElement(using: &random.generator) ?? .use }
        try body(question, &random, "seed \(seed), \(file.id), round \(round)")
      }
    }
  }

  @Test("unknown is never a plain allow: it is recorded, asked for, refused, or left to the request", arguments: seeds)
  func unknownIsNotAllowed(seed: UInt64) throws {
    var unknowns = 0
    try self.every(seed, rounds: 6, density: 5) { question, random, place in
      let standing = standing(of: question)
      let request = standing.verdict(for: random.sheet({ $0.subject == .request }, density: 4), at: question.time)
      for result in standing.clauses + request.clauses where result.truth == .unknown {
        unknowns += 1
        let isLifted = result.state == .exempt || result.state == .cured || result.state == .deferred
        let clause = try #require(random.file.clauses.first { $0.id == result.clause })
        // Only where the file says so of a prohibition or an obligation does an unknown let through, and none is a deferral then.
        let isSaid = clause.onUnknown == .allow && clause.kind != .condition && clause.kind != .termination
        #expect(isLifted || result.effect != .allow || isSaid, "\(place): \(result.clause)")
        if clause.onUnknown == .requireRecord, !isLifted {
          #expect(result.effect >= .requireRecord, "\(place): \(result.clause)")
        }
        if clause.onUnknown == .deny, !isLifted { #expect(result.effect == .deny, "\(place): \(result.clause)") }
      }
      for result in request.clauses { #expect(result.state != .deferred, "\(place): \(result.clause) is left undecided") }
    }
    #expect(unknowns > 500)
  }

  @Test("learning a fact never changes what a clause had decided, but for what exempts and what ends", arguments: seeds)
  func monotone(seed: UInt64) throws {
    var learnt = 0
    try self.every(seed, rounds: 8, density: 4) { question, random, place in
      let file = random.file
      let declaration = file.facts.filter { $0.subject.isParty }.randomElement(using: &random.generator)
      guard let declaration else { return }
      let key = file.externalKey(for: declaration, at: question.time)
      guard question.party.facts.records(of: key).isEmpty else { return }
      let before = standing(of: question)
      let after = standing(of: question.recording(random.fact(declaration), for: .party(question.party.id)))
      let later = Dictionary(after.clauses.map { ("\($0.clause) \($0.party)", $0) }) { first, _ in first }
      for result in before.clauses where result.truth != .unknown && result.state != .exempt && result.kind != .exemption {
        guard let same = later["\(result.clause) \(result.party)"] else { continue }
        // What was never recorded counts as not happened, and as no purpose: those alone may turn a clause.
        let isAbsence = declaration.sources == [.event] || file.clauses.contains { $0.forbids?.purposes == declaration.key }
        if isAbsence { continue }
        let isSettled = same.truth == result.truth || same.state == .exempt || same.state == .notApplicable
        #expect(isSettled, "\(place): \(result.clause) from \(result.truth) to \(same.truth) on \(key)")
        if result.effect == .deny, same.state != .exempt, same.state != .notApplicable {
          #expect(same.effect == .deny, "\(place)")
        }
        learnt += 1
      }
    }
    #expect(learnt > 500)
  }

  @Test("the order of term files, records and exceptions changes nothing", arguments: seeds)
  func order(seed: UInt64) throws {
    let files = try Self.files()
    var generator = SplitMix64(seed: seed)
    for round in 0..<30 {
      let chosen = Array(files.shuffled(using: &generator).prefix(3))
      var facts: [Fact] = []
      var operatorFacts: [Fact] = []
      for file in chosen {
        var random = RandomFacts(file: file, generator: generator)
        facts += random.sheet({ $0.subject.isParty }, density: 7).facts
        operatorFacts += random.sheet({ $0.subject.isParty }, density: 9).facts
        generator = random.generator
      }
      func ask(_ terms: [TermFile], _ facts: [Fact], _ operatorFacts: [Fact]) -> Standing {
        standing(
          of: StandingRequest(
            party: Party(id: "cus_order", facts: FactSheet(facts)), operator: FactSheet(operatorFacts),
            model: GovernedModel(name: "m", facts: .empty), terms: terms, at: RandomFacts.time))
      }
      let straight = ask(chosen, facts, operatorFacts)
      let shuffled = ask(
        chosen.shuffled(using: &generator), facts.shuffled(using: &generator), operatorFacts.shuffled(using: &generator))
      #expect(straight.json.canonicalBytes == shuffled.json.canonicalBytes, "seed \(seed), round \(round)")
    }
  }

  @Test("an exemption that is not certain lifts nothing", arguments: seeds)
  func exemptions(seed: UInt64) throws {
    var lifted = 0
    try self.every(seed, rounds: 10, density: 7) { question, random, place in
      let results = standing(of: question).clauses
      for result in results where result.state == .exempt && result.kind != .exemption {
        lifted += 1
        let clause = try #require(random.file.clauses.first { $0.id == result.clause })
        if result.because == clause.id {
          #expect(clause.exemptWhen != nil, "\(place)")
          continue
        }
        let exemption = results.first { $0.clause == result.because && $0.party == result.party }
        #expect(exemption?.state == .exempt && exemption?.kind == .exemption, "\(place): \(result.clause)")
      }
    }
    #expect(lifted > 10)
  }

  @Test("a number that is not known is asked for by its key, and the remedy says who supplies it", arguments: seeds)
  func numbers(seed: UInt64) throws {
    var asked: Set<String> = []
    try self.every(seed, rounds: 6, density: 2) { question, _, place in
      for row in standing(of: question).missing where row.type == .count || row.type == .money {
        #expect(row.remedy.contains("`\(row.fact)`") && row.remedy.contains("Post an attestation of"), "\(place): \(row.remedy)")
        guard row.remedy.contains(", counting ") else { continue }
        let isSupplied = row.remedy.contains("only a statement supplies it") || row.remedy.contains("does not replace it")
        #expect(isSupplied, "\(place): \(row.remedy)")
        asked.insert(row.fact)
      }
    }
    #expect(asked.count > 5, "\(asked.sorted())")
  }

  @Test("every action is decided: allowed by a grant, named by a prohibition, or denied", arguments: Action.allCases)
  func actions(action: Action) throws {
    for file in try Self.files() {
      let grants = file.clauses.filter { $0.kind == .grant }
      let isNamed = file.clauses.contains { $0.grants.contains(action) || ($0.forbids?.actions.contains(action) ?? false) }
      var random = RandomFacts(file: file, generator: SplitMix64(seed: 1))
      var question = random.request(density: 10)
      question.parameters = [:]
      question.action = action
      let standing = standing(of: question)
      if !grants.isEmpty, !isNamed { #expect(standing.verdict == .deny, "\(file.id)") }
      #expect(standing.action == action && !standing.clauses.isEmpty)
    }
  }
}
