public import GovernanceTypes

/// A limit with what counts against it in the newest window that was asked about: the answer to a question to the history, kept in step.
struct BoundLimit: Sendable {
  let limit: Limit
  var span = CalendarSpan(start: Timestamp(nanoseconds: .min), end: Timestamp(nanoseconds: .min))
  var used = Balance()
}

extension Ledger {
  /// Adds a limit, or replaces the one with the same id. What was spent before counts.
  public mutating func set(_ limit: Limit) {
    let rate = self.rates[limit.id]
    self.removeLimit(limit.id)
    self.rates[limit.id] = rate
    var limits = self.limits[limit.subject] ?? []
    limits.append(BoundLimit(limit: limit))
    self.limits[limit.subject] = limits.sorted { ($0.limit.precedence, $0.limit.id) < ($1.limit.precedence, $1.limit.id) }
  }

  public mutating func removeLimit(_ id: LimitID) {
    self.rates[id] = nil
    for (subject, limits) in self.limits where limits.contains(where: { $0.limit.id == id }) {
      self.limits[subject] = limits.filter { $0.limit.id != id }
    }
  }

  /// The limits of a subject, in the order in which they are asked.
  public func limits(of subject: LedgerSubject) -> [Limit] { (self.limits[subject] ?? []).map(\.limit) }

  /// How much more money and how many more tokens a request of this chain may hold now; nil means no bound.
  public func headroom(
    chain: [LedgerSubject], customer: CustomerID, currency: Currency, heldAt: Timestamp
  ) -> (amount: NanoAmount?, tokens: TokenCount?) {
    var amount: NanoAmount?
    var tokens: TokenCount?
    for subject in chain {
      for bound in self.limits[subject] ?? [] {
        switch bound.limit.measure {
        case .spend(let most, currency, _):
          amount = smaller(amount, max(.zero, most - self.used(of: bound, at: heldAt).committed))
        case .tokens(let most, _):
          tokens = smaller(tokens, TokenCount(max(0, most.value - self.used(of: bound, at: heldAt).tokens)))
        default: break
        }
      }
    }
    if self.isPrepaid(customer) {
      amount = smaller(amount, max(.zero, self.availableCredit(customer, currency)))
    }
    return (amount, tokens)
  }

  /// The first refusal in the order of the contract.
  func refusal(
    chain: [LedgerSubject], amount: NanoAmount, currency: Currency, tokens: TokenCount, at now: Timestamp
  ) -> LedgerRefusal? {
    for subject in chain {
      for bound in self.limits[subject] ?? [] {
        if let refusal = self.refusal(of: bound, amount: amount, currency: currency, tokens: tokens, at: now) { return refusal }
      }
    }
    return nil
  }

  private func refusal(
    of bound: BoundLimit, amount: NanoAmount, currency: Currency, tokens: TokenCount, at now: Timestamp
  ) -> LedgerRefusal? {
    let limit = bound.limit
    switch limit.measure {
    case .requestsPerMinute(let most): return self.rateRefusal(limit, adding: 1, most: most, at: now)
    case .tokensPerMinute(let most): return self.rateRefusal(limit, adding: tokens.value, most: most, at: now)
    case .concurrentRequests(let most): return self.concurrent[limit.subject, default: 0] >= most ? .concurrency(limit) : nil
    case .activeUsers: return nil
    case .tokens(let most, _):
      let used = self.used(of: bound, at: now)
      let available = max(0, most.value - used.tokens)
      guard tokens.value > available else { return nil }
      return .tokens(limit, available: TokenCount(available), isHeld: tokens.value <= most.value - used.settledTokens)
    case .spend(let most, let limited, _):
      guard limited == currency else {
        let others = self.limits[limit.subject, default: []].contains { $0.limit.measure.currency == currency }
        return others ? nil : .currency(limit, charged: currency)
      }
      let used = self.used(of: bound, at: now)
      let available = max(.zero, most - used.committed)
      guard amount > available else { return nil }
      return .spend(limit, available: available, isHeld: amount <= most - used.settled)
    }
  }

  private func rateRefusal(_ limit: Limit, adding amount: Int, most: Int, at now: Timestamp) -> LedgerRefusal? {
    guard amount <= most else { return .rate(limit, retryAfter: nil) }
    return (self.rates[limit.id] ?? MinuteWindow()).wait(adding: amount, limit: most, at: now).map {
      .rate(limit, retryAfter: $0)
    }
  }

  // MARK: Windows

  /// What counts against a limit in the window that an instant is in.
  func used(of bound: BoundLimit, at instant: Timestamp) -> Balance {
    if bound.span.contains(instant) { return bound.used }
    return self.ask(bound.limit, over: bound.limit.measure.window.span(at: instant, in: bound.limit.zone))
  }

  private func ask(_ limit: Limit, over span: CalendarSpan) -> Balance {
    if let currency = limit.measure.currency { return self.history.balance(limit.subject, currency, over: span) }
    return self.history.currencies(of: limit.subject).reduce(Balance()) {
      $0 + self.history.balance(limit.subject, $1, over: span)
    }
  }

  /// Brings the windows of a chain's limits up to the one that `now` is in.
  mutating func turnPages(of chain: [LedgerSubject], at now: Timestamp) {
    for subject in chain {
      for place in self.limits[subject]?.indices ?? 0..<0 {
        guard let bound = self.limits[subject]?[place], bound.limit.measure.countsSpending, now >= bound.span.end else {
          continue
        }
        let span = bound.limit.measure.window.span(at: now, in: bound.limit.zone)
        let used = self.ask(bound.limit, over: span)
        self.limits[subject]?[place].span = span
        self.limits[subject]?[place].used = used
      }
    }
  }

  mutating func changeLimits(of hold: Hold, _ change: (inout Balance) -> Void) {
    for subject in hold.chain {
      for place in self.limits[subject]?.indices ?? 0..<0 {
        guard let bound = self.limits[subject]?[place] else { continue }
        guard bound.span.contains(hold.heldAt), bound.limit.measure.counts(hold) else { continue }
        change(&self.limits[subject, default: []][place].used)
      }
    }
  }

  // MARK: Rates

  mutating func count(requests: Int, tokens: Int, at instant: Timestamp, against limit: Limit) {
    switch limit.measure {
    case .requestsPerMinute: self.rates[limit.id, default: MinuteWindow()].add(requests, at: instant)
    case .tokensPerMinute: self.rates[limit.id, default: MinuteWindow()].add(tokens, at: instant)
    default: break
    }
  }

  /// Puts into the token rates what was really used in place of what was held, in the second that it was counted in.
  mutating func correctTokenRates(of hold: Hold, used: TokenCount, at now: Timestamp) {
    for subject in hold.chain {
      for bound in self.limits[subject] ?? [] {
        guard case .tokensPerMinute = bound.limit.measure, self.rates[bound.limit.id] != nil else { continue }
        self.rates[bound.limit.id]?.correct(by: used.value - hold.tokens.value, addedAt: hold.heldAt, now: now)
      }
    }
  }
}

private func smaller<Value: Comparable>(_ left: Value?, _ right: Value) -> Value {
  left.map { min($0, right) } ?? right
}
