import Audience
import AuditSigning
import Documents
import Governance
import GovernanceTypes
import Simulation
import Synchronization
import Testing

@Suite("audience of a gate")
struct AudienceStepTests {
  private func scope(_ gate: Gate, _ name: String) -> JSON? { gate.audience().first { $0["scope"] == .string(name) } }

  @Test("users beyond an attested bound refute it at once: suspended, told once, and open again after a truer statement")
  func refuted() async throws {
    let alerts = Mutex<[Alert]>([])
    let fixture = try await GateFixture.inGoodStanding { environment in
      environment.alert = { alert in alerts.withLock { $0.append(alert) } }
    }
    for user in 1...3 { #expect(try await fixture.refused(fixture.call(user: "user \(user)")) == nil) }
    for user in [4, 1, 5] {
      let refusal = try await fixture.refused(fixture.call(user: "user \(user)"))
      #expect(
        refusal?.citation?.clause == "few" && refusal?.citation?.state == "contradicted"
          && refusal?.citation?.fact == "party.users")
    }
    #expect(alerts.withLock { $0.map(\.kind) } == [.attestationRefuted])
    #expect(fixture.acts("attestation.refuted").count == 1)
    #expect(fixture.gate.counts.alerts == [.attestationRefuted: 1])
    fixture.clock.advance(by: .seconds(1))
    try await fixture.attest("party.users", #"{"upper":10}"#)
    #expect(try await fixture.refused(fixture.call(user: "user 1")) == nil)
  }

  @Test("calls that name no user refute nothing: who is behind a key is not known")
  func anonymous() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    for _ in 0..<10 { #expect(try await fixture.refused(fixture.call()) == nil) }
    for user in 1...3 { #expect(try await fixture.refused(fixture.call(user: "user \(user)")) == nil) }
    #expect(try await fixture.refused(fixture.call(user: "user 4"))?.citation?.state == "contradicted")
  }

  @Test("bounds of anonymous calls are the same after a restart")
  func restored() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    for _ in 0..<5 { #expect(try await fixture.refused(fixture.call()) == nil) }
    #expect(try await fixture.refused(fixture.call(user: "user")) == nil)
    let before = try #require(self.scope(fixture.gate, "license:test"))
    #expect(before["least"] == 2 && before["most"] == 6)
    let again = try GateFixture.makeGate(journal: fixture.journal, clock: fixture.clock, terms: RecordTerms.text)
    try again.register(GateFixture.model(fixture.engine))
    _ = try await again.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
    func bounds(_ gate: Gate) -> [[JSON?]] { gate.audience().map { [$0["scope"], $0["least"], $0["most"], $0["active_users"]] } }
    #expect(bounds(again) == bounds(fixture.gate))
  }

  @Test("a busy key is noted ahead: never too low after a restart, and too high by no more than a part")
  func notedAhead() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    for _ in 0..<500 { #expect(try await fixture.refused(fixture.call()) == nil) }
    let again = try GateFixture.makeGate(journal: fixture.journal, clock: fixture.clock, terms: RecordTerms.text)
    try again.register(GateFixture.model(fixture.engine))
    _ = try await again.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
    guard case .integer(let most)? = self.scope(again, "operator")?["most"] else { return #expect(Bool(false)) }
    #expect((500...508).contains(most))
    let notes = fixture.journal.effects.count {
      if case .object(let object) = $0 { object.kind == .anonymousCalls } else { false }
    }
    #expect(notes < 300)
  }

  @Test("once a month's key is destroyed nobody can tell whether a user was among those counted; the counts still add up")
  func unlinkable() async throws {
    let keys = Mutex<[CalendarMonth: [UInt8]]>([:])
    struct Destroyed: Error {}
    let fixture = try await GateFixture(script: .init(tokens: ["a "])) { environment in
      environment.audienceKey = { month in
        guard let key = keys.withLock({ $0[month] }) else { throw Destroyed() }
        return key
      }
    }
    let month = fixture.clock.now.month
    keys.withLock { keys in for each in [month, month.next] { keys[each] = Array("a secret of \(each)".utf8) } }
    let users = (0..<50).map { "user \($0)" }
    for user in users { #expect(try await fixture.refused(fixture.call(user: user)) == nil) }
    let stored = fixture.journal.stored(lastAt: fixture.clock.now).activeUsers.filter { $0.scope == "operator" }
    /// Users of the list whom somebody with this key finds among the stored fingerprints.
    func found(with key: [UInt8]) -> Int {
      let digests = users.map { hmacSHA256(key, Array(fixture.customer.description.utf8) + [0] + Array($0.utf8)) }
      return Set(digests.map { UserFingerprint($0).value }).intersection(stored.map(\.fingerprint)).count
    }
    let key = try #require(keys.withLock { $0[month] })
    #expect(stored.count == 50 && found(with: key) == 50)
    keys.withLock { $0[month] = nil }
    // What is left in the data directory: the tag key and the keys of later months.
    let left = keys.withLock { Array($0.values) } + [[1, 2, 3], hmacSHA256([1, 2, 3], Array("audience \(month)".utf8)).bytes]
    for key in left { #expect(found(with: key) == 0) }
    #expect(try await fixture.refused(fixture.call(user: "user 0"))?.code == .storeUnavailable)
    var here = UserSketch()
    for mark in stored { here.insert(UserFingerprint(mark.fingerprint)) }
    var elsewhere = UserSketch()
    for mark in stored.prefix(20) { elsewhere.insert(UserFingerprint(mark.fingerprint)) }
    for other in 0..<30 { elsewhere.insert(UserFingerprint(sha256([UInt8(other)]))) }
    here.merge(elsewhere)
    #expect(here.estimate.users == 80)
    #expect(self.scope(fixture.gate, "operator")?["active_users"] == 50)
  }

  @Test("a user whose count did not reach the disk is counted again")
  func uncounted() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    #expect(try await fixture.refused(fixture.call(user: "first")) == nil)
    fixture.journal.fail(with: JournalError(.diskFull, "a test"))
    #expect(try await fixture.refused(fixture.call(user: "second"))?.code == .storeUnavailable)
    fixture.journal.fail(with: nil)
    #expect(self.scope(fixture.gate, "operator")?["active_users"] == 1)
    #expect(try await fixture.refused(fixture.call(user: "second")) == nil)
    #expect(fixture.journal.stored(lastAt: fixture.clock.now).activeUsers.count { $0.scope == "operator" } == 2)
  }

  @Test("affiliates count together, and a new affiliate ends what was stated without it")
  func affiliates() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    #expect(try await fixture.refused(fixture.call(user: "one")) == nil)
    let made = try await fixture.gate.createCustomer(GateFixture.document(#"{"name":"Daughter"}"#), by: GateFixture.actor)
    guard case .string(let text)? = made["id"], let daughter = CustomerID(text) else { return #expect(Bool(false)) }
    let (_, secret) = try await fixture.gate.createKey(
      of: daughter, GateFixture.document(#"{"name":"prod","scopes":["inference"]}"#), by: GateFixture.actor)
    for (fact, value) in [("party.agrees", "true"), ("party.users", #"{"upper":100}"#)] {
      _ = try await fixture.gate.attest(
        GateFixture.document(#"{"subject":"\#(text)","fact":"\#(fact)","value":\#(value),"signer":{"name":"D","role":"CEO"}}"#),
        by: GateFixture.actor)
    }
    func callOfDaughter(_ user: String) -> Call {
      var call = fixture.call(user: user)
      call.secret = secret
      return call
    }
    for user in ["a", "b", "c"] { #expect(try await fixture.refused(callOfDaughter(user)) == nil) }
    let edge = #"{"controller":"\#(fixture.customer)","controlled":"\#(text)","control":"0.51","valid_from":"2026-01-01"}"#
    fixture.clock.advance(by: .seconds(1))
    let affiliation = try await fixture.gate.recordAffiliation(GateFixture.document(edge), by: GateFixture.actor)
    #expect(try await fixture.refused(fixture.call(user: "one"))?.citation?.state == "expired")
    fixture.clock.advance(by: .seconds(1))
    // One user of its own and three of the daughter's: four in all.
    try await fixture.attest("party.users", #"{"upper":3}"#)
    #expect(try await fixture.refused(fixture.call(user: "one"))?.citation?.state == "contradicted")
    fixture.clock.advance(by: .seconds(1))
    try await fixture.attest("party.users", #"{"upper":4}"#)
    #expect(try await fixture.refused(fixture.call(user: "one")) == nil)
    guard case .array(let shown)? = try fixture.gate.explanation(of: fixture.customer, model: ModelID("m"))["affiliates"] else {
      return #expect(Bool(false))
    }
    #expect(shown == [.string(text)])
    // From the day on which they part the daughter's users are its own again.
    guard case .string(let id)? = affiliation["id"], let edgeID = AffiliationID(id) else { return #expect(Bool(false)) }
    _ = try await fixture.gate.endAffiliation(
      edgeID, GateFixture.document(#"{"valid_to":"2026-11-23"}"#), by: GateFixture.actor)
    fixture.clock.advance(by: .seconds(1))
    try await fixture.attest("party.users", #"{"upper":1}"#)
    #expect(try await fixture.refused(fixture.call(user: "one")) == nil)
  }

  @Test("what an affiliate states of the group holds against a party that states less")
  func statedByAffiliate() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    _ = try await fixture.gate.recordAffiliation(
      GateFixture.document(
        #"{"controller":"operator","controlled":"\#(fixture.customer)","control":"0.51","valid_from":"2026-01-01"}"#),
      by: GateFixture.actor)
    fixture.clock.advance(by: .seconds(1))
    try await fixture.attest("party.users", #"{"upper":900}"#)
    #expect(try await fixture.refused(fixture.call(user: "one")) == nil)
    _ = try await fixture.gate.attest(
      GateFixture.document(
        #"{"subject":"operator","fact":"party.users","value":{"lower":5000},"signer":{"name":"O","role":"CEO"}}"#),
      by: GateFixture.actor)
    let refusal = try await fixture.refused(fixture.call(user: "one"))
    #expect(refusal?.citation?.clause == "few" && refusal?.citation?.state == "false")
  }

  @Test("half a share makes no affiliate, and a party is none of itself")
  func control() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    for (edge, parameter) in [
      (#"{"controller":"operator","controlled":"operator","control":"1","valid_from":"2026-01-01"}"#, "controlled"),
      (#"{"controller":"operator","controlled":"\#(fixture.customer)","control":"1.1","valid_from":"2026-01-01"}"#, "control"),
      (#"{"controller":"operator","controlled":"\#(fixture.customer)","control":0.6,"valid_from":"2026-01-01"}"#, "control"),
      (
        #"{"controller":"operator","controlled":"\#(fixture.customer)","control":"0.6","valid_from":"2026-01-01","valid_to":"2026-01-01"}"#,
        "valid_to"
      ),
    ] {
      #expect(
        await refusal { _ = try await fixture.gate.recordAffiliation(GateFixture.document(edge), by: GateFixture.actor) }?
          .parameter
          == parameter)
    }
    _ = try await fixture.gate.recordAffiliation(
      GateFixture.document(
        #"{"controller":"operator","controlled":"\#(fixture.customer)","control":"0.5","valid_from":"2026-01-01"}"#),
      by: GateFixture.actor)
    #expect(try fixture.gate.explanation(of: fixture.customer, model: ModelID("m"))["affiliates"] == [])
  }

  @Test("a cap tells at 50, 80, 90 and 95 percent and when it is reached, each once")
  func nearing() async throws {
    let told = Mutex<[JSON]>([])
    let fixture = try await GateFixture(script: .init(tokens: ["a "])) { environment in
      environment.alert = { alert in told.withLock { $0 += alert.fields.filter { $0.key == "percent" }.map(\.value) } }
    }
    _ = try await fixture.gate.createLimit(
      GateFixture.document(#"{"subject":"\#(fixture.customer)","kind":"active_users","amount":20}"#), by: GateFixture.actor)
    for user in 1...20 { for _ in 0..<2 { #expect(try await fixture.refused(fixture.call(user: "user \(user)")) == nil) } }
    #expect(try await fixture.refused(fixture.call(user: "user 21"))?.code == .activeUserCapReached)
    #expect(told.withLock { $0 } == [50, 80, 90, 95, 100])
  }

  @Test("a new month is counted anew and watched anew; what the month before refuted stays refuted until it is stated again")
  func monthsApart() async throws {
    let fixture = try await GateFixture.inGoodStanding()
    for user in 1...3 { #expect(try await fixture.refused(fixture.call(user: "user \(user)")) == nil) }
    fixture.clock.advance(by: .seconds(10 * 86_400))
    #expect(fixture.clock.now.month.description == "2026-12")
    for user in 1...3 { #expect(try await fixture.refused(fixture.call(user: "user \(user)")) == nil) }
    #expect(try await fixture.refused(fixture.call(user: "user 4"))?.citation?.state == "contradicted")
    fixture.clock.advance(by: .seconds(10 * 86_400))
    try await fixture.attest("party.users", #"{"upper":9}"#)
    fixture.clock.advance(by: .seconds(6 * 86_400))
    for user in 5...9 { #expect(try await fixture.refused(fixture.call(user: "user \(user)")) == nil) }
    #expect(try await fixture.refused(fixture.call(user: "user 10"))?.citation?.state == "contradicted")
    fixture.clock.advance(by: .seconds(14 * 86_400))
    try await fixture.attest("party.agrees", "true")
    #expect(fixture.clock.now.month.description == "2027-01")
    #expect(try await fixture.refused(fixture.call(user: "user 1"))?.citation?.state == "contradicted")
    try await fixture.attest("party.users", #"{"upper":9}"#)
    #expect(try await fixture.refused(fixture.call(user: "user 1")) == nil)
  }

  @Test(
    "who counts as an affiliate is what the terms say, not always more than half",
    arguments: [
      (#","control_over":"0.50""#, "0.5", false), (#","control_at_least":"0.50""#, "0.5", true),
      (#","control_over":"0.20""#, "0.3", true), ("", "0.51", true),
    ])
  func ownControl(control: String, share: String, isAffiliate: Bool) async throws {
    let terms = RecordTerms.text.replacing(
      #""entities":{"include":["licensee","affiliates"]}"#, with: #""entities":{"include":["licensee","affiliates"]\#(control)}"#)
    let fixture = try await GateFixture.inGoodStanding(terms: terms)
    fixture.clock.advance(by: .seconds(1))
    let edge = #"{"controller":"operator","controlled":"\#(fixture.customer)","control":"\#(share)","valid_from":"2026-01-01"}"#
    _ = try await fixture.gate.recordAffiliation(GateFixture.document(edge), by: GateFixture.actor)
    // A share that makes an affiliate ends what was stated without it; another ends nothing.
    let refused = try await fixture.refused(fixture.call(user: "one"))
    #expect((refused?.citation?.state == "expired") == isAffiliate, "\(refused?.message ?? "served")")
    guard case .array(let shown)? = try fixture.gate.explanation(of: fixture.customer, model: ModelID("m"))["affiliates"] else {
      return #expect(Bool(false))
    }
    #expect(shown == (isAffiliate ? ["operator"] : []))
  }

  @Test("users of a day refute what was stated of days; those of a month do not, and the day's number outlives a restart")
  func days() async throws {
    let terms = RecordTerms.text.replacing("monthly_active_users", with: "daily_active_users")
      .replacing(
        #""period":{"unit":"calendar_month","anchor":"any_time"}"#, with: #""period":{"unit":"day","anchor":"any_time"}"#)
    let fixture = try await GateFixture.inGoodStanding(terms: terms)
    for day in 0..<3 {
      for user in 1...3 { #expect(try await fixture.refused(fixture.call(user: "day \(day) user \(user)")) == nil) }
      #expect(try await fixture.refused(fixture.call()) == nil)
      fixture.clock.advance(by: .seconds(86_400))
    }
    #expect(try await fixture.refused(fixture.call(user: "a")) == nil)
    let again = try GateFixture.makeGate(journal: fixture.journal, clock: fixture.clock, terms: terms)
    try again.register(GateFixture.model(fixture.engine))
    _ = try await again.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
    _ = try await again.attest(
      GateFixture.document(
        #"{"subject":"\#(fixture.customer)","fact":"party.users","value":{"upper":2},"signer":{"name":"A","role":"CEO"}}"#),
      by: GateFixture.actor)
    for user in ["b", "c"] { #expect(await refusal { _ = try await again.admit(fixture.call(user: user)) } == nil) }
    #expect(await refusal { _ = try await again.admit(fixture.call(user: "d")) }?.citation?.state == "contradicted")
    // The day after, the day before still counts against the same statement.
    fixture.clock.advance(by: .seconds(86_400))
    #expect(await refusal { _ = try await again.admit(fixture.call(user: "b")) }?.citation?.state == "contradicted")
  }
}
