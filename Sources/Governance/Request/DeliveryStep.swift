internal import AcceptableUse
internal import Billing
internal import Completions
internal import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization
internal import UsageLedger

extension LiveRequest {
  /// Makes a mark of progress where one is due, and waits for it only where delivery would pass the last durable one.
  func mark(_ delivery: inout Delivery) async throws(JournalError) {
    let next = delivery.tokensAfterDelivery
    let policy = self.gate.policy
    let isBeyond = next > delivery.highWater
    guard isBeyond || delivery.deliveredTokens >= delivery.lastMark + policy.markEveryTokens else { return }
    let highWater = max(next, delivery.deliveredTokens) + policy.leaseTokens
    let ticket = self.gate.journal.submit([
      JournalRecord(
        nil,
        effects: [
          .progress(
            self.usage, delivered: TokenCount(delivery.deliveredTokens), highWater: TokenCount(highWater))
        ])
    ])
    delivery.lastMark = delivery.deliveredTokens
    guard isBeyond else {
      delivery.pendingMark = (ticket, highWater)
      return
    }
    try await ticket.durable()
    delivery.highWater = highWater
  }

  /// Lets the engine go on as far as the client follows and the hold pays; adds to the hold in time, or makes its end final.
  func extend(_ delivery: inout Delivery) async throws(JournalError) {
    delivery.takeDurableMark()
    let policy = self.gate.policy
    let wanted = delivery.tokensAfterDelivery + policy.leadTokens * self.dossier.call.request.answers
    if wanted > delivery.granted, delivery.granted < delivery.ceiling, !delivery.grantIsFinal {
      try await self.topUp(&delivery)
    }
    let isFinal = delivery.grantIsFinal || delivery.granted >= delivery.ceiling
    if wanted >= delivery.granted {
      self.allowance.raise(to: delivery.granted, isFinal: isFinal)
    } else {
      self.allowance.raise(to: wanted, isFinal: false)
    }
  }

  private func topUp(_ delivery: inout Delivery) async throws(JournalError) {
    let goal = min(delivery.ceiling, delivery.granted + self.gate.policy.initialHoldTokens)
    guard let added = self.gate.extend(self, granted: delivery.granted, goal: goal) else {
      delivery.grantIsFinal = true
      return
    }
    try await added.ticket.durable()
    delivery.granted = added.completion
  }
}

extension Gate {
  /// Adds to a hold as much as is wanted, or as much as there is money for; nil where that is not one token.
  func extend(_ live: LiveRequest, granted: Int, goal: Int) -> (completion: Int, ticket: CommitTicket)? {
    let price = live.dossier.price
    let prompt = TokenCount(live.prompt.promptTokens)
    return self.state.withLock { state in
      guard let hold = state.ledger.holds[live.usage] else { return nil }
      // An extension must not reach the disk before the settlements whose money it takes.
      self.retryUnwritten(&state)
      let now = state.tick(self.environment.now())
      let room = state.ledger.headroom(
        chain: hold.chain, customer: hold.customer, currency: hold.currency, heldAt: hold.heldAt)
      let settled = state.periods.quantities(of: hold.customer, at: price.id, in: hold.heldAt.month)
      var completion = goal
      if let tokens = room.tokens { completion = min(completion, granted + tokens.value) }
      if let amount = room.amount {
        let affordable = price.affordableCompletion(
          prompt: prompt, within: hold.amount + amount, ceiling: TokenCount(completion), after: settled)
        completion = min(completion, affordable?.value ?? 0)
      }
      guard completion > granted else { return nil }
      // Other requests may have brought the month to where tokens cost less than was held for them.
      let worst = price.worstCase(prompt: prompt, completion: TokenCount(completion), after: settled)
      let amount = max(.zero, worst - hold.amount)
      let tokens = TokenCount(completion - granted)
      guard case .success(let extended) = state.ledger.extend(live.usage, by: amount, tokens: tokens, at: now) else { return nil }
      state.openHolds[live.usage]?.amount = extended.amount
      state.openHolds[live.usage]?.tokens = extended.tokens
      let entry = LogEntry(
        .extend, at: now,
        [
          JSONMember("usage", .string(live.usage.description)), JSONMember("customer", .string(hold.customer.description)),
          JSONMember("amount_nano", .string(String(amount.nano))),
        ])
      let ticket = self.journal.submit([
        JournalRecord(entry, effects: [.holdExtended(live.usage, amount: amount, tokens: tokens)])
      ])
      return (completion, ticket)
    }
  }
}
