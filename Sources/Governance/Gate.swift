// Governance: one request's life, from the key that calls to the settlement that is on disk, and the acts of administration.
// Holds the gate, the only way to an engine; it declares the journal, the archive and the environment that it needs.
// It must never know HTTP, SQL, a clock, a source of randomness or a cryptographic library: these are handed to it.

public import AcceptableUse
internal import Audience
internal import Billing
internal import Completions
public import GovernanceTypes
public import LicenseTerms
internal import Synchronization
internal import UsageLedger

/// What the gate cannot make itself.
public struct GateEnvironment: Sendable {
  /// The wall clock; it may jump, the gate's own time does not run backwards.
  public var now: @Sendable () -> Timestamp
  /// A clock for durations, unaffected by the wall clock.
  public var uptime: @Sendable () -> Duration
  /// Cryptographically strong random bytes.
  public var randomBytes: @Sendable (_ count: Int) -> [UInt8]
  public var digest: DigestFunction
  public var keyedDigest: KeyedDigestFunction
  /// Keys the digests by which texts and end users may be recognised; it stays in the data directory.
  public var tagKey: [UInt8]
  public var boot: BootID
  /// The key of a month's fingerprints, the same for every node; throws where it cannot be had, and then no user is counted and no
  /// request served. Made from ``tagKey`` unless set; a key that is to be destroyed must be set.
  public var audienceKey: @Sendable (CalendarMonth) throws -> [UInt8]
  /// Checks a signature over bytes; returns who it says has signed, throws where it is wrong or not understood. Without it signed
  /// statements are refused.
  public var verifySignature: @Sendable (StatementSignature, _ content: [UInt8]) throws -> String = { _, _ in
    throw Refusal(.invalidRequest, "Signatures are not checked here, so a signed statement is not taken.", parameter: "signature")
  }
  /// Waits; throws when it is cancelled before.
  public var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  /// Takes note of what somebody should look at.
  public var alert: @Sendable (Alert) -> Void = { _ in }
  /// The rules of a time zone by its name in the system's zone data; nil where there is none.
  public var zone: @Sendable (String) -> ZoneRules?

  public init(
    now: @escaping @Sendable () -> Timestamp, uptime: @escaping @Sendable () -> Duration,
    randomBytes: @escaping @Sendable (Int) -> [UInt8], digest: @escaping DigestFunction,
    keyedDigest: @escaping KeyedDigestFunction, tagKey: [UInt8], boot: BootID,
    zone: @escaping @Sendable (String) -> ZoneRules? = { $0 == ZoneRules.utc.name ? .utc : nil }
  ) {
    self.now = now
    self.uptime = uptime
    self.randomBytes = randomBytes
    self.digest = digest
    self.keyedDigest = keyedDigest
    self.tagKey = tagKey
    self.boot = boot
    self.audienceKey = { month in keyedDigest(tagKey, Array("audience \(month)".utf8)).bytes }
    self.zone = zone
  }

  func random128() -> UInt128 { self.randomBytes(16).reduce(0) { $0 << 8 | UInt128($1) } }
}

/// How the gate works where the design leaves a choice.
public struct GatePolicy: Sendable {
  /// Completion tokens held at first for a request that names no limit of its own; more is added as tokens come.
  public var initialHoldTokens = 256
  /// A mark of progress is made each time this many more tokens have been delivered.
  public var markEveryTokens = 16
  /// How far delivery may run ahead of the last durable mark.
  public var leaseTokens = 64
  /// How far the engine may run ahead of what the client has taken.
  public var leadTokens = 32
  /// How long an engine that may produce can stay silent before it is given up.
  public var engineSilence = Duration.seconds(600)
  public var idempotencyLifetime = Duration.seconds(24 * 3600)
  /// Whose prompts may share what was computed for their beginnings.
  public var prefixSharing = PrefixSharing.customer
  /// How invoices are written; without it none are.
  public var invoicing: InvoicePolicy?
  /// The operator's choices where a license text is silent.
  public var parameters: [TermFileID: [String: ParameterValue]] = [:]
  /// A guard model that is asked about what rules and classifier leave open.
  public var secondOpinion: SecondOpinion?
  /// The encoder that reads prompts of which the linear tier is in doubt; the policy for acceptable use has its terms.
  public var encoder: (any EncoderTier)?

  public init() {}
}

/// The one way to an engine.
///
/// Every route that can cause work calls ``admit(_:)``; nothing else in the program can start a completion for a customer.
public final class Gate: Sendable {
  let environment: GateEnvironment
  let policy: GatePolicy
  let journal: any Journal
  let archive: any Archive
  /// What invoices are made from; a gate without it makes none.
  let books: (any BillingArchive)?
  let acceptableUse: AcceptableUsePolicy
  let counters = Counters()
  let questions = SampledQuestions()
  let state: Mutex<GateState>

  /// A gate without customers, models or history; see ``restore(objects:openHolds:settled:activeUsers:idempotency:lastAt:)``.
  ///
  /// - Parameter terms: all term files in force; models refer to them by id.
  public init(
    environment: GateEnvironment, policy: GatePolicy, journal: any Journal, archive: any Archive,
    books: (any BillingArchive)? = nil, acceptableUse: AcceptableUsePolicy, terms: [TermFile]
  ) {
    self.environment = environment
    self.policy = policy
    self.journal = journal
    self.archive = archive
    self.books = books
    self.acceptableUse = acceptableUse
    self.state = Mutex(
      GateState(
        zone: environment.zone, parameters: policy.parameters,
        terms: Dictionary(terms.map { ($0.id, $0) }) { _, last in last }))
  }

  /// What the gate has counted since it was made.
  public var counts: CounterSnapshot { self.counters.snapshot }

  /// Open holds now.
  public var openHoldCount: Int { self.state.withLock { $0.openHolds.count } }

  /// Active users of the current month by scope.
  public var activeUsers: [(scope: String, users: Int)] {
    self.state.withLock { state in
      let month = state.tick(self.environment.now()).month
      return state.audience.totals(month: month).map { ($0.scope.name, $0.users) }
    }
  }

  func makeID<Kind>(_: Kind.Type = Kind.self, at now: Timestamp) -> Identifier<Kind> {
    Identifier(at: now, random: self.environment.random128())
  }
}
