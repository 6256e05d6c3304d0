import Documents
import Governance
import GovernanceTypes
import Simulation
import Testing

@Suite("Rights that the licensor granted separately")
struct GrantTests {
  static let digest = String(repeating: "ab", count: 32)

  func body(
    _ fixture: GateFixture, exception: String = "separate-license", cures: String = "[]", to: String = "null"
  ) throws -> Document {
    try GateFixture.document(
      #"""
      {"subject":"\#(fixture.customer)","terms":"test","exception":"\#(exception)","cures":\#(cures),"document_sha256":"\#(Self.digest)",
       "signatory":"L. Icensor","valid_from":"2026-01-01","valid_to":\#(to)}
      """#)
  }

  func id(_ json: JSON) throws -> GrantID {
    try #require(json["id"].flatMap { if case .string(let text) = $0 { GrantID(text) } else { nil } })
  }

  @Test("A grant counts once a second person has confirmed it, and cures its clause and no other")
  func fourEyes() async throws {
    let fixture = try await GateFixture(script: .init(tokens: ["a "]), terms: GateFixture.cappedTerms)
    try await fixture.attest("party.agrees", "true")
    try await fixture.attest("party.small", "false")
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.citation?.clause == "small")
    let grant = try self.id(try await fixture.gate.recordGrant(self.body(fixture), by: Actor("ann")))
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.citation?.clause == "small")
    #expect(await refusal { _ = try await fixture.gate.confirmGrant(grant, by: Actor("ann")) }?.code == .permissionDenied)
    _ = try await fixture.gate.confirmGrant(grant, by: Actor("bob"))
    #expect(try await fixture.serve(fixture.call()).finish?.reason == .stop)
    fixture.clock.advance(by: .seconds(1))
    try await fixture.attest("party.agrees", "false")
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.citation?.clause == "agree")
  }

  @Test("A grant that is revoked, or whose time is over, no longer counts")
  func ends() async throws {
    let fixture = try await GateFixture(script: .init(tokens: ["a "]), terms: GateFixture.cappedTerms)
    try await fixture.attest("party.agrees", "true")
    let first = try self.id(
      try await fixture.gate.recordGrant(self.body(fixture, to: #""2026-11-24""#), by: Actor("ann")))
    _ = try await fixture.gate.confirmGrant(first, by: Actor("bob"))
    #expect(try await fixture.serve(fixture.call()).finish?.reason == .stop)
    fixture.clock.advance(by: .seconds(86_400))
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.citation?.clause == "small")
    let second = try self.id(try await fixture.gate.recordGrant(self.body(fixture), by: Actor("ann")))
    _ = try await fixture.gate.confirmGrant(second, by: Actor("bob"))
    #expect(try await fixture.serve(fixture.call()).finish?.reason == .stop)
    _ = try await fixture.gate.revokeGrant(second, by: Actor("ann"))
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.citation?.clause == "small")
  }

  @Test("A grant under an exception that the terms do not know, or of a clause that it cannot lift, is refused")
  func unknown() async throws {
    let fixture = try await GateFixture(script: .init(tokens: ["a "]), terms: GateFixture.cappedTerms)
    #expect(
      await refusal { _ = try await fixture.gate.recordGrant(self.body(fixture, exception: "gift"), by: Actor("ann")) }?.parameter
        == "exception")
    #expect(
      await refusal { _ = try await fixture.gate.recordGrant(self.body(fixture, cures: #"["agree"]"#), by: Actor("ann")) }?
        .parameter == "cures")
  }

  @Test("An admin key lets in under its name until it is revoked")
  func adminKeys() async throws {
    let fixture = try await GateFixture(script: .init(tokens: ["a "]))
    let (key, secret) = try await fixture.gate.createAdminKey(
      GateFixture.document(#"{"name":"ann","role":"auditor"}"#), by: .bootstrap)
    let digest = fixture.digest(secret)
    let found = try #require(fixture.gate.adminActor(secretDigest: digest))
    #expect(found.actor == Actor("ann") && found.role == .auditor)
    let (first, _) = try await fixture.gate.createAdminKey(GateFixture.document(#"{"name":"bo"}"#), by: .bootstrap)
    #expect(first.role == .owner, "a key without a role can do everything, as keys could before there were roles")
    #expect(
      await refusal { _ = try await fixture.gate.createAdminKey(GateFixture.document(#"{"name":"ann"}"#), by: .bootstrap) }?.code
        == .conflict)
    #expect(
      await refusal { _ = try await fixture.gate.createAdminKey(GateFixture.document(#"{"name":"bootstrap"}"#), by: .bootstrap) }?
        .code == .conflict)
    _ = try await fixture.gate.revokeAdminKey(key.id, by: .bootstrap)
    #expect(fixture.gate.adminActor(secretDigest: digest) == nil)
  }

  @Test("What ends soon is listed, unless a later record outlives it")
  func expiries() async throws {
    let fixture = try await GateFixture(script: .init(tokens: ["a "]), terms: GateFixture.conditionalTerms)
    #expect(fixture.gate.expiries(within: .seconds(365 * 86_400)).isEmpty)
    try await fixture.attest("party.agrees", "true")
    #expect(fixture.gate.expiries(within: .seconds(29 * 86_400)).isEmpty)
    #expect(fixture.gate.expiries(within: .seconds(30 * 86_400)).map { $0["state"] } == ["expiring"])
    fixture.clock.advance(by: .seconds(20 * 86_400))
    try await fixture.attest("party.agrees", "true")
    #expect(fixture.gate.expiries(within: .seconds(29 * 86_400)).isEmpty)
  }
}
