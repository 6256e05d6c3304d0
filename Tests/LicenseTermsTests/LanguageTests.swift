import Documents
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

/// What the language says beyond conditions: readings that are not verified, states of duties, requests, clauses out of reach.
@Suite("The language of term files")
struct LanguageTests {
  private static func file(clauses: String, documents: String = "", extra: String = "") -> String {
    """
    schema: model-terms/1
    id: lang
    revision: 1
    title: T
    status: in-force
    documents:
      - {role: license, name: LICENSE, url: "https://example.org/license"\(documents)}
    interpretations:
      strict: {default: true, why: "the text is silent"}
      mode: {default: a, choices: [a, b], why: "the text is silent"}
    facts:
      party.kind: {type: enum, values: [x, y], subject: party, source: [attestation], statement: S.}
      party.ok: {type: bool, subject: party, source: [attestation], statement: S.}
      request.region: {type: region, subject: request, source: [request]}
    \(extra)
    clauses:
      - id: base
        ref: "1"
        kind: condition
        summary: S.
        binds: [customer]
        when: {any: [{param: strict, is: true}, {param: mode, is: b}, {fact: party.kind, is: x}]}
        require: {all: [{fact: party.ok, is: true}, {not: {fact: request.region, in: [EU, KR]}}]}
    \(clauses)
    sections: ["1"]
    """
  }

  private func error(_ clauses: String) -> DocumentError? {
    do throws(DocumentError) {
      _ = try TermFile(try Document.parseYAML(Self.file(clauses: clauses)), digest: sha256([]), sha256: sha256)
      return nil
    } catch { return error }
  }

  private static func clause(
    _ when: String, kind: String = "condition", rest: String = "require: {fact: party.ok, is: true}"
  ) -> String {
    """
      - id: odd
        ref: "1"
        kind: \(kind)
        summary: S.
        binds: [customer]
        when: \(when)
        \(rest)
    """
  }

  @Test(
    "a clause that no facts and no action put in force is an error with its line",
    arguments: [
      "{all: [{param: strict, is: true}, {param: strict, is: false}]}", "{all: [{param: mode, is: a}, {param: mode, is: b}]}",
      "{all: [{fact: party.kind, is: x}, {fact: party.kind, is: y}]}",
      "{all: [{fact: party.kind, is: x}, {not: {fact: party.kind, is: x}}]}",
      "{not: {any: [{fact: party.ok, is: true}, {not: {fact: party.ok, is: true}}]}}",
      "{all: [{fact: action, is: export}, {fact: action, is: train}]}",
    ])
  func unreachable(when: String) throws {
    let error = try #require(self.error(Self.clause(when)))
    #expect(error.message.contains("never in force") && error.field == "clauses[1]" && error.position.line == 24, "\(error)")
  }

  @Test(
    "a clause that can be in force is read",
    arguments: [
      "{any: [{param: mode, is: a}, {param: mode, is: b}]}", "{fact: party.kind, in: [x, y]}",
      "{all: [{fact: party.kind, is: x}, {not: {fact: party.kind, is: y}}]}", "{fact: action, is: export}",
    ])
  func reachable(when: String) { #expect(self.error(Self.clause(when)) == nil) }

  @Test("an exemption of nothing, a clause for end users alone and an exception without effect are errors")
  func idle() throws {
    let exemption = Self.clause("{fact: party.ok, is: true}", kind: "exemption", rest: "exempts: []")
    #expect(try #require(self.error(exemption)).message.contains("exempts nothing"))
    let users = Self.clause("{fact: party.ok, is: true}").replacing("binds: [customer]", with: "binds: [end_user]")
    #expect(try #require(self.error(users)).message.contains("end users alone"))
    let text = Self.file(clauses: "", extra: "exceptions: [{id: e, ref: \"1\", cures: []}]")
    #expect(throws: DocumentError.self) { try TestFiles.termFile(text: text) }
  }

  private func standing(_ text: String, _ facts: [Fact], at time: Timestamp = RandomFacts.time) throws -> Standing {
    LicenseTerms.standing(
      of: StandingRequest(
        party: Party(id: "c", facts: FactSheet(facts)), operator: .empty, model: GovernedModel(name: "m", facts: .empty),
        terms: [try TestFiles.termFile(text: text)], at: time))
  }

  @Test("what is not verified says so in results, remedies and JSON", arguments: [true, false])
  func unverified(clauseAlone: Bool) throws {
    let marked = Self.file(clauses: "", documents: clauseAlone ? "" : ", verified: false")
    let text = clauseAlone ? marked.replacing("kind: condition", with: "kind: condition\n    verified: false") : marked
    let result = try self.standing(text, [])
    #expect(result.unverified.map(\.clause) == ["base"])
    #expect(result.deciding?.isVerified == false && result.deciding?.remedy?.contains("not verified") == true)
    #expect(result.json["unverified"] == .array(["lang/base"]))
    #expect(result.json["decided_by"]?["verified"] == .bool(false))
    let plain = try self.standing(Self.file(clauses: ""), [])
    #expect(plain.unverified.isEmpty && plain.deciding?.remedy?.contains("not verified") == false)
    #expect(plain.verdict == result.verdict && plain.missing.map(\.fact) == result.missing.map(\.fact))
  }

  @Test(
    "where a request comes from is decided at the request; nowhere known asks for it",
    arguments: [
      ("DE", Verdict.deny), ("kr", .deny), ("US", .allow), ("XX", .requireRecord), (nil, .requireRecord),
    ] as [(String?, Verdict)])
  func regions(region: String?, verdict: Verdict) throws {
    let ok = Fact(key: "party.ok", value: .bool(true), source: .attestation, reference: "a", recordedAt: RandomFacts.time)
    let base = try self.standing(Self.file(clauses: ""), [ok])
    #expect(base.verdict == .allow && base.clauses.first { $0.clause == "base" }?.state == .deferred)
    let facts = RequestCircumstances(region: region).facts(reference: "dec", at: RandomFacts.time)
    let asked = base.verdict(for: facts, at: RandomFacts.time)
    #expect(asked.verdict == verdict)
    if verdict == .requireRecord { #expect(asked.missing.map(\.fact) == ["request.region"]) }
  }

  @Test("the circumstances of a request come out under the names that term files read")
  func circumstances() {
    let all = RequestCircumstances(
      region: "de", declaredPurpose: "model_training", targetLineage: "l", usesFound: ["b", "a", "b"], usesChecked: [])
    let facts = all.facts(reference: "dec", at: RandomFacts.time)
    #expect(facts.records(of: "request.region").map(\.value) == [.region("DE")])
    #expect(facts.records(of: "request.declared_purpose").map(\.value) == [.choice("model_training")])
    #expect(facts.records(of: "train.target_lineage").map(\.value) == [.text("l")])
    #expect(facts.records(of: "request.use_findings").map(\.value) == [.set(["a", "b"])])
    #expect(facts.records(of: "request.uses_checked").map(\.value) == [.set([])])
    #expect(RequestCircumstances().facts(reference: "dec", at: RandomFacts.time).facts.isEmpty)
  }

  @Test("a duty is open until a record shows it done; a deletion is overdue after its days")
  func duties() throws {
    let file = try TestFiles.termFile(TestFiles.terms)
    let time = RandomFacts.time
    func event(_ key: String, _ day: CalendarDay, _ reference: String) -> Fact {
      Fact(key: key, value: .day(day), source: .event, reference: reference, recordedAt: day.start)
    }
    func duty(_ name: String, _ operatorFacts: [Fact], _ facts: [Fact]) -> StandingDuty? {
      LicenseTerms.standing(
        of: StandingRequest(
          party: Party(id: "c", facts: FactSheet(facts)), operator: FactSheet(operatorFacts),
          model: GovernedModel(name: "m", facts: .empty), terms: [file], at: time)
      ).duties.first { $0.kind.name == name }
    }
    let today = time.day
    let copy = duty("provide_document", [], [])
    #expect(copy?.state == .open && copy?.record == nil)
    let delivered = duty("provide_document", [event("document.delivered.llama-2.license", today, "del_1")], [])
    #expect(delivered?.state == .done && delivered?.record == "del_1")
    #expect(delivered?.json["state"] == "done" && delivered?.json["record"] == "del_1")
    let ending = try #require(file.facts.first { $0.key == "license.terminated_on" })
    let ended = event(file.externalKey(for: ending, at: time), today, "ter_1")
    #expect(duty("delete_materials", [], [ended])?.state == .overdue)
    let deleted = duty("delete_materials", [], [ended, event("materials.deleted.llama-2", today, "del_2")])
    #expect(deleted?.state == .done && deleted?.record == "del_2")
    #expect(duty("review_document", [], [])?.state == .overdue)
    let review = try #require(file.reviews(.empty, at: time).first)
    #expect(review.isOverdue && review.document.role == "acceptable-use-policy")
    let reviewed = FactSheet([event("document.reviewed.llama-2.acceptable-use-policy", today, "rev_1")])
    #expect(file.reviews(reviewed, at: time).map(\.isOverdue) == [false])
    #expect(file.reviews(reviewed, at: time).map(\.due) == [CalendarDay(number: today.number + 90).start])
  }
}
