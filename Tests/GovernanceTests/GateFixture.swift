import AcceptableUse
import AuditSigning
import Completions
import Documents
import Governance
import GovernanceTypes
import LicenseTerms
import Simulation
import Synchronization
import Testing

/// A gate over a scripted engine and a journal in memory, with one customer, one key, one model at one nano-unit per
/// prompt token and two per completion token.
struct GateFixture {
  let gate: Gate
  let journal: MemoryJournal
  let engine: ScriptedEngine
  let clock: SimulatedClock
  let customer: CustomerID
  let key: KeyID
  let secret: String

  static let actor = Actor("test")
  static let start = Timestamp("2026-11-23T09:00:00Z") ?? Timestamp(seconds: 0)
  /// Nano-units for one prompt token and for one completion token.
  static let promptNano = 1
  static let completionNano = 2

  init(
    script: ScriptedEngine.Script, terms: String = Self.permissiveTerms, policy: GatePolicy = GatePolicy(), prices: Bool = true,
    rules: [RulePack] = [], acceptableUse: AcceptableUsePolicy? = nil, configure: (inout GateEnvironment) -> Void = { _ in }
  ) async throws {
    self.engine = ScriptedEngine(script)
    self.journal = MemoryJournal()
    self.clock = SimulatedClock(Self.start)
    self.gate = try Self.makeGate(
      journal: self.journal, clock: self.clock, terms: terms, policy: policy, rules: rules, acceptableUse: acceptableUse,
      configure: configure)
    try self.gate.register(Self.model(self.engine))
    if prices { _ = try await self.gate.createPrice(Self.document(Self.price), by: Self.actor) }
    let made = try await self.gate.createCustomer(Self.document(#"{"name":"Acme"}"#), by: Self.actor)
    self.customer = try #require(made["id"].flatMap { if case .string(let text) = $0 { CustomerID(text) } else { nil } })
    let (key, secret) = try await self.gate.createKey(
      of: self.customer, Self.document(#"{"name":"prod","scopes":["inference"]}"#), by: Self.actor)
    self.key = key.id
    self.secret = secret
  }

  static func makeGate(
    journal: MemoryJournal, clock: SimulatedClock, terms: String, more: [String] = [], policy: GatePolicy = GatePolicy(),
    rules: [RulePack] = [], acceptableUse: AcceptableUsePolicy? = nil, configure: (inout GateEnvironment) -> Void = { _ in }
  ) throws -> Gate {
    let random = Mutex(SeededGenerator(seed: 7))
    var environment = GateEnvironment(
      now: { clock.now }, uptime: { .zero },
      randomBytes: { count in
        random.withLock { generator in (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) } }
      },
      digest: sha256, keyedDigest: hmacSHA256, tagKey: [1, 2, 3], boot: BootID(1))
    configure(&environment)
    return Gate(
      environment: environment, policy: policy, journal: journal, archive: journal, books: journal,
      acceptableUse: try acceptableUse ?? AcceptableUsePolicy(packs: rules),
      terms: try ([terms] + more).map { try Self.termFile($0) })
  }

  static func termFile(_ json: String) throws -> TermFile {
    try TermFile(Self.document(json), digest: sha256(Array(json.utf8)), sha256: sha256)
  }

  static func model(_ engine: ScriptedEngine) -> ServedModel {
    ServedModel(
      id: ModelID("m"), engine: engine, weights: sha256([1]), terms: [TermFileID("test")], facts: .empty,
      registeredAt: Self.start,
      owner: "tests")
  }

  static func document(_ json: String) throws -> Document { try Document.parseJSON(Array(json.utf8)) }

  static let price = #"""
    {"model":"m","currency":"USD","effective_from":"2026-01-01",
     "components":[{"category":"prompt_uncached","per_million":"0.001"},{"category":"completion","per_million":"0.002"}]}
    """#

  /// Grants everything and asks for nothing.
  static let permissiveTerms = #"""
    {"schema":"model-terms/1","id":"test","revision":1,"title":"Test terms","status":"in-force","sections":["1"],
     "clauses":[{"id":"grant","ref":"1","kind":"grant","summary":"Use is granted.","actions":["use"]}]}
    """#

  /// Grants use on the condition that each party has accepted.
  static let conditionalTerms = #"""
    {"schema":"model-terms/1","id":"test","revision":1,"title":"Test terms","status":"in-force","sections":["1","2","3"],
     "facts":{"party.agrees":{"statement":"The party agrees.","type":"bool","subject":"party","source":["attestation"],"expires_days":30},
              "party.suit_filed":{"type":"date","subject":"party","source":["event"]}},
     "clauses":[
       {"id":"grant","ref":"1","kind":"grant","summary":"Use is granted.","actions":["use"]},
       {"id":"agree","ref":"2","kind":"condition","summary":"The party must agree.","binds":["customer"],"moments":["onboard","request"],
        "require":{"fact":"party.agrees","is":true},"on_false":"deny","on_unknown":"require_record"},
       {"id":"suit","ref":"3","kind":"termination","summary":"A suit ends it.","binds":["customer"],"moments":["event","request"],
        "when":{"fact":"party.suit_filed","present":true},"from":"party.suit_filed","effect":"deny"}]}
    """#

  /// A cap on a figure of the past that only a separate grant lifts, and another condition beside it.
  static let cappedTerms = #"""
    {"schema":"model-terms/1","id":"test","revision":1,"title":"Test terms","status":"in-force","sections":["1","2","3"],
     "facts":{"party.agrees":{"statement":"The party agrees.","type":"bool","subject":"party","source":["attestation"]},
              "party.small":{"statement":"The party is small.","type":"bool","subject":"party","source":["attestation"]}},
     "exceptions":[{"id":"separate-license","ref":"3","cures":["small"],"needs":["document_sha256"]}],
     "clauses":[
       {"id":"grant","ref":"1","kind":"grant","summary":"Use is granted.","actions":["use"]},
       {"id":"agree","ref":"2","kind":"condition","summary":"The party must agree.","binds":["customer"],"moments":["onboard","request"],
        "require":{"fact":"party.agrees","is":true},"on_false":"deny","on_unknown":"require_record"},
       {"id":"small","ref":"3","kind":"condition","summary":"The party must be small.","binds":["customer"],"moments":["onboard","request"],
        "require":{"fact":"party.small","is":true},"on_false":"deny","on_unknown":"require_record","cured_by":"separate-license"}]}
    """#

  func call(_ text: String = "hello", most: Int? = nil, key: String? = nil, user: String? = nil) -> Call {
    Call(
      secret: self.secret, model: "m",
      request: CompletionRequest(prompt: .chat([ChatMessage(role: .user, content: text)]), maximumCompletionTokens: most),
      endUser: user, idempotencyKey: key, bodyDigest: sha256(Array("\(text) \(most ?? 0)".utf8)))
  }

  /// Sets a spend limit on the customer, in nano-units.
  func limitSpend(nano: Int) async throws {
    let amount = NanoAmount(Int128(nano)).description
    _ = try await self.gate.createLimit(
      Self.document(
        #"{"subject":"\#(self.customer)","kind":"spend","amount":"\#(amount)","currency":"USD","window":"month"}"#),
      by: Self.actor)
  }

  func digest(_ text: String) -> Digest { sha256(Array(text.utf8)) }

  func attest(_ fact: String, _ value: String) async throws {
    _ = try await self.gate.attest(
      Self.document(
        #"{"subject":"\#(self.customer)","fact":"\#(fact)","value":\#(value),"signer":{"name":"A","role":"CEO"}}"#),
      by: Self.actor)
  }

  /// Runs a call to its end and returns all that the client saw.
  func serve(_ call: Call) async throws -> Served {
    switch try await self.gate.admit(call) {
    case .replay(let reply):
      return Served(text: reply.answers.map(\.text).joined(), record: reply.record, finish: reply.finish, isReplay: true)
    case .live(let live): return await Self.run(live)
    }
  }

  static func run(_ live: LiveRequest, stopAfter pieces: Int = .max) async -> Served {
    let seen = Mutex(Served())
    let record = await live.run(handover: .asItComes) { @concurrent event in
      try seen.withLock { served in
        switch event {
        case .piece(let piece):
          guard served.pieces < pieces else { throw ClientGone() }
          served.text += piece.text
          served.pieces += 1
        case .finished(_, let finish): served.finish = finish
        case .failed(_, let refusal): served.failure = refusal
        }
      }
    }
    var served = seen.withLock { $0 }
    served.record = record
    return served
  }

  struct Served: Sendable {
    var text = ""
    var pieces = 0
    var record: UsageRecord?
    var finish: Finish?
    var failure: Refusal?
    var isReplay = false
  }

  struct ClientGone: Error {}
}

/// The code with which a body is refused; nil where it is not.
func refusal(_ body: () async throws -> Void) async -> Refusal? {
  do {
    try await body()
    return nil
  } catch let refusal as Refusal {
    return refusal
  } catch {
    return nil
  }
}
