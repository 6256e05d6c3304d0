/// The rows to record, one for each subject and fact.
struct MissingFacts {
  private(set) var rows: [MissingFact] = []

  init(_ judged: [Judged]) {
    for item in judged { for leaf in item.outcome.wanting { self.add(leaf, item.outcome, item.context) } }
  }

  private mutating func add(_ leaf: Leaf, _ outcome: ClauseOutcome, _ context: EvaluationContext) {
    let fact = context.fact(leaf.place)
    let wish = leaf.wish(fact.declaration)
    let row = MissingFact(
      subject: context.subject(fact), parts: context.question.parts, fact: context.key(leaf.place), type: fact.declaration.type,
      values: wish.values,
      termFile: context.file.id, clause: outcome.clause.id, ref: outcome.clause.ref, state: leaf.state,
      remedy: RemedyWriter(context).remedy(leaf, for: outcome.clause), suitable: wish.suitable)
    // What is asked of one part's files is not answered by another's.
    let index = self.rows.firstIndex {
      $0.subject == row.subject && $0.fact == row.fact && (row.subject != .model || $0.parts == row.parts)
    }
    guard let index else {
      self.rows.append(row)
      return
    }
    self.rows[index] = self.rows[index].merged(with: row)
  }
}

extension MissingFact {
  /// One row for two clauses that ask for the same fact: the narrower of two demands, where they overlap.
  fileprivate func merged(with other: MissingFact) -> MissingFact {
    switch (self.suitable, other.suitable) {
    case (.interval(let lower, let upper)?, .interval(let otherLower, let otherUpper)?):
      let tighter = otherUpper.map { other in upper.map { other < $0 } ?? true } ?? false
      let value = FactValue.interval(lower: greater(lower, otherLower), upper: lesser(upper, otherUpper))
      return (tighter ? other : self).with(value, self.values)
    case (.choice?, .choice?), (.region?, .region?):
      let common = self.values.isEmpty ? other.values : self.values.filter { other.values.isEmpty || other.values.contains($0) }
      guard let first = common.first else { return self }
      if case .region? = self.suitable { return self.with(.region(first), common) }
      return self.with(.choice(first), common)
    default: return self
    }
  }

  private func with(_ suitable: FactValue, _ values: [String]) -> MissingFact {
    MissingFact(
      subject: self.subject, parts: self.parts, fact: self.fact, type: self.type, values: values, termFile: self.termFile,
      clause: self.clause,
      ref: self.ref, state: self.state, remedy: self.remedy, suitable: suitable)
  }
}

private func greater(_ left: Int128?, _ right: Int128?) -> Int128? {
  guard let left, let right else { return left ?? right }
  return max(left, right)
}

private func lesser(_ left: Int128?, _ right: Int128?) -> Int128? {
  guard let left, let right else { return left ?? right }
  return min(left, right)
}
