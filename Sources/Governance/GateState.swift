internal import AcceptableUse
internal import Audience
internal import Billing
internal import GovernanceTypes
internal import LicenseTerms
internal import UsageLedger

/// All that the gate decides from, in memory. Changed under one lock, by steps that do not suspend.
struct GateState: Sendable {
  let zone: @Sendable (String) -> ZoneRules?
  /// The operator's choices where a license text is silent.
  let parameters: [TermFileID: [String: ParameterValue]]
  var lastTime = Timestamp(nanoseconds: 0)
  var directory = Directory()
  var ledger = Ledger()
  var adjustments = Adjustments()
  var prices = PriceBook()
  var credits: [CreditID: StoredCredit] = [:]
  var profiles: [CustomerID: BillingProfile] = [:]
  /// Those that are not final.
  var drafts: [InvoiceID: StoredInvoiceDraft] = [:]
  var invoices = InvoiceIndex()
  /// Prices on their way to disk.
  var promisedPrices: [PriceID: Price] = [:]
  /// What was settled in the months in which a request can still end.
  var periods = PeriodBooks()
  var audience = ActiveUsers()
  /// Users by day, as far as a term file asks for them.
  var days = DailyUsers()
  /// Calls that named no end user, by month, key and model.
  var anonymous: [AnonymousTally.Place: AnonymousTally] = [:]
  var history = AudienceHistory()
  var affiliations: [AffiliationID: StoredAffiliation] = [:]
  /// The same as a graph.
  var affiliates = AffiliateGraph.empty
  var terms: [TermFileID: TermFile] = [:] { didSet { self.readTerms() } }
  /// Every way in which a term file in force draws a group of affiliates, and the usual one.
  private(set) var groupings: [AffiliateGrouping] = [.usual]
  /// Whether a term file in force asks for users of a day.
  private(set) var asksForDays = false
  var models: [ModelID: ServedModel] = [:]
  /// The weights that each model was registered with, by digest, in this run or an earlier one.
  var registeredWeights: [ModelID: Digest] = [:]
  /// Models of which the operator's license has ended, told once.
  var ended: Set<ModelID> = []
  var facts = FactRecords()
  /// What people stated, as stored: read anew when the term files change.
  var statements: [StoredObject] = []
  /// Digests of signed statements on record: each counts once.
  var signedStatements: Set<Digest> = []
  var grants: [GrantID: StoredGrant] = [:]
  /// Modes, exemptions, appeals and incidents of acceptable use.
  var conduct = ConductBook()
  var adminKeys: [AdminKeyID: AdminKey] = [:]
  var standings: [StandingKey: RecordedStanding] = [:]
  /// The operator's half of the standings of a model and an action, made once for all customers.
  var plans: [PlanKey: RecordedPlan] = [:]
  /// Numbers that standings rest on, by the scopes that they are about.
  var watching: [AudienceScope: Set<AudienceWatch>] = [:]
  var openHolds: [UsageID: HoldRecord] = [:]
  var clock: ClockBaseline?
  var idempotency: [IdempotencyKey: IdempotencyState] = [:]
  var replies = RecordedReplies()
  var unwritten = UnwrittenRecords()
  /// The idempotency keys of open holds, which a void frees.
  var boundKeys: [UsageID: IdempotencyKey] = [:]
  /// Requests under a key whose settlement is on its way to disk, and with it their reply.
  var replying: Set<UsageID> = []
  /// Requests that are being served, to find those whose engine has fallen silent.
  var live: [UsageID: LiveReference] = [:]

  /// Wall clock and time since the start, as last compared.
  var clocks: (wall: Timestamp, uptime: Duration)?

  init(
    zone: @escaping @Sendable (String) -> ZoneRules?, parameters: [TermFileID: [String: ParameterValue]],
    terms: [TermFileID: TermFile]
  ) {
    self.zone = zone
    self.parameters = parameters
    self.terms = terms
    self.readTerms()
  }

  /// Keeps what many requests ask of all term files together.
  private mutating func readTerms() {
    // What no exemption and no setting permits: uses whose finding is itself to be reported.
    self.conduct.unwaivable = Set(self.terms.values.flatMap(\.uses).filter { $0.duty != nil }.map { ProhibitedUseID($0.id) })
    let drawn = self.terms.values.flatMap { $0.groupings(parameters: self.parameters[$0.id] ?? [:]) }
    self.groupings = Set(drawn + [.usual]).sorted { "\($0)" < "\($1)" }
    self.asksForDays = self.terms.values.contains { file in
      file.facts.contains { file.measure(of: $0, parameters: self.parameters[file.id] ?? [:]) == .usersOfDays }
    }
  }

  /// Time as the gate sees it: it never runs backwards, so that nothing that has expired comes back to life.
  mutating func tick(_ wall: Timestamp) -> Timestamp {
    self.lastTime = max(self.lastTime, wall)
    return self.lastTime
  }
}

struct LiveReference: Sendable {
  weak let request: LiveRequest?
}

/// Attestations, events and grants by subject.
struct FactRecords: Sendable {
  private var facts: [Subject: [Fact]] = [:]
  private var sheets: [Subject: FactSheet] = [:]
  var grants: [ExceptionRecord] = []

  mutating func add(_ fact: Fact, to subject: Subject) {
    self.facts[subject, default: []].append(fact)
    self.sheets[subject] = FactSheet(self.facts[subject] ?? [])
  }

  /// Every record, by subject.
  var all: [(Subject, [Fact])] { self.facts.sorted { $0.key.description < $1.key.description } }

  func sheet(of subject: Subject) -> FactSheet { self.sheets[subject] ?? .empty }
}

struct StandingKey: Hashable, Sendable {
  var customer: CustomerID
  var model: ModelID
  var action: Action
}

struct PlanKey: Hashable, Sendable {
  var model: ModelID
  var action: Action
}

/// A plan with the counts of the operator's users that went into it.
struct RecordedPlan: Sendable {
  var plan: StandingPlan
  /// Numbers it rests on that counting may refute.
  var watches: [AudienceWatch]
  /// When what was counted is of an earlier period; nil where no count was asked for.
  var countsUntil: Timestamp?

  func answers(at now: Timestamp) -> Bool { self.plan.answers(at: now) && (self.countsUntil.map { now < $0 } ?? true) }
}

/// A standing verdict with the id under which it is in the log. Shared by all requests that rest on it.
final class RecordedStanding: Sendable {
  let id: StandingID
  let standing: Standing
  let at: Timestamp
  /// Of the log entry.
  let ticket: CommitTicket
  /// Numbers it rests on that counting may refute.
  let watches: [AudienceWatch]
  /// When what was counted is of an earlier period; nil where no count was asked for.
  let countsUntil: Timestamp?
  /// Duties that ride along with the verdict and reach the client as headers.
  let headers: [(name: String, value: String)]

  init(
    id: StandingID, standing: Standing, at: Timestamp, ticket: CommitTicket, watches: [AudienceWatch], countsUntil: Timestamp?
  ) {
    self.id = id
    self.standing = standing
    self.at = at
    self.ticket = ticket
    self.watches = watches
    self.countsUntil = countsUntil
    self.headers = standing.duties.compactMap { duty -> (name: String, value: String)? in
      guard case .header(let name, let value) = duty.kind else { return nil }
      return (name, value)
    }
  }

  /// Clauses of which what was stated and what was counted cannot both be true.
  var contradicted: [ClauseResult] { self.standing.clauses.filter { $0.state == .contradicted } }

  /// The entry will never be in the log, so nothing may cite it.
  var isLost: Bool { if case .failure? = self.ticket.outcome { true } else { false } }

  func holds(at now: Timestamp) -> Bool {
    (self.standing.until.map { now < $0 } ?? true) && (self.countsUntil.map { now < $0 } ?? true)
  }
}

struct IdempotencyKey: Hashable, Sendable {
  var customer: CustomerID
  var keyDigest: Digest
}

struct IdempotencyState: Sendable {
  var requestDigest: Digest
  var usage: UsageID
  var expires: Timestamp
}
