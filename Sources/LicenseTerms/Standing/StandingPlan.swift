public import GovernanceTypes

/// The question of one model and one action at one instant, worked out once for all parties: names resolved to places, keys of
/// the period filled in, and the operator's half of every clause judged.
///
/// Ten thousand parties of one model share a plan. O(clauses × facts read) to make, the same for each party.
public final class StandingPlan: Sendable {
  /// One term file's share.
  struct Part: Sendable {
    let question: TermQuestion
    let operatorContext: EvaluationContext
    let slots: [Slot]
    let grants: [ClauseOutcome]
    let exceptions: [ExceptionRecord]
  }

  /// One clause: how it came out for the operator, where it is asked, and whether it is asked of customers.
  struct Slot: Sendable {
    let resolved: ResolvedClause
    let operatorOutcome: ClauseOutcome?
    let asksCustomer: Bool
  }

  let parts: [Part]
  let time: Timestamp
  let action: Action
  let operatorFacts: FactSheet
  let modelName: String
  /// The operator's end of the verdict, its deciding result and what it leaves to requests.
  let until: Timestamp?
  let deciding: Judged?
  let pending: [PendingClause]
  private let isGoodUntil: Timestamp?

  /// The party of `request` is not looked at.
  public init(_ request: StandingRequest) {
    var builder = PlanBuilder(request)
    let lineage = [LineagePart(.base, terms: request.terms, facts: request.model.facts)] + request.beside
    self.parts = GovernedParts.all(of: lineage).map { builder.part($0) }
    self.time = request.time
    self.action = request.action
    self.operatorFacts = request.operator
    self.modelName = request.model.name
    for part in self.parts { builder.note(due: part, request.operator) }
    self.until = builder.until
    self.deciding = builder.deciding
    self.pending = builder.pending
    self.isGoodUntil = (self.parts.map(\.question.keysUntil) + [builder.until]).compactMap { $0 }.min()
  }

  /// Whether the plan answers for an instant: not before it was made, nor once the operator's half or the keys of a period are others.
  public func answers(at time: Timestamp) -> Bool {
    guard time >= self.time else { return false }
    return self.isGoodUntil.map { time < $0 } ?? true
  }

  /// The standing of one party at the plan's own instant. O(clauses × facts read); texts are written when they are asked for.
  public func standing(of party: Party) -> Standing { self.standing(of: party, asOf: self.time) }

  /// The standing of one party at a later instant; nil where the plan no longer ``answers(at:)`` it. O(clauses × facts read).
  public func standing(of party: Party, at time: Timestamp) -> Standing? {
    self.answers(at: time) ? self.standing(of: party, asOf: time) : nil
  }

  private func standing(of party: Party, asOf time: Timestamp) -> Standing {
    let subject = Subject.party(party.id)
    var builder = StandingBuilder(self, at: time)
    for part in self.parts { builder.add(part, subject, party.facts) }
    return builder.standing
  }
}

/// Judges the operator's half.
private struct PlanBuilder {
  let request: StandingRequest
  private(set) var until: Timestamp?
  private(set) var deciding: Judged?
  private(set) var pending: [PendingClause] = []

  init(_ request: StandingRequest) { self.request = request }

  mutating func part(_ governed: GovernedParts) -> StandingPlan.Part {
    let file = governed.file
    let question = TermQuestion(
      file, parameters: self.request.parameters[file.id] ?? [:], model: governed.facts, parts: governed.names,
      action: self.request.action, at: self.request.time)
    let exceptions = self.request.exceptions.filter {
      $0.termFile == file.id && $0.covers(model: self.request.model.name, self.request.action)
    }.sorted { $0.id < $1.id }
    let inForce = exceptions.filter { $0.licensee == .operator }
    for record in inForce { self.note(until: record.nextChange(after: self.request.time)) }
    let context = EvaluationContext(
      question, party: .operator, facts: self.request.operator.sheet(for: file.id),
      exceptions: inForce.filter { $0.isInForce(at: self.request.time) }, at: self.request.time)
    var slots: [StandingPlan.Slot] = []
    for resolved in file.resolved.clauses { slots.append(self.slot(resolved, context)) }
    let grants = self.grants(file, context)
    for grant in grants { self.take(Judged(outcome: grant, context: context)) }
    self.note(until: context.licensor.until)
    return StandingPlan.Part(
      question: question, operatorContext: context, slots: slots, grants: grants,
      exceptions: exceptions.filter { $0.licensee != .operator })
  }

  private mutating func slot(_ resolved: ResolvedClause, _ context: EvaluationContext) -> StandingPlan.Slot {
    let clause = resolved.clause
    guard clause.kind != .information else {
      return StandingPlan.Slot(resolved: resolved, operatorOutcome: ClauseOutcome(resolved), asksCustomer: false)
    }
    let asksCustomer = clause.kind == .exemption || clause.binds.contains(.customer)
    var asksOperator = clause.kind == .exemption || clause.binds.contains(.operator)
    // A clause that reads nothing of a party comes out the same for everyone; it is asked once.
    if asksOperator, asksCustomer, !resolved.readsPartyFacts {
      var evidence = Evidence()
      asksOperator = resolved.bindsCustomersWhen.map { context.evaluate($0, wanted: false, &evidence) } == .false
      self.note(until: evidence.until)
    }
    guard asksOperator else { return StandingPlan.Slot(resolved: resolved, operatorOutcome: nil, asksCustomer: asksCustomer) }
    let outcome = context.outcome(of: resolved)
    self.take(Judged(outcome: outcome, context: context))
    if outcome.isPending, !(asksCustomer && clause.forbidsUses) {
      self.pending.append(PendingClause(context: context, resolved: resolved))
    }
    return StandingPlan.Slot(resolved: resolved, operatorOutcome: outcome, asksCustomer: asksCustomer)
  }

  /// An action in no grant and in no prohibition is denied, where a file grants anything.
  private func grants(_ file: TermFile, _ context: EvaluationContext) -> [ClauseOutcome] {
    let action = context.action
    let isNamed = file.clauses.contains { $0.grants.contains(action) || ($0.forbids?.actions.contains(action) ?? false) }
    return file.resolved.grants.enumerated().map { index, resolved in
      if !isNamed, index == 0 { return ClauseOutcome(resolved, .false, .violated, .deny) }
      return ClauseOutcome(resolved, .true, resolved.clause.grants.contains(action) ? .met : .notApplicable)
    }
  }

  private mutating func take(_ judged: Judged) {
    self.note(until: judged.end)
    guard judged.refuses, self.deciding.map({ judged.decidesBefore($0) }) ?? true else { return }
    self.deciding = judged
  }

  mutating func note(due part: StandingPlan.Part, _ facts: FactSheet) {
    for review in part.question.file.reviews(facts, at: self.request.time) { self.note(until: review.due) }
  }

  private mutating func note(until instant: Timestamp?) {
    guard let instant, instant > self.request.time else { return }
    self.until = min(self.until ?? instant, instant)
  }
}

/// Judges one party's half.
struct StandingBuilder {
  private let plan: StandingPlan
  private let time: Timestamp
  private var until: Timestamp?
  private var deciding: Judged?
  private var pending: [PendingClause]
  private var contexts: [EvaluationContext] = []

  init(_ plan: StandingPlan, at time: Timestamp) {
    self.plan = plan
    self.time = time
    self.until = plan.until
    self.deciding = plan.deciding
    self.pending = plan.pending
  }

  var standing: Standing {
    Standing(
      verdict: Verdict(self.deciding?.outcome.effect ?? .allow), until: self.until, time: self.time, plan: self.plan,
      contexts: self.contexts,
      decider: self.deciding, pending: self.pending)
  }

  mutating func add(_ part: StandingPlan.Part, _ party: Subject, _ facts: FactSheet) {
    var inForce: [ExceptionRecord] = []
    for record in part.exceptions where record.licensee == party {
      self.note(until: record.nextChange(after: self.time))
      if record.isInForce(at: self.time) { inForce.append(record) }
    }
    let context = EvaluationContext(
      part.question, party: party, facts: facts.sheet(for: part.question.file.id), exceptions: inForce, at: self.time)
    self.contexts.append(context)
    for slot in part.slots where slot.asksCustomer {
      let (outcome, bound) = context.outcome(of: slot)
      self.note(until: bound)
      let judged = Judged(outcome: outcome, context: context)
      self.note(until: judged.end)
      if judged.refuses, self.deciding.map({ judged.decidesBefore($0) }) ?? true { self.deciding = judged }
      if outcome.isPending { self.pending.append(PendingClause(context: context, resolved: slot.resolved)) }
      // The operator answers for uses only where no customer does.
      if outcome.isUnbound, slot.resolved.clause.forbidsUses, slot.operatorOutcome?.isPending ?? false {
        self.pending.append(PendingClause(context: part.operatorContext, resolved: slot.resolved))
      }
    }
    self.note(until: context.licensor.until)
  }

  private mutating func note(until instant: Timestamp?) {
    guard let instant, instant > self.time else { return }
    self.until = min(self.until ?? instant, instant)
  }
}

extension EvaluationContext {
  /// The outcome of a clause that is asked of customers, and the end of the answer whether it binds this one.
  func outcome(of slot: StandingPlan.Slot) -> (outcome: ClauseOutcome, until: Timestamp?) {
    guard let when = slot.resolved.bindsCustomersWhen else { return (self.outcome(of: slot.resolved), nil) }
    var evidence = Evidence()
    guard self.evaluate(when, wanted: false, &evidence) == .false else {
      return (self.outcome(of: slot.resolved), evidence.until)
    }
    var outcome = ClauseOutcome(slot.resolved, .true, .notApplicable)
    outcome.isUnbound = true
    return (outcome, evidence.until)
  }

  /// The first licensor whose condition holds, nil where an earlier one might; and the end of that answer.
  var licensor: (name: String?, until: Timestamp?) {
    var evidence = Evidence()
    for licensor in self.file.resolved.licensors {
      guard let when = licensor.when else { return (licensor.name, evidence.until) }
      let truth = self.evaluate(when, wanted: true, &evidence)
      if truth == .true { return (licensor.name, evidence.until) }
      if truth == .unknown { return (nil, evidence.until) }
    }
    return (nil, evidence.until)
  }
}

extension Judged {
  /// The earliest later instant at which the outcome, or a duty of it, changes.
  var end: Timestamp? {
    var end = self.outcome.evidence.until
    if let change = self.dutiesEnd { end = min(end ?? change, change) }
    for (_, due) in self.reaffirmations where due > self.context.time { end = min(end ?? due, due) }
    return end
  }
}

extension ExceptionRecord {
  func isInForce(at time: Timestamp) -> Bool {
    guard self.validFrom <= time else { return false }
    if let end = self.validTo, end <= time { return false }
    if let end = self.revokedAt, end <= time { return false }
    return true
  }

  func nextChange(after time: Timestamp) -> Timestamp? {
    [self.validFrom, self.validTo, self.revokedAt].compactMap { $0 }.filter { $0 > time }.min()
  }

  func covers(model: String, _ action: Action) -> Bool {
    guard self.actions.isEmpty || self.actions.contains(action) else { return false }
    return self.models.isEmpty || self.models.contains { $0.hasSuffix("*") ? model.hasPrefix($0.dropLast()) : model == $0 }
  }
}

extension Verdict {
  init(_ effect: Effect) {
    switch effect {
    case .allow, .allowAndRecord: self = .allow
    case .requireRecord: self = .requireRecord
    case .deny: self = .deny
    }
  }
}
