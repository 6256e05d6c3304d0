internal import AcceptableUse
internal import Completions
internal import Documents
internal import Governance
internal import GovernanceTypes
internal import LicenseTerms

/// What a schedule is played in: who there is, under which limits.
struct SimulatedWorld {
  let currency: Currency
  let promptTokens = 3
  let terms: TermFile
  let acceptableUse: AcceptableUsePolicy
  let queueLimit: Int

  init(_ generator: inout SeededGenerator) {
    guard let currency = Currency("USD") else { preconditionFailure("USD is a currency") }
    self.currency = currency
    do {
      self.terms = try Self.termFile()
      self.acceptableUse = try AcceptableUsePolicy(packs: [Self.rules()])
    } catch {
      preconditionFailure("the fixtures of the simulation are valid: \(error)")
    }
    self.queueLimit = Int.random(in: 0..<4, using: &generator) == 0 ? 24 : 400
  }

  private static func termFile() throws -> TermFile {
    let text = """
      {"schema":"model-terms/1","id":"test","revision":1,"title":"Test terms","status":"in-force","sections":["1","2","policy/1"],
       "documents":[{"role":"policy","name":"POLICY","url":"https://example.org/policy"}],"use_list":"policy",
       "facts":{"request.use_findings":{"type":"set","subject":"request","source":["rule"]}},
       "uses":[{"id":"1","text":"what nobody says","category":"illegal","seen":["rule"]}],
       "clauses":[
         {"id":"grant","ref":"1","kind":"grant","summary":"Use is granted.","actions":["use"]},
         {"id":"use","ref":"2","sections":["2","policy/1"],"kind":"prohibition","summary":"Nobody says it.","binds":["customer"],
          "moments":["response"],"forbids":{"uses":"all","findings":"request.use_findings"},"on_true":"deny","on_unknown":"allow_and_record"}]}
      """
    return try TermFile(Self.document(text), digest: mixed(Array(text.utf8)), sha256: { mixed($0) })
  }

  /// Forbids what the engine begins to say and never says: its tokens reach clients in parts.
  private static func rules() throws -> RulePack {
    let text = """
      {"schema":"weighbridge/rule-pack/v1","id":"rules","version":"1","policy":"test","rules":[
        {"id":"rule","uses":["1"],"severity":"high","mode":"enforce","score":800,"direction":["response"],"phrases":["say nothing"],
         "examples":{"match":["say nothing"],"clear":["say yes"]}}]}
      """
    return try RulePack(Self.document(text), digest: { mixed($0) })
  }

  static func document(_ text: String) -> Document {
    do { return try Document.parseJSON(Array(text.utf8)) } catch { preconditionFailure("the simulation writes JSON: \(error)") }
  }

  var policy: GatePolicy {
    var policy = GatePolicy()
    policy.initialHoldTokens = 8
    policy.markEveryTokens = 2
    policy.leaseTokens = 6
    policy.leadTokens = 4
    return policy
  }
}

/// A digest that tells texts apart and is no protection: a simulation needs no cryptography.
func mixed(_ bytes: [UInt8], key: UInt64 = 0) -> Digest {
  var state: [UInt64] = [key ^ 1, key ^ 2, key ^ 3, key ^ 4]
  for (place, byte) in bytes.enumerated() {
    let lane = place & 3
    state[lane] = (state[lane] ^ UInt64(byte)) &* 0x100_0000_01B3 &+ 0x9E37_79B9_7F4A_7C15
  }
  var generator = SeededGenerator(seed: state.reduce(UInt64(bytes.count)) { ($0 ^ $1) &* 0xBF58_476D_1CE4_E5B9 })
  let words = (0..<4).map { _ in generator.next() }
  let digest = Digest(words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (UInt64($0) * 8)) } })
  guard let digest else { preconditionFailure("a digest has 32 bytes") }
  return digest
}

/// A customer with one key.
struct SimulatedTenant: Sendable {
  var customer: CustomerID
  var key: KeyID
  var secret: String
  var hasExpiringCredit = false
}
