internal import AcceptableUse
internal import Billing
internal import Completions
internal import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization
internal import UsageLedger

extension LiveRequest {
  /// The engine ended: shows what the guard still held, settles, and only then tells the client.
  @concurrent
  func end(
    _ delivery: Delivery, _ end: CompletionEnd, deliver: @concurrent (GovernedEvent) async throws -> Void
  ) async -> UsageRecord? {
    var delivery = delivery
    delivery.counted(end.usage.completion, end.usage)
    let step = delivery.finish()
    if step.finding == nil, end.reason != .cancelled {
      let (finding, refusal) = await self.consult(delivery)
      if let finding { return await self.endFiltered(delivery, finding, deliver: deliver) }
      if let refusal { return await self.breakOff(delivery, refusal, deliver: deliver) }
    }
    do {
      if !step.pieces.isEmpty {
        try await self.mark(&delivery)
        for released in step.pieces { try await deliver(.piece(released)) }
        delivery.delivered()
      }
    } catch let error as JournalError {
      return await self.breakOff(delivery, Refusal(error), deliver: deliver)
    } catch {
      return await self.abandon(delivery, finish: "client_abort")
    }
    if let finding = step.finding { return await self.endFiltered(delivery, finding, deliver: deliver) }
    guard end.reason != .cancelled else { return await self.endCancelled(delivery, deliver: deliver) }
    self.note(end.attempts, countedBy: end.countedBy)
    delivery.deliveredAll(end.usage)
    self.gate.sample(self.dossier, answer: delivery.produced ?? "")
    var finish = self.finish(end.reason)
    finish.reasons = end.reasons.map { self.finish($0).reason }
    return await self.settle(
      delivery, finish: finish, name: finish.detail == nil ? finish.reason.rawValue : "spend_limit", deliver: deliver)
  }

  private func finish(_ reason: CompletionEnd.Reason) -> Finish {
    switch reason {
    case .stop, .cancelled: Finish(.stop)
    case .toolCalls: Finish(.toolCalls)
    case .length: Finish(.length)
    case .allowance: Finish(.length, detail: self.gate.whatBinds(self))
    }
  }

  /// The guard found a forbidden use in the answer: what was shown stays shown and is charged, the rest is never sent.
  @concurrent
  func endFiltered(
    _ delivery: Delivery, _ finding: Assessment, deliver: @concurrent (GovernedEvent) async throws -> Void
  ) async -> UsageRecord? {
    self.stream.cancel()
    var delivery = delivery
    let (produced, end) = await self.stream.lastWord(after: delivery.producedTokens)
    delivery.counted(produced, end?.usage)
    if let end { self.note(end.attempts, countedBy: end.countedBy) }
    let (citation, decision) = self.gate.decide(self, finding)
    let finish = Finish(.contentFilter, detail: .acceptableUse, citation: citation)
    return await self.settle(delivery, finish: finish, name: "content_filter", findings: decision, deliver: deliver)
  }

  @concurrent
  private func settle(
    _ delivery: Delivery, finish: Finish, name: String, findings: [JournalRecord] = [],
    deliver: @concurrent (GovernedEvent) async throws -> Void
  ) async -> UsageRecord? {
    self.close()
    self.gate.expectReply(of: self)
    defer { self.gate.endReply(of: self) }
    let settled = self.gate.settle(
      Ending(
        self.gate.usageRecord(self, delivery, finish: name), rating: self.rating, findings: findings, attempts: self.attempts))
    var record = settled.record
    do {
      try await settled.ticket.durable()
      record.receipt = settled.ticket.receipt
      self.gate.record(reply: finish, record, answers: delivery.recorded, of: self)
      try await deliver(.finished(record, finish: finish))
    } catch let error as JournalError {
      try? await deliver(.failed(record, Refusal(error)))  // The client may be gone; the record is kept and retried either way.
    } catch {
      return record  // The client left after the settlement; there is nothing more to tell it.
    }
    return record
  }

  /// The client is gone: the engine stops, and what was handed over is settled.
  func abandon(_ delivery: Delivery, finish: String) async -> UsageRecord? {
    self.stream.cancel()
    self.close()
    var delivery = delivery
    let (produced, end) = await self.stream.lastWord(after: delivery.producedTokens)
    delivery.counted(produced, end?.usage)
    if let end { self.note(end.attempts, countedBy: end.countedBy) }
    return await self.gate.close(
      Ending(self.gate.usageRecord(self, delivery, finish: finish), rating: self.rating, attempts: self.attempts))
  }

  private var rating: Ending.Rating { Ending.Rating(price: self.dossier.price) }

  /// The stream was cancelled: because nobody waits for it any more, or because its engine had fallen silent.
  @concurrent
  func endCancelled(
    _ delivery: Delivery, deliver: @concurrent (GovernedEvent) async throws -> Void
  ) async -> UsageRecord? {
    guard self.isGivenUp else { return await self.abandon(delivery, finish: "client_abort") }
    return await self.breakOff(delivery, Self.silent, deliver: deliver)
  }

  static let silent = Refusal(.engineFailed, "The engine said nothing for too long and was given up. Retry in a moment.")

  /// The engine or the journal broke in mid-stream: what was handed over is settled and the client is told.
  @concurrent
  func breakOff(
    _ delivery: Delivery, _ error: CompletionError, deliver: @concurrent (GovernedEvent) async throws -> Void
  ) async -> UsageRecord? {
    self.note(error.attempts, countedBy: nil)
    return await self.breakOff(delivery, Refusal(error), deliver: deliver)
  }

  @concurrent
  func breakOff(
    _ delivery: Delivery, _ refusal: Refusal, deliver: @concurrent (GovernedEvent) async throws -> Void
  ) async -> UsageRecord? {
    self.stream.cancel()
    self.close()
    var delivery = delivery
    let (produced, end) = await self.stream.lastWord(after: delivery.producedTokens)
    delivery.counted(produced, end?.usage)
    if let end { self.note(end.attempts, countedBy: end.countedBy) }
    let record = await self.gate.close(
      Ending(self.gate.usageRecord(self, delivery, finish: "engine_error"), rating: self.rating, attempts: self.attempts))
    if let record {
      try? await deliver(.failed(record, refusal))  // The client may be gone as well; the settlement stands.
    }
    return record
  }
}

extension CompletionStream {
  /// Reads a cancelled stream to its end: all tokens that the engine had produced before it noticed.
  ///
  /// - Parameter taken: those that were read from the stream before.
  /// - Returns: Those and the rest, and the end, where the engine came to it.
  func lastWord(after taken: Int = 0) async -> (produced: Int, end: CompletionEnd?) {
    var produced = taken
    var last: CompletionEnd?
    do {
      for try await event in self {
        switch event {
        case .prompt: break
        case .delta, .deltas: produced += event.steps.reduce(0) { $0 + $1.tokens }
        case .end(let end):
          produced = Swift.max(produced, end.usage.completion)
          last = end
        }
      }
    } catch {
      return (produced, last)  // An engine that breaks while being cancelled has said all that it will.
    }
    return (produced, last)
  }
}

extension Gate {
  /// What the request used, by the rule that the client pays for what was handed to it. It is charged when its hold is closed.
  func usageRecord(_ live: LiveRequest, _ delivery: Delivery, finish: String) -> UsageRecord {
    let hold = self.state.withLock { $0.openHolds[live.usage] } ?? live.held.record
    let now = self.state.withLock { $0.tick(self.environment.now()) }
    guard delivery.deliveredTokens > 0 || ["stop", "length", "tool_calls", "content_filter", "spend_limit"].contains(finish)
    else {
      return UsageRecord(
        closing: hold, amount: .zero, tokens: TokenUsage(), undelivered: TokenCount(delivery.producedTokens), outcome: .voided,
        finish: finish, policy: .nothingDelivered, source: .engine, settledAt: now)
    }
    let tokens = TokenUsage(
      promptUncached: TokenCount(delivery.prompt.promptUncached), promptCached: TokenCount(delivery.prompt.promptCached),
      completion: TokenCount(delivery.deliveredTokens))
    return UsageRecord(
      closing: hold, amount: .zero, tokens: tokens,
      undelivered: TokenCount(max(0, delivery.producedTokens - delivery.deliveredTokens)), outcome: .settled, finish: finish,
      policy: .delivered, source: live.countedBy, settledAt: now)
  }

  /// Charges and settles, or voids, in memory and submits the record; the money left over is free at once.
  ///
  /// The charge is the difference that the request makes to its customer's month, by the order in which requests end.
  func settle(_ ending: Ending) -> Settling {
    self.state.withLock { state in
      self.retryUnwritten(&state)
      let ending = state.charged(ending)
      let record = ending.record
      let result =
        record.outcome == .settled
        ? state.ledger.settle(record.usage, amount: record.amount, tokens: record.tokens.total, at: record.settledAt)
        : state.ledger.void(record.usage, at: record.settledAt)
      guard case .success(let settled) = result else {
        let failed = CommitTicket()
        failed.complete(.failure(JournalError(.conflict, "the ledger did not close \(record.usage): \(result)")))
        return Settling(record: record, ticket: failed)
      }
      state.periods.add(record)
      state.openHolds[record.usage] = nil
      state.live[record.usage] = nil
      state.ledger.lose(record.loss, record.currency, of: record.customer)
      let key =
        record.outcome == .voided
        ? self.release(idempotencyOf: record.usage, state: &state) : state.boundKeys.removeValue(forKey: record.usage)
      self.counters.settled(record)
      self.counters.request(outcome: record.outcome == .settled ? "settled" : "voided")
      let records = ending.records(slices: settled.slices, freeing: record.outcome == .voided ? key : nil)
      return Settling(record: record, ticket: self.write(records, ending: record, &state))
    }
  }

  /// Settles and waits for the disk. Where that fails the record is kept and written later.
  func close(_ ending: Ending) async -> UsageRecord? {
    let settled = self.settle(ending)
    do {
      try await settled.ticket.durable()
    } catch {
      return settled.record  // It is kept and written when the disk takes it.
    }
    return settled.record
  }

  /// Ends a hold for which nothing was delivered.
  func void(_ hold: HoldRecord, finish: String, produced: Int, attempts: [EngineAttempt] = []) async {
    let record = UsageRecord(
      closing: hold, amount: .zero, tokens: TokenUsage(), undelivered: TokenCount(produced), outcome: .voided, finish: finish,
      policy: .nothingDelivered, source: .engine, settledAt: self.now())
    _ = await self.close(Ending(record, rating: nil, attempts: attempts))
  }

  /// Takes a hold back that never reached the disk.
  func forget(_ hold: HoldRecord) {
    self.state.withLock { state in
      state.openHolds[hold.usage] = nil
      state.live[hold.usage] = nil
      _ = state.ledger.void(hold.usage, at: state.tick(self.environment.now()))
      self.release(idempotencyOf: hold.usage, state: &state)
    }
  }

  /// Which bound ended a stream whose hold could not be extended.
  func whatBinds(_ live: LiveRequest) -> Refusal.Code {
    self.state.withLock { state in
      guard let hold = state.ledger.holds[live.usage] else { return .spendLimitReached }
      let room = state.ledger.headroom(
        chain: hold.chain, customer: hold.customer, currency: hold.currency, heldAt: hold.heldAt)
      if room.tokens?.value == 0 { return .tokenLimitReached }
      if hold.isPrepaid, state.ledger.availableCredit(hold.customer, hold.currency) <= room.amount ?? .zero {
        return .insufficientCredit
      }
      return .spendLimitReached
    }
  }

  /// Decides on a finding in an answer: the clause that it falls under, and the records to write with the settlement.
  func decide(_ live: LiveRequest, _ finding: Assessment) -> (Refusal.Citation?, [JournalRecord]) {
    let findings = self.findings(in: [finding], for: live.dossier.model)
    let facts = self.requestFacts(live.dossier, findings: findings)
    let now = self.now()
    let verdict = live.dossier.standing?.standing.verdict(for: facts, at: now)
    var refusal = verdict.map { Refusal($0) } ?? Refusal(.acceptableUse, "")
    refusal.decision = live.decision
    let entry = live.dossier.decisionEntry(moment: .response, verdict: "deny", refusal: refusal, assessment: finding, at: now)
    self.counters.decision(
      moment: "response", verdict: "deny", license: refusal.citation?.terms.name ?? "", clause: refusal.citation?.clause ?? "")
    let incident = self.state.withLock { self.incident(for: finding, live.dossier, state: &$0, at: now) }
    return (refusal.citation, [JournalRecord(entry)] + (incident.map { [$0] } ?? []))
  }
}
