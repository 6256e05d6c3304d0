import Documents
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

/// The plan says of every term file that ships what the plain evaluator says.
@Suite("The plan means what the term file says")
struct PlanEquivalenceTests {
  private static let seeds: [UInt64] = [1, 20_230_718]

  @Test(
    "verdicts, states and missing facts agree on random questions about every file", arguments: ["Licenses", "Jurisdictions"],
    seeds)
  func agree(folder: String, seed: UInt64) throws {
    var seen: [Verdict: Int] = [:]
    var asked = 0
    for (index, file) in try ShippedLicenseTests.terms(in: folder).enumerated() {
      var random = RandomFacts(file: file, generator: SplitMix64(seed: seed &+ UInt64(index) &* 7919))
      for round in 0..<24 {
        let question = self.question(&random, round)
        let place = "seed \(seed), \(file.id), round \(round)"
        let standing = StandingPlan(question).standing(of: question.party)
        seen[standing.verdict, default: 0] += 1
        let plain = PlainEvaluator(question: question)
        let findings = plain.findings()
        self.compare(standing.clauses, findings, place)
        #expect(standing.verdict == plain.verdict(findings), "\(place)")
        #expect(Set(standing.missing.map(\.fact)) == Set(findings.flatMap(\.missing)), "\(place)")
        self.compareRequest(standing, question, findings, &random, place)
        asked += 1
      }
    }
    #expect(asked > 90 && seen.count == 3, "\(seen)")
  }

  private func compareRequest(
    _ standing: Standing, _ question: StandingRequest, _ findings: [PlainEvaluator.Finding], _ random: inout RandomFacts,
    _ place: String
  ) {
    let request = random.sheet({ $0.subject == .request }, density: 6)
    let verdict = standing.verdict(for: request, at: question.time)
    let plain = PlainEvaluator(question: question, request: request)
    let asked = plain.requestFindings(plain.pending(findings))
    self.compare(verdict.clauses, asked, "\(place), request")
    #expect(verdict.verdict == plain.verdict(findings + asked), "\(place), request")
  }

  private func compare(_ results: [ClauseResult], _ findings: [PlainEvaluator.Finding], _ place: String) {
    let planned = Set(results.map { "\($0.clause) of \($0.party): \($0.truth) \($0.effect) \($0.state)" })
    let plain = Set(findings.map { "\($0.clause) of \($0.party): \($0.truth) \($0.effect) \($0.state)" })
    #expect(planned == plain, "\(place): \(planned.symmetricDifference(plain).sorted())")
    #expect(results.count == findings.count, "\(place)")
  }

  private func question(_ random: inout RandomFacts, _ round: Int) -> StandingRequest {
    var question = random.request(density: [2, 6, 9, 10][round % 4])
    question.action = round % 3 == 0 ? .use : Action.allCases.randomElement(using: &random.generator) ?? .use
    question.parameters = [:]
    for parameter in random.file.interpretations where Bool.random(using: &random.generator) {
      let value: ParameterValue? =
        switch parameter.standard {
        case .bool: .bool(Bool.random(using: &random.generator))
        case .number: nil
        case .text: parameter.choices.randomElement(using: &random.generator).map(ParameterValue.text)
        }
      question.parameters[random.file.id, default: [:]][parameter.name] = value
    }
    for exception in random.file.exceptions where Int.random(in: 0..<3, using: &random.generator) == 0 {
      let start = Timestamp(seconds: RandomFacts.time.seconds + Int64.random(in: -9...2, using: &random.generator) * 86_400)
      question.exceptions.append(
        ExceptionRecord(
          id: "gra_\(exception.id)", termFile: random.file.id, exception: exception.id,
          licensee: Bool.random(using: &random.generator) ? .operator : .party(question.party.id), validFrom: start,
          validTo: Bool.random(using: &random.generator) ? nil : Timestamp(seconds: start.seconds + 86_400 * 8),
          documentDigest: random.file.digest))
    }
    return question
  }

  @Test("one plan serves many parties: each gets the standing that it gets alone", arguments: seeds)
  func shared(seed: UInt64) throws {
    var random = RandomFacts(file: try TestFiles.termFile(TestFiles.terms), generator: SplitMix64(seed: seed))
    let base = random.request()
    let plan = StandingPlan(base)
    for index in 0..<40 {
      var question = base
      question.party = Party(id: "cus_\(index)", facts: random.sheet({ $0.subject.isParty }, density: 7))
      let together = plan.standing(of: question.party)
      let alone = standing(of: question)
      #expect(together.json.canonicalBytes == alone.json.canonicalBytes, "seed \(seed), party \(index)")
    }
  }
}
