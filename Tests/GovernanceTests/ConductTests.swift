import AcceptableUse
import AuditSigning
import Documents
import Governance
import GovernanceTypes
import Simulation
import Testing

@Suite("What is set about acceptable use")
struct ConductTests {
  /// Refuses gizmos, which are critical in ``SecondOpinionTests/terms``; trinkets are in shadow.
  static func pack() throws -> RulePack {
    func rule(_ id: String, _ use: String, _ mode: String, _ phrase: String) -> String {
      #"{"id":"\#(id)","uses":["\#(use)"],"severity":"high","mode":"\#(mode)","score":800,"direction":["prompt","response"],"phrases":["\#(phrase)"],"examples":{"match":["a \#(phrase)"],"clear":["nothing"]}}"#
    }
    let rules = [rule("gizmo", "1a", "enforce", "shady gizmo"), rule("trinket", "2b", "shadow", "shady trinket")]
    return try RulePack(
      GateFixture.document(
        #"{"schema":"weighbridge/rule-pack/v1","id":"widgets","version":"1","policy":"test","rules":[\#(rules.joined(separator: ","))]}"#
      ), digest: sha256)
  }

  private func fixture() async throws -> GateFixture {
    try await GateFixture(script: .init(tokens: ["fine"]), terms: SecondOpinionTests.terms, rules: [try Self.pack()])
  }

  private func set(_ fixture: GateFixture, _ body: String, of customer: CustomerID?) async -> Refusal? {
    await refusal { _ = try await fixture.gate.setConduct(of: customer, GateFixture.document(body), by: GateFixture.actor) }
  }

  @Test("what ships enforced is lowered for one customer and comes back without evidence; what does not needs a replay")
  func lowering() async throws {
    let fixture = try await self.fixture()
    let customer = fixture.customer
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call("a shady gizmo")) }?.code == .acceptableUse)
    #expect(await self.set(fixture, #"{"modes":{"uses":{"1a":"annotate"}}}"#, of: customer) == nil)
    #expect(try await fixture.serve(fixture.call("a shady gizmo")).finish?.reason == .stop)
    #expect(await self.set(fixture, "{}", of: customer) == nil)
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call("a shady gizmo")) }?.code == .acceptableUse)
    #expect(await self.set(fixture, #"{"modes":{"uses":{"2b":"enforce"}}}"#, of: nil)?.parameter == "replay")
    #expect(await self.set(fixture, #"{"modes":{"uses":{"9":"shadow"}}}"#, of: nil)?.parameter == "modes.uses")
    #expect(try await fixture.serve(fixture.call("a shady trinket")).finish?.reason == .stop)
  }

  @Test("an exemption counts from its first instant to its last, for its customer")
  func exemption() async throws {
    let fixture = try await self.fixture()
    let digest = String(repeating: "ab", count: 32)
    let body = try GateFixture.document(
      #"{"customer":"\#(fixture.customer)","uses":["1a"],"evidence_sha256":"\#(digest)","reason":"A museum","valid_from":"2026-11-23T10:00:00Z","valid_to":"2026-11-23T11:00:00Z"}"#
    )
    let made = try await fixture.gate.recordExemption(body, by: Actor("ann"))
    let id = try #require(made["id"].flatMap { if case .string(let text) = $0 { ExemptionID(text) } else { nil } })
    #expect(await refusal { _ = try await fixture.gate.confirmExemption(id, by: Actor("ann")) }?.code == .permissionDenied)
    _ = try await fixture.gate.confirmExemption(id, by: Actor("bob"))
    func isRefused() async -> Bool {
      await refusal { _ = try await fixture.serve(fixture.call("a shady gizmo")) }?.code == .acceptableUse
    }
    #expect(await isRefused())
    fixture.clock.advance(by: .seconds(3600))
    #expect(await !isRefused())
    fixture.clock.advance(by: .seconds(3600))
    #expect(await isRefused())
  }

  @Test("an exemption no longer counts, from the next request on, once the term files say that its use is to be reported")
  func unwaivable() async throws {
    let fixture = try await self.fixture()
    let digest = String(repeating: "ab", count: 32)
    let body = try GateFixture.document(
      #"{"customer":"\#(fixture.customer)","uses":["1a"],"evidence_sha256":"\#(digest)","reason":"A museum","valid_from":"2026-11-23T00:00:00Z","valid_to":"2027-11-23T00:00:00Z"}"#
    )
    let made = try await fixture.gate.recordExemption(body, by: Actor("ann"))
    let id = try #require(made["id"].flatMap { if case .string(let text) = $0 { ExemptionID(text) } else { nil } })
    _ = try await fixture.gate.confirmExemption(id, by: Actor("bob"))
    #expect(try await fixture.serve(fixture.call("a shady gizmo")).finish?.reason == .stop)
    let stricter = SecondOpinionTests.terms.replacing(
      #""severity":"critical"}"#, with: #""severity":"critical","duty":"report"}"#)
    try await fixture.gate.replaceTerms([GateFixture.termFile(stricter)], by: GateFixture.actor)
    #expect(await refusal { _ = try await fixture.serve(fixture.call("a shady gizmo")) }?.code == .acceptableUse)
    try await fixture.gate.replaceTerms([GateFixture.termFile(SecondOpinionTests.terms)], by: GateFixture.actor)
    #expect(try await fixture.serve(fixture.call("a shady gizmo")).finish?.reason == .stop)
  }
}
