import Documents
import Governance
import GovernanceTypes
import LicenseTerms
import Simulation
import Testing

@Suite("standing verdicts and the log")
struct StandingRecordTests {
  private func standings(_ fixture: GateFixture) -> [String] {
    fixture.journal.entries.filter { $0.type == .standing }.compactMap(\.lookup)
  }

  private func cited(_ fixture: GateFixture) -> [String] {
    fixture.journal.entries.filter { $0.type == .decision }.flatMap(\.fields).compactMap { member in
      if member.key == "standing", case .string(let id) = member.value { id } else { nil }
    }
  }

  @Test("no decision cites a verdict whose entry did not reach the log")
  func lostEntry() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    fixture.journal.fail(with: JournalError(.diskFull, "a test"))
    #expect(try await fixture.refused(fixture.call())?.code == .storeUnavailable)
    fixture.journal.fail(with: nil)
    #expect(try await fixture.refused(fixture.call()) == nil)
    #expect(self.standings(fixture).count == 1)
    #expect(Set(self.cited(fixture)) == Set(self.standings(fixture)))
  }

  @Test("a verdict is remembered by action, and compiled anew after a change only")
  func remembered() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    for _ in 0..<3 { #expect(try await fixture.refused(fixture.call()) == nil) }
    #expect(self.standings(fixture).count == 1)
    _ = try fixture.gate.standing(of: fixture.customer, model: ModelID("m"), action: .host)
    #expect(self.standings(fixture).count == 2)
    let training = try fixture.gate.standing(of: fixture.customer, model: ModelID("m"), action: .trainOnOutput)
    #expect(training.verdict(for: .empty, at: fixture.clock.now).verdict == .requireRecord)
    try await fixture.attest("party.agrees", "true")
    #expect(try await fixture.refused(fixture.call()) == nil)
    #expect(self.standings(fixture).count == 4)
  }

  @Test("a clock set back does not bring an expired record back to life")
  func clockSetBack() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    #expect(try await fixture.refused(fixture.call()) == nil)
    fixture.clock.advance(by: .seconds(31 * 86_400))
    #expect(try await fixture.refused(fixture.call())?.citation?.state == "expired")
    fixture.clock.set(GateFixture.start)
    #expect(try await fixture.refused(fixture.call())?.citation?.state == "expired")
    // Nor does a restart under the earlier clock: the log knows how late it was.
    let clock = SimulatedClock(GateFixture.start)
    let gate = try GateFixture.makeGate(journal: fixture.journal, clock: clock, terms: RecordTerms.text)
    try gate.register(GateFixture.model(fixture.engine))
    let last = try #require(fixture.journal.entries.map(\.at).max())
    _ = try await gate.recover(fixture.journal.stored(lastAt: last), version: "test")
    let standing = try gate.standing(of: fixture.customer, model: ModelID("m"))
    #expect(standing.verdict == .requireRecord && standing.deciding?.state == .expired)
  }

  @Test("a request's place, as trusted, is asked for where the terms read it; a code that is no country is unknown")
  func region() async throws {
    let fixture = try await GateFixture.inGoodStanding(terms: RecordTerms.placed)
    func call(_ region: String?) -> Call {
      var call = fixture.call()
      call.circumstances = RequestCircumstances(region: region)
      return call
    }
    #expect(try await fixture.refused(call("DE")) == nil)
    #expect(try await fixture.refused(call("de")) == nil)
    #expect(try await fixture.refused(call("FR"))?.citation?.clause == "place")
    for unknown in [nil, "XX", "T1", "Germany", ""] {
      let refusal = try await fixture.refused(call(unknown))
      #expect(refusal?.citation?.clause == "place" && refusal?.citation?.state == "missing", "\(unknown ?? "none")")
    }
  }

  @Test("a declared purpose is decided on; one that no term file knows is refused, not taken for none")
  func purpose() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    func call(_ purpose: String, _ target: String? = nil) -> Call {
      var call = fixture.call()
      call.declaredPurpose = purpose
      call.circumstances = RequestCircumstances(trainingTarget: target)
      return call
    }
    #expect(try await fixture.refused(call("inference")) == nil)
    #expect(try await fixture.refused(call("model_training"))?.citation?.clause == "training")
    #expect(try await fixture.refused(call("model_training", "another"))?.citation?.clause == "training")
    #expect(try await fixture.refused(call("model_training", "test")) == nil)
    let refusal = try await fixture.refused(call("model-training"))
    #expect(refusal?.code == .invalidRequest && refusal?.parameter == "metadata.purpose")
    #expect(refusal?.message.contains("model_training") == true)
  }

  @Test("a model's bill of materials names its licenses and attests the standing of every customer")
  func billOfMaterials() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    let json = try fixture.gate.billOfMaterials(of: ModelID("m"))
    #expect(json["bomFormat"] == "CycloneDX" && json["specVersion"] == "1.6")
    guard case .array(let components)? = json["components"],
      case .array(let attestations)? = json["declarations"]?["attestations"]
    else {
      Issue.record("members are missing: \(json.text)")
      return
    }
    #expect(components.count == 1 && components.first?["name"] == "m")
    #expect(attestations.count == 1)
    #expect(json.text.contains(fixture.customer.description))
    let unknown = #expect(throws: Refusal.self) { try fixture.gate.billOfMaterials(of: ModelID("nobody")) }
    #expect(unknown?.code == .modelNotFound)
  }

  /// Each change, made between two requests that nothing else separates, not even time.
  @Test("the very next request sees an attestation, one of the operator's, a grant, its end, a termination and a reload")
  func nextRequest() async throws {
    let fixture = try await GateFixture(script: .init(tokens: ["a "]), terms: GateFixture.cappedTerms)
    func clause() async throws -> String? {
      let refusal = try await fixture.refused(fixture.call())
      return refusal?.citation?.clause
    }
    #expect(try await clause() == "agree")
    try await fixture.attest("party.agrees", "true")
    #expect(try await clause() == "small")
    try await fixture.attest("party.small", "false")
    #expect(try await clause() == "small")
    let granted = try await fixture.gate.recordGrant(
      GateFixture.document(
        #"{"subject":"\#(fixture.customer)","terms":"test","exception":"separate-license","document_sha256":"\#(GrantTests.digest)","signatory":"L","valid_from":"2026-01-01"}"#
      ), by: Actor("ann"))
    guard case .string(let text)? = granted["id"], let grant = GrantID(text) else { return #expect(Bool(false)) }
    _ = try await fixture.gate.confirmGrant(grant, by: Actor("bob"))
    #expect(try await clause() == nil)
    _ = try await fixture.gate.revokeGrant(grant, by: Actor("bob"))
    #expect(try await clause() == "small")
    let stricter = GateFixture.cappedTerms.replacing(
      #""fact":"party.agrees","is":true"#, with: #""fact":"party.agrees","is":false"#
    )
    .replacing(#""revision":1"#, with: #""revision":2"#)
    try await fixture.gate.replaceTerms([GateFixture.termFile(stricter)], by: GateFixture.actor)
    #expect(try await clause() == "agree")
    // The operator's own half, which all customers share.
    let ofOperator = GateFixture.conditionalTerms.replacing(#""binds":["customer"]"#, with: #""binds":["operator"]"#)
      .replacing(#""revision":1"#, with: #""revision":3"#)
    try await fixture.gate.replaceTerms([GateFixture.termFile(ofOperator)], by: GateFixture.actor)
    #expect(try await clause() == "agree")
    _ = try await fixture.gate.attest(
      GateFixture.document(#"{"subject":"operator","fact":"party.agrees","value":true,"signer":{"name":"A","role":"CEO"}}"#),
      by: GateFixture.actor)
    #expect(try await clause() == nil)
    _ = try await fixture.gate.terminate(
      GateFixture.document(#"{"subject":"operator","terms":"test","fact":"party.suit_filed","on":"2026-11-23"}"#),
      by: GateFixture.actor)
    #expect(try await fixture.refused(fixture.call())?.code == .licenseTerminated)
  }

  @Test("a standing that is remembered is looked up without a word to the journal, and so is the operator's half for others")
  func lookedUp() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    _ = try fixture.gate.standing(of: fixture.customer, model: ModelID("m"))
    let entries = fixture.journal.entries.count
    for _ in 0..<1000 { _ = try fixture.gate.standing(of: fixture.customer, model: ModelID("m")) }
    #expect(fixture.journal.entries.count == entries)
  }
}
