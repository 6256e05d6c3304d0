public import GovernanceTypes

/// A correction of what a closed request was charged, as the ledger made it.
public struct Adjusted: Sendable, Equatable {
  /// The request, with the amount that it was charged before.
  public let closed: Hold
  /// More where positive, less where negative.
  public let amount: NanoAmount
  /// The parts of the customer's grants that pay for more; empty where it is billed later.
  let parts: [CreditGrant]

  public var slices: [CreditSlice] { self.parts.map { CreditSlice(grant: $0.id, amount: $0.amount) } }
}

extension Ledger {
  /// Corrects what a closed request was charged, in the windows that it counted in: more only within every limit and credit, less down
  /// to nothing.
  ///
  /// - Parameters:
  ///   - closed: the request, with the amount that it is charged up to now.
  ///   - refund: where less is charged and credit had paid for it, what is given back, as credit of its own; else nil.
  ///   - now: Of a request whose hour or day is so long ago that its sums are no longer kept by themselves, no more can be charged where
  ///     such a window is limited: nobody could say whether the limit allows it.
  public mutating func adjust(
    _ closed: Hold, by amount: NanoAmount, refund: CreditGrant? = nil, at now: Timestamp
  ) -> Result<Adjusted, LedgerRefusal> {
    guard closed.amount + amount >= .zero else { return .failure(.exceedsHold(closed.amount)) }
    let room = self.headroom(chain: closed.chain, customer: closed.customer, currency: closed.currency, heldAt: closed.heldAt)
    guard amount <= .zero || room.amount.map({ amount <= $0 }) ?? true else { return .failure(.exceedsHeadroom) }
    guard amount <= .zero || self.knowsWindows(of: closed, on: now.day) else { return .failure(.exceedsHeadroom) }
    let returned: NanoAmount? = closed.isPrepaid && amount < .zero ? -amount : nil
    guard refund?.amount == returned else { return .failure(.exceedsHold(refund?.amount ?? .zero)) }
    var parts: [CreditGrant] = []
    self.changeCredit(of: closed) { account in
      if amount > .zero { parts = account.take(amount) }
    }
    self.apply(adjustment: amount, of: closed, refund: refund)
    return .success(Adjusted(closed: closed, amount: amount, parts: parts))
  }

  /// Whether what was spent in the windows that a request counted in is still kept, for all limits of its currency.
  private func knowsWindows(of closed: Hold, on today: CalendarDay) -> Bool {
    closed.chain.allSatisfy { subject in
      self.limits(of: subject).allSatisfy { limit in
        guard case .spend(_, closed.currency, _) = limit.measure else { return true }
        let span = limit.measure.window.span(at: closed.heldAt, in: limit.zone)
        return self.history.isWhole(subject, closed.currency, over: span, on: today)
      }
    }
  }

  /// Takes back a correction that never reached the disk: one that charged more.
  ///
  /// - Precondition: it charged more. What has been given back may be spent already.
  public mutating func undo(_ adjusted: Adjusted) {
    precondition(adjusted.amount >= .zero, "a refund is made when it is on disk, and stands")
    self.changeCredit(of: adjusted.closed) { account in
      for part in adjusted.parts { account.add(part) }
    }
    self.apply(adjustment: -adjusted.amount, of: adjusted.closed, refund: nil)
  }

  /// Puts back a correction of an earlier run. Limits are not asked: it was made then; which grants paid for it is put back by itself.
  public mutating func restore(adjustment amount: NanoAmount, of closed: Hold, refund: CreditGrant?) {
    self.apply(adjustment: amount, of: closed, refund: refund)
  }

  private mutating func apply(adjustment amount: NanoAmount, of closed: Hold, refund: CreditGrant?) {
    self.change(closed) { $0.settled += amount }
    if let refund { self.changeCredit(of: closed) { $0.add(refund) } }
    self.books.post(.adjust(amount, from: closed.source), closed.customer, closed.currency)
  }
}
