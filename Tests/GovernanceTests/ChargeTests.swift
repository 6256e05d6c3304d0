import Documents
import Governance
import GovernanceTypes
import Simulation
import Testing
import UsageLedger

/// The customer's question: why was I charged this?
@Suite("Why a charge")
struct ChargeTests {
  private struct NotServed: Error {}

  private func fixture(_ completion: String) async throws -> GateFixture {
    try await PeriodRatingTests().fixture(completion)
  }

  private func begun(_ fixture: GateFixture) async throws -> LiveRequest {
    guard case .live(let live) = try await fixture.gate.admit(fixture.call(most: 30)) else { throw NotServed() }
    return live
  }

  private func sentences(_ answer: JSON) -> [String] {
    guard case .array(let sentences)? = answer["why"] else { return [] }
    return sentences.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  private func completionPart(_ answer: JSON) throws -> JSON {
    guard case .array(let parts)? = answer["parts"] else { throw NotServed() }
    return try #require(parts.first { $0["category"] == "completion" })
  }

  @Test("the answer computes the charge anew from the month's other requests, tier by tier")
  func acrossATier() async throws {
    let fixture = try await self.fixture(
      #"{"category":"completion","tier_mode":"graduated","tiers":[{"up_to":40,"per_million":"0.005"},{"per_million":"0.002"}]}"#)
    var usages: [UsageID] = []
    for most in [30, 30, 30] { usages.append(try #require(try await fixture.serve(fixture.call(most: most)).record).usage) }
    let second = try await fixture.gate.charge(of: usages[1], for: fixture.customer)
    #expect(second["status"] == "settled" && second["agrees"] == true)
    for amount in ["amount", "computed", "amount_now"] { #expect(second[amount] == "0.00000009") }
    let part = try self.completionPart(second)
    #expect(part["quantity"] == 30 && part["month_before"] == 30)
    #expect(
      part["rule"] == "10 of the tier up to 40 at 0.005 USD per million; 20 of the last tier at 0.002 USD per million")
    #expect(self.sentences(second).contains { $0.contains("30, behind 30 of the month") })
    // What came later does not change what is said of what came before.
    #expect(try await fixture.gate.charge(of: usages[1], for: nil) == second)
    let first = try self.completionPart(try await fixture.gate.charge(of: usages[0], for: nil))
    #expect(first["month_before"] == 0 && first["rule"] == "30 of the tier up to 40 at 0.005 USD per million")
  }

  @Test("corrections are told with their reason, and what it comes to now; who made them is not")
  func corrected() async throws {
    let fixture = try await self.fixture(#"{"category":"completion","per_million":"0.005"}"#)
    let record = try #require(try await fixture.serve(fixture.call(most: 30)).record)
    _ = try await fixture.gate.adjust(
      GateFixture.document(#"{"usage":"\#(record.usage)","amount":"-0.00000005","reason":"Goodwill"}"#), by: Actor("Erika"))
    let answer = try await fixture.gate.charge(of: record.usage, for: fixture.customer)
    #expect(answer["amount"] == "0.00000015" && answer["amount_now"] == "0.0000001")
    #expect(self.sentences(answer).contains { $0.hasSuffix("by -0.00000005 USD: Goodwill") })
    #expect(!answer.text.contains("Erika"))
  }

  @Test("while it runs a request has a hold and no charge")
  func held() async throws {
    let fixture = try await self.fixture(#"{"category":"completion","per_million":"0.005"}"#)
    let live = try await self.begun(fixture)
    let answer = try await fixture.gate.charge(of: live.usage, for: fixture.customer)
    #expect(answer["status"] == "held" && answer["held"] == "0.00000015" && answer["amount"] == nil)
    _ = await GateFixture.run(live)
    #expect(try await fixture.gate.charge(of: live.usage, for: fixture.customer)["status"] == "settled")
  }

  @Test("what was voided cost nothing, and says why")
  func voided() async throws {
    let fixture = try await self.fixture(#"{"category":"completion","per_million":"0.005"}"#)
    let live = try await self.begun(fixture)
    _ = await GateFixture.run(live, stopAfter: 0)
    let answer = try await fixture.gate.charge(of: live.usage, for: fixture.customer)
    #expect(answer["status"] == "voided" && answer["amount"] == "0.00")
    #expect(self.sentences(answer) == ["Nothing was delivered, so nothing is charged, and what was held is free again."])
  }

  @Test("another customer's usage is not there, whether it is running, over, or was never")
  func strangers() async throws {
    let fixture = try await self.fixture(#"{"category":"completion","per_million":"0.005"}"#)
    let stranger = CustomerID(7)
    let live = try await self.begun(fixture)
    let running = await refusal { _ = try await fixture.gate.charge(of: live.usage, for: stranger) }
    _ = await GateFixture.run(live)
    let over = await refusal { _ = try await fixture.gate.charge(of: live.usage, for: stranger) }
    let never = await refusal { _ = try await fixture.gate.charge(of: UsageID(1), for: stranger) }
    for found in [running, over, never] { #expect(found?.code == .notFound) }
  }
}
