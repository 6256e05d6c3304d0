import Documents
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

@Suite("A model's lineage: base, adapters and auxiliary models, each under its own terms")
struct LineageTests {
  private static func file(_ id: String, when: String = "") throws -> TermFile {
    try TestFiles.termFile(
      text: """
        schema: model-terms/1
        id: \(id)
        revision: 1
        title: Terms \(id)
        status: in-force
        sections: ["1", "2", "3"]
        facts:
          party.agrees.\(id): {type: bool, subject: party, source: [attestation], statement: The party agrees.}
          model.license_file: {type: digest, subject: model, source: [measured]}
        clauses:
          - {id: grant, ref: "1", kind: grant, summary: Use is granted., actions: [use]}
          - {id: agree, ref: "2", kind: condition, summary: The party must agree., binds: [customer], moments: [request],
             require: {fact: party.agrees.\(id), is: true}, on_false: deny, on_unknown: require_record}
          - {id: file, ref: "3", kind: condition, summary: The text lies beside the weights., binds: [operator], moments: [register, request],
             require: {fact: model.license_file, present: true}, on_false: deny, on_unknown: deny}
        """)
  }

  private static let license = FactSheet([
    Fact(
      key: "model.license_file", value: .digest(sha256([1])), source: .measured, reference: "LICENSE",
      recordedAt: RandomFacts.time)
  ])

  private func ask(_ base: [TermFile], _ beside: [LineagePart], agrees: [String]) -> Standing {
    standing(
      of: StandingRequest(
        party: Party(
          id: "cus_x",
          facts: FactSheet(
            agrees.map {
              Fact(
                key: "party.agrees.\($0)", value: .bool(true), source: .attestation, reference: "att",
                recordedAt: RandomFacts.time)
            })), operator: .empty, model: GovernedModel(name: "m", facts: Self.license), terms: base, beside: beside,
        at: RandomFacts.time))
  }

  @Test("all parts must allow, and the one that refuses is named", arguments: 0..<8)
  func conjunction(agreed: Int) throws {
    let names = ["base", "adapter", "guard"]
    let files = try names.map { try Self.file($0) }
    let agrees = names.enumerated().filter { agreed >> $0.offset & 1 == 1 }.map(\.element)
    let standing = self.ask(
      [files[0]],
      [
        LineagePart(LineageName(.adapter, "legal-fr"), terms: [files[1]], facts: Self.license),
        LineagePart(LineageName(.guard, "watch"), terms: [files[2]], facts: Self.license),
      ], agrees: agrees)
    #expect((standing.verdict == .allow) == (agrees.count == 3))
    let parts = ["base", "adapter legal-fr", "guard watch"]
    let refusing = zip(names, parts).filter { !agrees.contains($0.0) }.map(\.1)
    #expect(Set(standing.missing.flatMap(\.parts).map(\.description)) == Set(refusing))
    if let deciding = standing.deciding {
      #expect(deciding.parts.count == 1 && refusing.contains(deciding.parts[0].description))
      #expect(deciding.json["parts"] == .array([.string(deciding.parts[0].description)]))
    }
    for result in standing.clauses { #expect(result.parts.count == 1) }
  }

  @Test("a text beside the base's weights says nothing of an adapter's: its own is asked for, by its name")
  func ownFiles() throws {
    let file = try Self.file("shared")
    let adapter = LineagePart(LineageName(.adapter, "legal-fr"), terms: [file])
    let standing = self.ask([file], [adapter], agrees: ["shared"])
    #expect(standing.verdict == .deny)
    #expect(standing.deciding?.parts == [LineageName(.adapter, "legal-fr")] && standing.deciding?.clause == "file")
    #expect(standing.deciding?.remedy?.contains("the adapter 'legal-fr'") == true, "\(standing.deciding?.remedy ?? "")")
    // With the same text beside it, the question is the same as the base's and is asked once.
    let same = self.ask([file], [LineagePart(adapter.name, terms: [file], facts: Self.license)], agrees: ["shared"])
    #expect(same.verdict == .allow && same.terms.map(\.parts) == [[.base, adapter.name]])
    #expect(same.clauses.count == 3 && same.clauses.allSatisfy { $0.parts == [.base, adapter.name] })
  }

  @Test("the order of the parts changes nothing")
  func order() throws {
    let files = try ["a", "b", "c", "d"].map { try Self.file($0) }
    let parts = [
      LineagePart(LineageName(.adapter, "x"), terms: [files[1], files[0]], facts: Self.license),
      LineagePart(LineageName(.draft, "y"), terms: [files[2]]), LineagePart(.service, terms: [files[3]], facts: Self.license),
    ]
    var generator = SplitMix64(seed: 7)
    let straight = self.ask([files[0]], parts, agrees: ["a", "c"]).json.canonicalBytes
    for _ in 0..<12 {
      #expect(self.ask([files[0]], parts.shuffled(using: &generator), agrees: ["a", "c"]).json.canonicalBytes == straight)
    }
  }

  @Test(
    "a plan answers later, as a new one would, until something of the operator's half ends", arguments: [1, 2, 3] as [UInt64])
  func planReuse(seed: UInt64) throws {
    var random = RandomFacts(file: try TestFiles.termFile(TestFiles.terms), generator: SplitMix64(seed: seed))
    var (answered, ended) = (0, 0)
    for _ in 0..<60 {
      var question = random.request()
      let plan = StandingPlan(question)
      #expect(plan.standing(of: question.party, at: question.time.advanced(by: .seconds(-1))) == nil)
      for seconds in [0, 1, 86_400, 20 * 86_400, 200 * 86_400, 2000 * 86_400] as [Int64] {
        question.time = RandomFacts.time.advanced(by: .seconds(seconds))
        guard let later = plan.standing(of: question.party, at: question.time) else {
          #expect(!plan.answers(at: question.time))
          ended += 1
          continue
        }
        let anew = standing(of: question)
        #expect(later.json.canonicalBytes == anew.json.canonicalBytes, "seed \(seed), after \(seconds) s")
        answered += 1
      }
    }
    #expect(answered > 60 && ended > 0)
  }

  @Test("what was counted for one term file is read by that file alone")
  func ofTerms() throws {
    let files = try ["a", "b"].map { try Self.file($0) }
    let counted = Fact(
      key: "party.agrees.a", value: .bool(true), source: .attestation, reference: "own", recordedAt: RandomFacts.time)
    func verdict(_ terms: TermFileID) -> Verdict {
      standing(
        of: StandingRequest(
          party: Party(id: "cus_x", facts: FactSheet([]).adding(ofTerms: [terms: [counted]]).adding([])), operator: .empty,
          model: GovernedModel(name: "m", facts: Self.license), terms: [files[0]], at: RandomFacts.time)
      ).verdict
    }
    #expect(verdict(files[0].id) == .allow && verdict(files[1].id) == .requireRecord)
  }
}
