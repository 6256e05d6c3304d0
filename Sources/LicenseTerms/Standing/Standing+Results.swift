import GovernanceTypes

/// Decides the standing of a party. Pure; the order of clauses, term files and records does not matter.
///
/// Order of effects: deny, then require a record, then allow; terminations count from their date whatever else holds. A term
/// file with grants allows only the actions that a grant or a prohibition names; a file without grants (a law) only restricts.
/// O(clauses × facts read). For many parties of one model make a ``StandingPlan`` once.
public func standing(of request: StandingRequest) -> Standing { StandingPlan(request).standing(of: request.party) }

extension Standing {
  public var action: Action { self.plan.action }

  /// A refusal's code for clients; nil where the verdict is allow.
  public var code: RefusalCode? { self.decider?.code }

  /// The result that decides; nil where the verdict is allow.
  public var deciding: ClauseResult? { self.decider.map(ClauseResult.init) }

  /// What every clause says of every party it is asked of. Written when asked for: O(clauses × facts read).
  public var clauses: [ClauseResult] { self.judged.map(ClauseResult.init) }

  /// What to record to open the gate: with one suitable attestation for each row the verdict is allow, unless a clause denies.
  /// Written when asked for: O(clauses × facts read).
  public var missing: [MissingFact] { MissingFacts(self.judged).rows }

  /// What rides along. Written when asked for: O(clauses × facts read).
  public var duties: [StandingDuty] {
    var duties: [StandingDuty] = []
    for (part, context) in zip(self.plan.parts, self.contexts) {
      for duty in Self.judged(part, context).flatMap(\.duties) where !duties.contains(duty) { duties.append(duty) }
      for review in part.question.file.reviews(self.plan.operatorFacts, at: self.time) where review.isOverdue {
        duties.append(
          StandingDuty(
            termFile: part.question.file.id, clause: "", ref: review.document.incorporatedBy ?? review.document.name,
            party: .operator, kind: .reviewDocument(role: review.document.role, since: review.due.day), state: .overdue,
            record: nil))
      }
    }
    return duties
  }

  /// Clauses whose reading nobody held against its source, among those that were looked at.
  public var unverified: [ClauseResult] { self.clauses.filter { !$0.isVerified && $0.state != .notApplicable } }

  /// The operator's choices in force, in the order of the term files.
  public var parameters: [ParameterInForce] {
    self.plan.parts.flatMap { part in
      zip(part.question.file.interpretations, part.question.choices).map { parameter, value in
        ParameterInForce(
          termFile: part.question.file.id, name: parameter.name, value: value,
          isChosen: part.question.parameters[parameter.name] != nil)
      }
    }
  }

  public var terms: [TermsInForce] {
    zip(self.plan.parts, self.contexts).map { part, context in
      let file = part.question.file
      return TermsInForce(
        id: file.id, parts: part.question.parts, revision: file.revision, digest: file.digest,
        operatorLicensor: part.operatorContext.licensor.name,
        partyLicensor: context.licensor.name, documents: part.operatorContext.documents)
    }
  }

  /// All outcomes: file by file, the clauses in their order, of each the operator's first; grants last.
  var judged: [Judged] { zip(self.plan.parts, self.contexts).flatMap { Self.judged($0, $1) } }

  private static func judged(_ part: StandingPlan.Part, _ context: EvaluationContext) -> [Judged] {
    var judged: [Judged] = []
    for slot in part.slots {
      if let outcome = slot.operatorOutcome { judged.append(Judged(outcome: outcome, context: part.operatorContext)) }
      if slot.asksCustomer { judged.append(Judged(outcome: context.outcome(of: slot).outcome, context: context)) }
    }
    return judged + part.grants.map { Judged(outcome: $0, context: part.operatorContext) }
  }
}

extension EvaluationContext {
  /// How the copies of texts found beside the weights compare with the accepted ones.
  fileprivate var documents: [DocumentFound] {
    self.file.documents.compactMap { document in
      guard let key = document.foundAs, let place = self.file.resolved.place(of: key) else { return nil }
      guard case .digest(let digest)? = self.reading(place).value else {
        return DocumentFound(role: document.role, state: .absent, digest: nil, match: .none)
      }
      let match = document.match(digest)
      return DocumentFound(
        role: document.role, state: match == .none ? .unknown : .matched, digest: digest, match: match)
    }
  }
}
