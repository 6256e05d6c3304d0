import Documents
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

@Suite("What holds of every standing")
struct StandingPropertyTests {
  static let seeds: [UInt64] = [1, 2, 3, 20_230_718]

  @Test("posting a suitable record for each missing row opens the gate, unless a clause denies", arguments: seeds)
  func postingOpens(seed: UInt64) throws {
    var random = RandomFacts(file: try TestFiles.termFile(TestFiles.terms), generator: SplitMix64(seed: seed))
    var opened = 0
    for round in 0..<150 {
      var request = random.request(density: [1, 4, 8][round % 3])
      let before = standing(of: request)
      guard before.verdict == .requireRecord else { continue }
      #expect(!before.missing.isEmpty, "seed \(seed), round \(round)")
      for row in before.missing { request = request.recording(try record(row, in: random.file), for: row.subject) }
      let after = standing(of: request)
      #expect(after.verdict == .allow, "seed \(seed), round \(round): \(after.deciding?.remedy ?? "")")
      #expect(after.missing.isEmpty)
      opened += 1
    }
    #expect(opened > 20)
  }

  /// What an attestation of the row's suitable value records.
  private func record(_ row: MissingFact, in file: TermFile) throws -> Fact {
    let declaration = try #require(file.declaration(forExternalKey: row.fact))
    #expect(declaration.type == row.type)
    let source = declaration.sources.first { $0 != .measured } ?? .measured
    return Fact(
      key: row.fact, value: try #require(row.suitable), source: source, reference: "att_new", recordedAt: RandomFacts.time,
      acceptedDigest: file.documentsDigest)
  }

  @Test("a verdict of allow rests on no unknown but those that are recorded", arguments: seeds)
  func unknownIsNotAllowed(seed: UInt64) throws {
    var random = RandomFacts(file: try TestFiles.termFile(TestFiles.terms), generator: SplitMix64(seed: seed))
    for _ in 0..<150 {
      let result = standing(of: random.request(density: 7))
      for clause in result.clauses where clause.truth == .unknown {
        let isLifted = clause.state == .exempt || clause.state == .cured
        #expect(isLifted || clause.state == .deferred || clause.effect != .allow, "seed \(seed): \(clause.clause)")
      }
      if result.verdict == .allow {
        #expect(result.clauses.allSatisfy { $0.effect <= .allowAndRecord })
        #expect(result.missing.isEmpty && result.deciding == nil)
      }
    }
  }

  @Test("the order of clauses and of records changes nothing", arguments: seeds)
  func orderIsIrrelevant(seed: UInt64) throws {
    let text = String(decoding: try TestFiles.bytes(TestFiles.terms), as: UTF8.self)
    let file = try TestFiles.termFile(text: text)
    var random = RandomFacts(file: file, generator: SplitMix64(seed: seed))
    let shuffled = try TestFiles.termFile(text: shufflingClauses(of: text, using: &random.generator))
    #expect(shuffled.documentsDigest == file.documentsDigest)
    #expect(shuffled.clauses.map(\.id) != file.clauses.map(\.id))
    for _ in 0..<80 {
      var request = random.request()
      let straight = standing(of: request)
      request.terms = [shuffled]
      request.operator = FactSheet(request.operator.facts.shuffled(using: &random.generator))
      request.party.facts = FactSheet(request.party.facts.facts.shuffled(using: &random.generator))
      let other = standing(of: request)
      #expect(other.verdict == straight.verdict)
      #expect(other.deciding?.clause == straight.deciding?.clause)
      #expect(other.deciding?.party == straight.deciding?.party)
      #expect(other.until == straight.until)
      let differing = Set(other.clauses).symmetricDifference(straight.clauses).map(\.clause)
      #expect(differing.isEmpty, "seed \(seed)")
      #expect(Set(other.missing.map { "\($0.subject) \($0.fact)" }) == Set(straight.missing.map { "\($0.subject) \($0.fact)" }))
    }
  }

  /// The text with the elements of its clause list in another order.
  private func shufflingClauses(of text: String, using generator: inout SplitMix64) throws -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let start = try #require(lines.firstIndex(of: "clauses:"))
    let end = try #require(lines.firstIndex { $0.hasPrefix("uses:") })
    var clauses: [[String]] = []
    for line in lines[(start + 1)..<end] where !line.hasPrefix("#") {
      if line.hasPrefix("  - ") { clauses.append([]) }
      if !clauses.isEmpty { clauses[clauses.count - 1].append(line) }
    }
    clauses.shuffle(using: &generator)
    return (lines[...start] + clauses.flatMap { $0 } + lines[end...]).joined(separator: "\n")
  }

  @Test("recording what is unknown never makes a clause that was decided undecided", arguments: seeds)
  func learningIsMonotone(seed: UInt64) throws {
    var random = RandomFacts(file: try TestFiles.termFile(TestFiles.terms), generator: SplitMix64(seed: seed))
    let declarations = random.file.facts.filter { $0.subject.isParty && $0.key != "party.received_as" }
    for _ in 0..<120 {
      let request = random.request(density: 4)
      let declaration = try #require(declarations.randomElement(using: &random.generator))
      let key = random.file.externalKey(for: declaration, at: RandomFacts.time)
      guard request.party.facts.records(of: key).isEmpty else { continue }
      let before = standing(of: request)
      let after = standing(of: request.recording(random.fact(declaration), for: .party("cus_random")))
      for clause in before.clauses where clause.truth != .unknown && clause.kind != .termination {
        // Declared purposes are the one statement whose absence is taken as "none", and recorded as such.
        let same = after.clauses.first { $0.clause == clause.clause && $0.party == clause.party }
        #expect(same?.truth == clause.truth, "seed \(seed): \(clause.clause) on \(key)")
      }
      let severe: (Standing) -> Bool = { $0.verdict == .deny }
      if severe(before) { #expect(severe(after), "seed \(seed): learning \(key) lifted a denial") }
    }
  }

  @Test("an exemption counts only where it is certain", arguments: seeds)
  func unknownDoesNotExempt(seed: UInt64) throws {
    var random = RandomFacts(file: try TestFiles.termFile(TestFiles.terms), generator: SplitMix64(seed: seed))
    var certain = 0
    for _ in 0..<120 {
      let result = standing(of: random.request())
      for clause in result.clauses where clause.state == .exempt && clause.kind != .exemption {
        let exemption = try #require(
          result.clauses.first { $0.clause == clause.because && $0.party == clause.party && $0.kind == .exemption })
        #expect(exemption.state == .exempt)
        #expect(exemption.facts.contains { $0.key == "party.received_as" && $0.value == "integrated_end_user_product" })
        certain += 1
      }
    }
    #expect(certain > 0)
  }

  @Test("nothing changes between the time of a verdict and its end", arguments: seeds)
  func verdictHoldsUntil(seed: UInt64) throws {
    var random = RandomFacts(file: try TestFiles.termFile(TestFiles.terms), generator: SplitMix64(seed: seed))
    for _ in 0..<80 {
      var request = random.request()
      let first = standing(of: request)
      guard let until = first.until else { continue }
      #expect(until > request.time)
      let span = until.nanoseconds - request.time.nanoseconds
      for part in [Int64(3), 2, 1] {
        request.time = Timestamp(nanoseconds: until.nanoseconds - 1 - span / 4 * (part - 1))
        let later = standing(of: request)
        #expect(later.verdict == first.verdict, "seed \(seed)")
        let differing = zip(later.clauses, first.clauses).filter { $0.state != $1.state }.map(\.0.clause)
        #expect(differing.isEmpty, "seed \(seed)")
        let sameDuties = later.duties == first.duties
        #expect(sameDuties, "seed \(seed)")
      }
    }
  }

  @Test("a request is never judged more mildly than the standing, and a finding always refuses", arguments: seeds)
  func requestsOnlyRestrict(seed: UInt64) throws {
    var random = RandomFacts(file: try TestFiles.termFile(TestFiles.terms), generator: SplitMix64(seed: seed))
    for _ in 0..<80 {
      let question = random.request(density: 9)
      let base = standing(of: question)
      let uses = random.file.uses.filter { _ in Int.random(in: 0..<12, using: &random.generator) == 0 }
      let facts = FactSheet([
        Fact(
          key: "request.use_findings", value: .set(uses.map(\.id).sorted()), source: .classifier, reference: "c",
          recordedAt: question.time)
      ])
      let verdict = base.verdict(for: facts, at: question.time)
      if base.verdict == .deny { #expect(verdict.verdict == .deny) }
      if base.verdict == .requireRecord { #expect(verdict.verdict != .allow) }
      if uses.contains(where: { $0.clearedBy == nil }) { #expect(verdict.verdict == .deny) }
      if uses.isEmpty { #expect(verdict.verdict == base.verdict) }
    }
  }
}
