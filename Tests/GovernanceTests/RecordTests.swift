import AuditSigning
import Documents
import Foundation
import Governance
import GovernanceTypes
import LicenseTerms
import Simulation
import Synchronization
import Testing

@Suite("records")
struct RecordTests {
  /// Checks Ed25519 as the gateway does, keys and signatures in base64.
  static func verifying(_ environment: inout GateEnvironment) {
    environment.verifySignature = { signature, content in
      let value = Array(Data(base64Encoded: signature.value) ?? Data())
      let signer = Array(Data(base64Encoded: signature.signer) ?? Data())
      guard signature.algorithm == .ed25519, Ed25519Key.verify(signer, content, value) else { throw Wrong() }
      return "ed25519 \(sha256(signer).hexadecimal)"
    }
  }

  struct Wrong: Error {}

  private func signed(_ statement: String, as sent: String? = nil, by key: Ed25519Key) throws -> Document {
    let signature = try key.sign(JSON(try GateFixture.document(statement)).canonicalBytes)
    let member =
      #""signature":{"algorithm":"ed25519","public_key":"\#(Data(key.publicKey).base64EncodedString())","value":"\#(Data(signature).base64EncodedString())"}"#
    return try GateFixture.document("{" + member + "," + (sent ?? statement).dropFirst())
  }

  private func statement(_ fixture: GateFixture, upper: Int = 3) -> String {
    #"{"subject":"\#(fixture.customer)","fact":"party.users","value":{"upper":\#(upper)},"signer":{"name":"A","role":"CEO"}}"#
  }

  @Test(
    "a signed statement is taken with who signed it; a signature over something else is refused, and so is the same one again")
  func signatures() async throws {
    let fixture = try await GateFixture.inGoodStanding(configure: Self.verifying)
    let key = try Ed25519Key(seed: [UInt8](repeating: 7, count: 32))
    let statement = self.statement(fixture)
    let taken = try await fixture.gate.attest(self.signed(statement, by: key), by: GateFixture.actor)
    #expect(taken["verified_signer"] == .string("ed25519 \(sha256(key.publicKey).hexadecimal)"))
    let entry = try #require(fixture.journal.entries.last { $0.type == .attestation })
    #expect(entry.fields.contains { $0.key == "verified_signer" })
    #expect(
      await refusal { _ = try await fixture.gate.attest(self.signed(statement, by: key), by: GateFixture.actor) }?.code
        == .conflict)
    let other = self.statement(fixture, upper: 900)
    let forged = await refusal {
      _ = try await fixture.gate.attest(self.signed(statement, as: other, by: key), by: GateFixture.actor)
    }
    #expect(forged?.code == .invalidRequest && forged?.parameter == "signature")
    let unbound = #"{"fact":"party.users","value":{"upper":3},"signer":{"name":"A","role":"CEO"}}"#
    #expect(
      await refusal { _ = try await fixture.gate.attest(self.signed(unbound, by: key), by: GateFixture.actor) }?.parameter
        == "signature")
  }

  @Test("without a way to check signatures a signed statement is refused, never taken unchecked")
  func unchecked() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    let key = try Ed25519Key(seed: [UInt8](repeating: 7, count: 32))
    let refused = await refusal {
      _ = try await fixture.gate.attest(self.signed(self.statement(fixture), by: key), by: GateFixture.actor)
    }
    #expect(refused?.parameter == "signature")
  }

  @Test("signed statements are known again after a restart")
  func restart() async throws {
    let fixture = try await GateFixture.inGoodStanding(configure: Self.verifying)
    let key = try Ed25519Key(seed: [UInt8](repeating: 7, count: 32))
    let body = try self.signed(self.statement(fixture), by: key)
    _ = try await fixture.gate.attest(body, by: GateFixture.actor)
    let again = try GateFixture.makeGate(
      journal: fixture.journal, clock: fixture.clock, terms: RecordTerms.text, configure: Self.verifying)
    try again.register(GateFixture.model(fixture.engine))
    _ = try await again.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
    #expect(await refusal { _ = try await again.attest(body, by: GateFixture.actor) }?.code == .conflict)
    #expect(again.attestations(about: fixture.customer.description).contains { $0["verified_signer"] != JSON.null })
  }

  @Test("of statements that contradict each other the most recent decides, and the conflict is shown")
  func conflict() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    fixture.clock.advance(by: .seconds(1))
    let later = try await fixture.gate.attest(
      GateFixture.document(
        #"{"subject":"\#(fixture.customer)","fact":"party.agrees","value":false,"signer":{"name":"B","role":"CFO"}}"#),
      by: GateFixture.actor)
    guard case .array(let others)? = later["conflicts_with"] else { throw Wrong() }
    #expect(others.count == 1)
    #expect(try await fixture.refused(fixture.call())?.citation?.clause == "agree")
    let shown = try fixture.gate.explanation(of: fixture.customer, model: ModelID("m"))
    guard case .array(let conflicts)? = shown["conflicts"] else { throw Wrong() }
    #expect(conflicts.count == 1 && conflicts[0]["decides"] == later["id"] && conflicts[0]["contradicts"] == others[0])
    // Two bounds that can both be true are no conflict.
    try await fixture.attest("party.users", #"{"upper":2}"#)
    guard case .array(let still)? = try fixture.gate.explanation(of: fixture.customer, model: ModelID("m"))["conflicts"] else {
      throw Wrong()
    }
    #expect(still.count == 1)
  }

  @Test("a suit recorded as filed closes the gate from its date on, and the deletion is asked for until it is on record")
  func termination() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    #expect(try await fixture.refused(fixture.call()) == nil)
    _ = try await fixture.gate.terminate(
      GateFixture.document(
        #"{"subject":"\#(fixture.customer)","terms":"test","fact":"party.suit_filed","on":"2026-11-25"}"#), by: GateFixture.actor)
    #expect(try await fixture.refused(fixture.call()) == nil)
    #expect(fixture.gate.terminations()[0]["state"] == "pending")
    fixture.clock.advance(by: .seconds(2 * 86_400))
    #expect(try await fixture.refused(fixture.call())?.code == .licenseTerminated)
    #expect(fixture.gate.terminations()[0]["deletion"] == "due")
    let digest = String(repeating: "cd", count: 32)
    let body = #"{"subject":"\#(fixture.customer)","terms":"test","files_sha256":["\#(digest)"],"by":"A","on":"2026-11-25"}"#
    #expect(
      await refusal {
        _ = try await fixture.gate.recordDeletion(
          GateFixture.document(body.replacing("2026-11-25", with: "2027-01-01")), by: GateFixture.actor)
      }?.parameter == "on")
    #expect(
      await refusal {
        _ = try await fixture.gate.recordDeletion(
          GateFixture.document(body.replacing(#""\#(digest)""#, with: "")), by: GateFixture.actor)
      }?.parameter == "files_sha256")
    _ = try await fixture.gate.recordDeletion(GateFixture.document(body), by: GateFixture.actor)
    #expect(fixture.gate.terminations()[0]["deletion"] == "recorded")
    #expect(try await fixture.refused(fixture.call())?.code == .licenseTerminated)
  }

  @Test("a document that may change is due for review until someone has read it unchanged")
  func review() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    func duties() throws -> Int {
      let standing = try fixture.gate.standing(of: fixture.customer, model: ModelID("m"))
      return standing.duties.count { if case .reviewDocument = $0.kind { true } else { false } }
    }
    fixture.clock.advance(by: .seconds(60 * 86_400))
    #expect(try duties() == 1)
    let changed = #"{"terms":"test","role":"policy","reviewer":"A","sha256":"\#(String(repeating: "00", count: 32))"}"#
    #expect(try await fixture.gate.recordReview(GateFixture.document(changed), by: GateFixture.actor)["unchanged"] == false)
    #expect(try duties() == 1)
    let unchanged = changed.replacing(String(repeating: "00", count: 32), with: String(repeating: "ab", count: 32))
    #expect(try await fixture.gate.recordReview(GateFixture.document(unchanged), by: GateFixture.actor)["unchanged"] == true)
    #expect(try duties() == 0)
    #expect(
      await refusal {
        _ = try await fixture.gate.recordReview(
          GateFixture.document(unchanged.replacing("policy", with: "poem")), by: GateFixture.actor)
      }?.parameter == "role")
  }
}
