import Completions
import Documents
import Governance
import GovernanceTypes
import Simulation
import Testing

/// The ten steps, one after another, with an engine that says what it is told to.
@Suite("The life of a request")
struct RequestLifeTests {
  let words = ["one ", "two ", "three ", "four ", "five "]

  @Test("An answer is charged by its exact tokens, and its hold is gone")
  func answered() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: self.words))
    let served = try await fixture.serve(fixture.call())
    #expect(served.text == "one two three four five ")
    #expect(served.finish?.reason == .stop)
    let record = try #require(served.record)
    #expect(record.tokens.prompt.value == 10)
    #expect(record.tokens.completion.value == 5)
    #expect(record.amount == NanoAmount(Int128(10 * GateFixture.promptNano + 5 * GateFixture.completionNano)))
    #expect(fixture.gate.openHoldCount == 0)
    #expect(fixture.journal.entries.map(\.type).suffix(3) == [.decision, .hold, .settle])
  }

  @Test("The first refusal in the documented order is the one reported")
  func precedence() async throws {
    let fixture = try await GateFixture(script: .init(tokens: self.words), prices: false)
    var call = fixture.call()
    #expect(await refusal { _ = try await fixture.gate.admit(call) }?.code == .modelUnpriced)
    call.model = "other"
    #expect(await refusal { _ = try await fixture.gate.admit(call) }?.code == .modelNotFound)
    call.secret = "wb-wrong"
    #expect(await refusal { _ = try await fixture.gate.admit(call) }?.code == .invalidAPIKey)
  }

  @Test("A suspended key, a suspended customer and a key without the scope are refused at once")
  func suspended() async throws {
    let fixture = try await GateFixture(script: .init(tokens: self.words))
    _ = try await fixture.gate.setStatus(of: fixture.key, to: .suspended, by: GateFixture.actor)
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.code == .invalidAPIKey)
    _ = try await fixture.gate.setStatus(of: fixture.key, to: .active, by: GateFixture.actor)
    _ = try await fixture.gate.setStatus(of: fixture.customer, to: .suspended, by: GateFixture.actor)
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.code == .permissionDenied)
    _ = try await fixture.gate.setStatus(of: fixture.customer, to: .active, by: GateFixture.actor)
    #expect(try await fixture.serve(fixture.call()).finish?.reason == .stop)
    #expect(throws: Refusal.self) { _ = try fixture.gate.authenticate(fixture.secret, for: .usage) }
  }

  @Test("A missing statement is refused with clause, fact, state and remedy; stating it opens the gate at once")
  func license() async throws {
    let fixture = try await GateFixture(script: .init(tokens: self.words), terms: GateFixture.conditionalTerms)
    let refused = try #require(await refusal { _ = try await fixture.gate.admit(fixture.call()) })
    #expect(refused.code == .licenseTerms)
    #expect(refused.citation?.clause == "agree")
    #expect(refused.citation?.fact == "party.agrees")
    #expect(refused.citation?.state == "missing")
    #expect(refused.citation?.remedy?.isEmpty == false)
    let decision = try #require(refused.decision)
    #expect(try await fixture.gate.decision(decision)["verdict"] == "require_record")
    try await fixture.attest("party.agrees", "true")
    #expect(try await fixture.serve(fixture.call()).finish?.reason == .stop)
  }

  @Test("A record that has expired does not come back to life when the clock is set back")
  func clockSetBack() async throws {
    let fixture = try await GateFixture(script: .init(tokens: self.words), terms: GateFixture.conditionalTerms)
    try await fixture.attest("party.agrees", "true")
    fixture.clock.advance(by: .seconds(31 * 86_400))
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.citation?.state == "expired")
    fixture.clock.set(GateFixture.start)
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.citation?.state == "expired")
  }

  @Test("A suit that is recorded ends the license from its date")
  func terminated() async throws {
    let fixture = try await GateFixture(script: .init(tokens: self.words), terms: GateFixture.conditionalTerms)
    try await fixture.attest("party.agrees", "true")
    _ = try await fixture.gate.terminate(
      GateFixture.document(
        #"{"subject":"\#(fixture.customer)","terms":"test","fact":"party.suit_filed","on":"2026-11-24"}"#), by: GateFixture.actor)
    #expect(try await fixture.serve(fixture.call()).finish?.reason == .stop)
    fixture.clock.advance(by: .seconds(86_400))
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.code == .licenseTerminated)
  }

  @Test("A cap on active users refuses new users and still serves those already counted")
  func activeUsers() async throws {
    let fixture = try await GateFixture(script: .init(tokens: self.words))
    _ = try await fixture.gate.createLimit(
      GateFixture.document(#"{"subject":"\#(fixture.customer)","kind":"active_users","amount":2}"#), by: GateFixture.actor)
    for user in ["ann", "bob", "ann"] { _ = try await fixture.serve(fixture.call(user: user)) }
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call(user: "eve")) }?.code == .activeUserCapReached)
    #expect(try await fixture.serve(fixture.call(user: "bob")).finish?.reason == .stop)
    fixture.clock.advance(by: .seconds(10 * 86_400))
    #expect(try await fixture.serve(fixture.call(user: "eve")).finish?.reason == .stop)
  }

  @Test("Nothing of a prompt, an answer or an end user's name is in any entry")
  func privacy() async throws {
    let fixture = try await GateFixture(script: .init(tokens: ["secretanswer"]))
    _ = try await fixture.serve(fixture.call("secretprompt", user: "secretuser"))
    for entry in fixture.journal.entries { #expect(!"\(entry.fields)".contains("secret")) }
  }

  @Test("An engine that breaks in mid-stream: what was delivered is settled, and the client is told")
  func engineBreaks() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: self.words, breaksAfter: 3))
    let served = try await fixture.serve(fixture.call())
    #expect(served.failure?.code == .engineFailed)
    #expect(served.record?.tokens.completion.value == 3)
    #expect(served.record?.outcome == .settled)
    #expect(fixture.gate.openHoldCount == 0)
  }

  @Test("An engine that breaks before the first token leaves no charge")
  func engineBreaksAtOnce() async throws {
    let fixture = try await GateFixture(script: .init(tokens: self.words, breaksAfter: 0))
    let served = try await fixture.serve(fixture.call())
    #expect(served.record?.outcome == .voided)
    #expect(served.record?.amount == .zero)
  }

  @Test("Other term files count from the next request on, for what was stated before as well")
  func termsReplaced() async throws {
    let fixture = try await GateFixture(script: .init(tokens: self.words), terms: GateFixture.conditionalTerms)
    try await fixture.attest("party.agrees", "true")
    #expect(try await fixture.serve(fixture.call()).finish?.reason == .stop)
    try await fixture.gate.replaceTerms([GateFixture.termFile(GateFixture.cappedTerms)], by: .bootstrap)
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call()) }?.citation?.clause == "small")
    try await fixture.attest("party.small", "true")
    #expect(try await fixture.serve(fixture.call()).finish?.reason == .stop)
    #expect(fixture.journal.entries.filter { $0.type == .termFile }.count == 1)
    #expect(await refusal { try await fixture.gate.replaceTerms([], by: .bootstrap) }?.code == .invalidRequest)
    #expect(try await fixture.serve(fixture.call()).finish?.reason == .stop)
  }
}
