import AuditSigning
import Documents
import Governance
import GovernanceTypes
import LicenseTerms
import Simulation
import Testing

@Suite("a model of several parts")
struct LineageStepTests {
  /// Terms of an auxiliary model: each party must have agreed to them.
  static let guardTerms = GateFixture.conditionalTerms.replacing(#""id":"test""#, with: #""id":"watch""#)
    .replacing("party.agrees", with: "party.agrees_to_watch")

  private func gate(_ fixture: GateFixture) throws -> Gate {
    let gate = try GateFixture.makeGate(
      journal: fixture.journal, clock: fixture.clock, terms: RecordTerms.text, more: [Self.guardTerms])
    var model = GateFixture.model(fixture.engine)
    model.beside = [
      ServedModel.Part(LineageName(.guard, "sentry"), terms: [TermFileID("watch")], weights: sha256([9]))
    ]
    try gate.register(model)
    return gate
  }

  @Test("a guard's terms refuse what the base's allow, and the refusal says whose they are")
  func refuses() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    let gate = try self.gate(fixture)
    _ = try await gate.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
    let refused = await refusal { _ = try await gate.admit(fixture.call()) }
    #expect(refused?.citation?.terms == TermFileID("watch") && refused?.message.contains("the guard model 'sentry'") == true)
    let shown = try gate.explanation(of: fixture.customer, model: ModelID("m"))
    #expect(shown["decided_by"]?["parts"] == ["guard sentry"])
    _ = try await gate.attest(
      GateFixture.document(
        #"{"subject":"\#(fixture.customer)","fact":"party.agrees_to_watch","value":true,"signer":{"name":"A","role":"CEO"}}"#),
      by: GateFixture.actor)
    #expect(await refusal { _ = try await gate.admit(fixture.call()) } == nil)
  }

  @Test("a part without terms is not registered, and an auxiliary file that was replaced does not run unless it is named")
  func registration() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    var model = GateFixture.model(fixture.engine)
    model.beside = [ServedModel.Part(LineageName(.adapter, "x"), terms: [])]
    let empty = try GateFixture.makeGate(journal: fixture.journal, clock: fixture.clock, terms: RecordTerms.text)
    let refused = #expect(throws: Refusal.self) { try empty.register(model) }
    #expect(refused?.parameter == "terms" && refused?.message.contains("adapter x") == true)
    try await self.gate(fixture).recordTermsInForce()
    for (bytes, isPinned, isServed) in [([9], false, true), ([8], false, false), ([8], true, true)] as [([UInt8], Bool, Bool)] {
      let gate = try GateFixture.makeGate(
        journal: fixture.journal, clock: fixture.clock, terms: RecordTerms.text, more: [Self.guardTerms])
      model.beside = [
        ServedModel.Part(
          LineageName(.guard, "sentry"), terms: [TermFileID("watch")], weights: sha256(bytes), isPinned: isPinned)
      ]
      try gate.register(model)
      _ = try await gate.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
      let refused = await refusal { try await gate.recordTermsInForce() }
      #expect((refused == nil) == isServed, "\(bytes) \(isPinned): \(refused?.message ?? "")")
      if let refused { #expect(refused.message.contains("guard sentry")) }
    }
  }
}
