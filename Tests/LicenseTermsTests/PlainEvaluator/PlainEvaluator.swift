import GovernanceTypes
import LicenseTerms

/// The meaning of a term file, written a second time: names looked up where they stand, no plan, no sharing, no words.
///
/// It takes nothing from the evaluator that ships but the file as data. Where both agree on every question, the plan changes
/// nothing but the cost.
struct PlainEvaluator {
  let question: StandingRequest
  /// Nil for the standing.
  var request: FactSheet?

  /// What one clause says of one party, and what it asks for.
  struct Finding: Hashable, CustomStringConvertible {
    var file: String
    var clause: String
    var party: String
    var truth: Truth
    var effect: Effect
    var state: ClauseState
    /// External keys asked for, sorted.
    var missing: [String] = []
    var isPending = false

    var description: String {
      "\(self.file)/\(self.clause) of \(self.party): \(self.truth) \(self.effect) \(self.state) \(self.missing)"
    }
  }

  /// A test that kept a predicate from being as wanted.
  struct Hindrance {
    var key: String
    var fact: FactDeclaration
    var state: ClauseState
  }

  /// What an evaluation comes to: its value, and the tests that keep it from being as wanted.
  struct Value {
    var truth: Truth
    var unknown: [Hindrance] = []
    var failed: [Hindrance] = []
  }

  /// All findings of the standing, in no particular order.
  func findings() -> [Finding] {
    self.question.terms.flatMap { file in
      file.clauses.flatMap { clause -> [Finding] in
        clause.kind == .grant ? [self.grant(clause, file)] : self.parties(of: clause, file).map { self.finding(clause, file, $0) }
      }
    }
  }

  /// The findings of a request, for the clauses that the standing leaves to it.
  func requestFindings(_ pending: [Finding]) -> [Finding] {
    pending.compactMap { left in
      guard let file = self.question.terms.first(where: { $0.id.name == left.file }),
        let clause = file.clauses.first(where: { $0.id == left.clause })
      else { return nil }
      return self.finding(clause, file, left.party == "operator" ? .operator : .party(left.party))
    }
  }

  func verdict(_ findings: [Finding]) -> Verdict {
    switch findings.map(\.effect).max() ?? .allow {
    case .allow, .allowAndRecord: .allow
    case .requireRecord: .requireRecord
    case .deny: .deny
    }
  }

  /// What is left to a request: uses are looked for on behalf of the customer where it is bound.
  func pending(_ findings: [Finding]) -> [Finding] {
    findings.filter { item in
      guard item.isPending else { return false }
      guard let file = self.question.terms.first(where: { $0.id.name == item.file }),
        let clause = file.clauses.first(where: { $0.id == item.clause }), clause.forbids?.uses.isEmpty == false
      else { return true }
      return item.party != "operator" || !self.parties(of: clause, file).contains(where: { $0 != .operator })
        || !self.isBound(clause, file)
    }
  }
}

extension PlainEvaluator {
  private func parties(of clause: Clause, _ file: TermFile) -> [Subject] {
    let customer = Subject.party(self.question.party.id)
    switch clause.kind {
    case .information: return [.operator]
    case .exemption: return self.readsParty(clause, file) ? [.operator, customer] : [customer]
    default:
      let asksOperator = clause.binds.contains(.operator)
      let asksCustomer = clause.binds.contains(.customer)
      if asksOperator, asksCustomer, !self.readsParty(clause, file) {
        return self.isBound(clause, file) ? [customer] : [.operator, customer]
      }
      return (asksOperator ? [.operator] : []) + (asksCustomer ? [customer] : [])
    }
  }

  private func isBound(_ clause: Clause, _ file: TermFile) -> Bool {
    guard let when = clause.bindsCustomersWhen else { return true }
    return self.value(of: when, file, .party(self.question.party.id), wanted: false).truth != .false
  }

  private func grant(_ clause: Clause, _ file: TermFile) -> Finding {
    let action = self.question.action
    let isNamed = file.clauses.contains { $0.grants.contains(action) || ($0.forbids?.actions ?? []).contains(action) }
    let first = file.clauses.filter { $0.kind == .grant }.map(\.id).min()
    let base = Finding(file: file.id.name, clause: clause.id, party: "operator", truth: .true, effect: .allow, state: .met)
    var finding = base
    if !isNamed, clause.id == first {
      (finding.truth, finding.effect, finding.state) = (.false, .deny, .violated)
    } else if !clause.grants.contains(action) {
      finding.state = .notApplicable
    }
    return finding
  }

  private func finding(_ clause: Clause, _ file: TermFile, _ party: Subject) -> Finding {
    var finding = Finding(
      file: file.id.name, clause: clause.id, party: party.description, truth: .true, effect: .allow, state: .met)
    guard clause.kind != .information else { return finding }
    if party != .operator, clause.kind != .exemption, !self.isBound(clause, file) {
      finding.state = .notApplicable
      return finding
    }
    guard self.isLookedAt(clause) else {
      finding.state = .notApplicable
      return finding
    }
    if clause.kind == .exemption {
      finding.state = self.isTrue(clause.when, file, party) ? .exempt : .notApplicable
      return finding
    }
    self.judge(&finding, clause, file, party)
    guard finding.effect > .allow || finding.truth != .true else { return finding }
    if self.isTrue(clause.exemptWhen, file, party) || self.isExempt(clause, file, party) {
      (finding.effect, finding.state, finding.missing, finding.isPending) = (.allow, .exempt, [], false)
    } else if self.isCured(clause, file, party) {
      (finding.effect, finding.state, finding.missing, finding.isPending) = (.allow, .cured, [], false)
    }
    return finding
  }

  private func judge(_ finding: inout Finding, _ clause: Clause, _ file: TermFile, _ party: Subject) {
    switch clause.kind {
    case .prohibition where clause.forbids?.uses.isEmpty == false: self.uses(&finding, clause, file, party)
    case .termination: self.termination(&finding, clause, file, party)
    default:
      let when = clause.when.map { self.value(of: $0, file, party, wanted: false) } ?? Value(truth: .true)
      guard when.truth != .false else {
        finding.state = .notApplicable
        return
      }
      let body = self.body(clause, file, party)
      let unknown = (when.truth == .unknown ? when.unknown : []) + (body.truth == .unknown ? body.unknown : [])
      let failed = (when.truth == .true ? when.failed : []) + body.failed
      self.settle(&finding, (!when.truth).or(body.truth), clause, unknown, failed)
    }
  }

  /// What the clause asks for where it applies.
  private func body(_ clause: Clause, _ file: TermFile, _ party: Subject) -> Value {
    switch clause.kind {
    case .condition: return clause.requirement.map { self.value(of: $0, file, party, wanted: true) } ?? Value(truth: .true)
    case .obligation:
      let proofs = clause.duties.compactMap { self.blocking($0) }
      if proofs.isEmpty { return Value(truth: clause.when == nil ? .true : self.undecided(clause, file, party)) }
      let values = proofs.map { self.value(of: $0, file, party, wanted: true) }
      return Value(
        truth: values.map(\.truth).reduce(.true) { $0.and($1) },
        unknown: values.flatMap { $0.truth == .unknown ? $0.unknown : [] },
        failed: values.flatMap { $0.truth == .false ? $0.failed : [] })
    default:
      guard let forbids = clause.forbids else { return Value(truth: .true) }
      var happens = Value(truth: Truth(forbids.actions.contains(self.question.action)))
      if happens.truth == .false, let declared = forbids.declaredBy {
        happens = self.value(of: declared, file, party, wanted: false)
      }
      guard happens.truth != .false else { return Value(truth: .true) }
      let excused = forbids.unless.map { self.value(of: $0, file, party, wanted: true) } ?? Value(truth: .false)
      return Value(
        truth: !(happens.truth.and(!excused.truth)), unknown: happens.unknown + excused.unknown,
        failed: happens.failed + excused.failed)
    }
  }

  /// A duty that blocks nothing is done, unless it is not known whether it applies at all.
  private func undecided(_ clause: Clause, _ file: TermFile, _ party: Subject) -> Truth {
    guard let when = clause.when else { return .true }
    return self.value(of: when, file, party, wanted: false).truth == .unknown ? .unknown : .true
  }

  private func settle(
    _ finding: inout Finding, _ truth: Truth, _ clause: Clause, _ unknown: [Hindrance], _ failed: [Hindrance]
  ) {
    finding.truth = truth
    switch truth {
    case .true: (finding.effect, finding.state) = (.allow, .met)
    case .false:
      finding.effect = clause.kind == .prohibition || clause.kind == .termination ? clause.onTrue : clause.onFalse
      finding.state = failed.contains { $0.state == .contradicted } ? .contradicted : .violated
    case .unknown:
      let open = unknown.filter { $0.state != .deferred }
      finding.isPending = open.count < unknown.count
      guard !open.isEmpty || !finding.isPending else {
        (finding.effect, finding.state) = (.allow, .deferred)
        return
      }
      finding.effect = clause.onUnknown
      finding.state = open.first?.state ?? .missing
      if finding.effect >= .requireRecord { finding.missing = Set(open.map(\.key)).sorted() }
    }
  }

  private func termination(_ finding: inout Finding, _ clause: Clause, _ file: TermFile, _ party: Subject) {
    let ended = clause.when.map { self.value(of: $0, file, party, wanted: false) } ?? Value(truth: .true)
    if ended.truth != .false, let key = clause.from, let fact = file.facts.first(where: { $0.key == key }),
      case .known(.day(let day)) = self.reading(fact, file, party), day.start > self.question.time
    {
      finding.state = .dated
      return
    }
    self.settle(&finding, !ended.truth, clause, ended.unknown, ended.failed)
  }

  private func isTrue(_ predicate: Predicate?, _ file: TermFile, _ party: Subject) -> Bool {
    predicate.map { self.value(of: $0, file, party, wanted: true).truth == .true } ?? false
  }

  private func isExempt(_ clause: Clause, _ file: TermFile, _ party: Subject) -> Bool {
    file.clauses.contains { other in
      other.kind == .exemption && other.exempts.contains(clause.id) && self.isLookedAt(other)
        && self.isTrue(other.when, file, party)
    }
  }

  private func isCured(_ clause: Clause, _ file: TermFile, _ party: Subject) -> Bool {
    self.exceptions(file, party).contains { record in
      guard let terms = file.exceptions.first(where: { $0.id == record.exception }) else { return false }
      let named = record.cures.isEmpty ? terms.cures : record.cures
      return named.contains(clause.id) && (terms.mayWaiveOtherClauses || terms.cures.contains(clause.id))
    }
  }

  func exceptions(_ file: TermFile, _ party: Subject) -> [ExceptionRecord] {
    let (time, model) = (self.question.time, self.question.model.name)
    return self.question.exceptions.filter { record in
      let isNamed = record.models.contains { $0.hasSuffix("*") ? model.hasPrefix(String($0.dropLast())) : $0 == model }
      return record.termFile == file.id && record.licensee == party && (record.models.isEmpty || isNamed)
        && (record.actions.isEmpty || record.actions.contains(self.question.action)) && record.validFrom <= time
        && (record.validTo.map { time < $0 } ?? true) && (record.revokedAt.map { time < $0 } ?? true)
    }
  }

  private func isLookedAt(_ clause: Clause) -> Bool {
    guard !clause.moments.isEmpty else { return true }
    var moments: Set<Moment> = [.register, .onboard, .request, .response, .report, .event]
    switch self.question.action {
    case .distribute: moments.insert(.distribute)
    case .finetune, .train, .trainOnOutput: moments.insert(.train)
    case .export: moments.insert(.export)
    case .use, .host, .reproduce, .modify, .brandUse: break
    }
    return !clause.moments.isDisjoint(with: moments)
  }

  private func blocking(_ duty: Duty) -> Predicate? {
    let pairs: (fact: String?, moments: Set<Moment>, check: Predicate?) =
      switch duty {
      case .attest(let fact, let moments), .register(let fact, let moments): (fact, moments, nil)
      case .bindRecipient(_, _, let moments, let fact): (fact, moments, nil)
      case .includeNotice(_, let check, let moments): (nil, moments, check)
      default: (nil, [], nil)
      }
    guard Action.allCases.contains(self.question.action), self.touches(pairs.moments) else { return nil }
    return pairs.check ?? pairs.fact.map { .fact($0, .isOneOf([.bool(true)])) }
  }

  private func touches(_ moments: Set<Moment>) -> Bool {
    var own: Set<Moment> = [.register, .onboard, .request, .response, .report, .event]
    switch self.question.action {
    case .distribute: own.insert(.distribute)
    case .finetune, .train, .trainOnOutput: own.insert(.train)
    case .export: own.insert(.export)
    case .use, .host, .reproduce, .modify, .brandUse: break
    }
    return !own.isDisjoint(with: moments)
  }
}
