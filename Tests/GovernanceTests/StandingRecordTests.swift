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
}
