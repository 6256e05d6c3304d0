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
    delivery.counted(produced: end.usage.completion)
    let step = delivery.finish()
    do {
      if let released = step.text {
        try await self.mark(&delivery)
        try await deliver(.text(released))
        delivery.delivered()
      }
    } catch {
      return await self.abandon(delivery, finish: "client_abort")
    }
    if let finding = step.finding { return await self.endFiltered(delivery, finding, deliver: deliver) }
    guard end.reason != .cancelled else { return await self.abandon(delivery, finish: "client_abort") }
    delivery.deliveredAll(produced: end.usage.completion)
    let finish = self.finish(end.reason)
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
    let citation = self.gate.recordFinding(self, finding)
    let finish = Finish(.contentFilter, detail: .acceptableUse, citation: citation)
    return await self.settle(delivery, finish: finish, name: "content_filter", deliver: deliver)
  }

  @concurrent
  private func settle(
    _ delivery: Delivery, finish: Finish, name: String, deliver: @concurrent (GovernedEvent) async throws -> Void
  ) async -> UsageRecord? {
    self.close()
    var record = self.gate.usageRecord(self, delivery, finish: name)
    do {
      let ticket = self.gate.settle(record)
      try await ticket.durable()
      record.receipt = ticket.receipt
      self.gate.record(reply: finish, record, text: delivery.recordedText, of: self)
      try await deliver(.finished(record, finish: finish))
    } catch let error as JournalError {
      self.gate.retryLater(record)
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
    delivery.counted(produced: await self.stream.producedTokens())
    return await self.gate.close(self.gate.usageRecord(self, delivery, finish: finish))
  }

  /// The engine or the journal broke in mid-stream: what was handed over is settled and the client is told.
  @concurrent
  func breakOff(
    _ delivery: Delivery, _ error: CompletionError, deliver: @concurrent (GovernedEvent) async throws -> Void
  ) async -> UsageRecord? {
    await self.breakOff(delivery, Refusal(error), deliver: deliver)
  }

  @concurrent
  func breakOff(
    _ delivery: Delivery, _ refusal: Refusal, deliver: @concurrent (GovernedEvent) async throws -> Void
  ) async -> UsageRecord? {
    self.stream.cancel()
    self.close()
    let record = await self.gate.close(self.gate.usageRecord(self, delivery, finish: "engine_error"))
    if let record {
      try? await deliver(.failed(record, refusal))  // The client may be gone as well; the settlement stands.
    }
    return record
  }

}

extension CompletionStream {
  /// Reads a cancelled stream to its end: the tokens that the engine had produced before it noticed.
  func producedTokens() async -> Int {
    var produced = 0
    do {
      for try await event in self {
        if case .end(let end) = event { produced = end.usage.completion }
      }
    } catch {
      return produced  // An engine that breaks while being cancelled has said all that it will.
    }
    return produced
  }
}

extension Gate {
  /// What the request used, by the rule that the client pays for what was handed to it.
  func usageRecord(_ live: LiveRequest, _ delivery: Delivery, finish: String) -> UsageRecord {
    let hold = self.state.withLock { $0.openHolds[live.usage] } ?? live.held.record
    let now = self.state.withLock { $0.tick(self.environment.now()) }
    guard delivery.deliveredTokens > 0 || ["stop", "length", "content_filter", "spend_limit"].contains(finish) else {
      return UsageRecord(
        closing: hold, amount: .zero, tokens: TokenUsage(), undelivered: TokenCount(delivery.producedTokens), outcome: .voided,
        finish: finish, policy: .nothingDelivered, source: .engine, settledAt: now)
    }
    let tokens = TokenUsage(
      promptUncached: TokenCount(delivery.prompt.promptUncached), promptCached: TokenCount(delivery.prompt.promptCached),
      completion: TokenCount(delivery.deliveredTokens))
    return UsageRecord(
      closing: hold, amount: live.dossier.price.charge(tokens), tokens: tokens,
      undelivered: TokenCount(max(0, delivery.producedTokens - delivery.deliveredTokens)), outcome: .settled, finish: finish,
      policy: .delivered, source: .engine, settledAt: now)
  }

  /// Settles or voids in memory and submits the record; the money left over is free at once.
  func settle(_ record: UsageRecord) -> CommitTicket {
    self.flushRetries()
    return self.state.withLock { state in
      state.openHolds[record.usage] = nil
      let result =
        record.outcome == .settled
        ? state.ledger.settle(record.usage, amount: record.amount, tokens: record.tokens.total, at: record.settledAt)
        : state.ledger.void(record.usage, at: record.settledAt)
      guard case .success = result else {
        let failed = CommitTicket()
        failed.complete(.failure(JournalError(.conflict, "the ledger did not close \(record.usage): \(result)")))
        return failed
      }
      if record.outcome == .voided { self.release(idempotencyOf: record.usage, state: &state) }
      self.counters.settled(record)
      self.counters.request(outcome: record.outcome == .settled ? "settled" : "voided")
      return self.journal.submit([JournalRecord(record.entry, effects: [.usage(record)])])
    }
  }

  /// Settles and waits for the disk. Where that fails the record is kept and written later.
  func close(_ record: UsageRecord) async -> UsageRecord? {
    do {
      try await self.settle(record).durable()
    } catch {
      self.retryLater(record)
    }
    return record
  }

  /// Ends a hold for which nothing was delivered.
  func void(_ hold: HoldRecord, finish: String, produced: Int) async {
    _ = await self.close(
      UsageRecord(
        closing: hold, amount: .zero, tokens: TokenUsage(), undelivered: TokenCount(produced), outcome: .voided, finish: finish,
        policy: .nothingDelivered, source: .engine, settledAt: self.now()))
  }

  /// Takes a hold back that never reached the disk.
  func forget(_ hold: HoldRecord) {
    self.state.withLock { state in
      state.openHolds[hold.usage] = nil
      _ = state.ledger.void(hold.usage, at: state.tick(self.environment.now()))
      state.idempotency = state.idempotency.filter { $0.value.usage != hold.usage }
    }
  }

  // MARK: What could not be written yet

  /// Keeps a settlement that the disk did not take; it goes first when the next one is made, or when asked.
  func retryLater(_ record: UsageRecord) { self.state.withLock { $0.unwritten.append((record, nil)) } }

  /// Writes an entry that says the time, to find out whether the disk takes anything again.
  public func probeJournal() {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      _ = self.journal.submit([JournalRecord(LogEntry(.clock, at: now, [JSONMember("reason", "probe after a failed commit")]))])
    }
  }

  /// Submits settlements again that could not be written. Called before each settlement and from time to time.
  public func flushRetries() {
    self.state.withLock { state in
      guard !state.unwritten.isEmpty else { return }
      // One that reached the disk after all conflicts with itself there, and is done as well.
      state.unwritten.removeAll { item in
        switch item.attempt?.outcome {
        case .success: true
        case .failure(let error): error.code == .conflict
        case nil: false
        }
      }
      for (index, item) in state.unwritten.enumerated() where item.attempt == nil || item.attempt?.outcome != nil {
        state.unwritten[index].attempt = self.journal.submit([JournalRecord(item.record.entry, effects: [.usage(item.record)])])
      }
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

  /// Puts a finding in an answer into the log and says which clause it falls under.
  func recordFinding(_ live: LiveRequest, _ finding: Assessment) -> Refusal.Citation? {
    let findings = self.findings(in: [finding], for: live.dossier.model)
    let facts = self.requestFacts(live.dossier, findings: findings)
    let verdict = live.dossier.standing?.standing.verdict(for: facts, at: self.now())
    var refusal = verdict.map { Refusal($0) } ?? Refusal(.acceptableUse, "")
    refusal.decision = live.decision
    self.state.withLock { state in
      let entry = live.dossier.decisionEntry(
        moment: .response, verdict: "deny", refusal: refusal, assessment: finding, at: state.tick(self.environment.now()))
      _ = self.journal.submit([JournalRecord(entry)])
    }
    self.counters.decision(
      moment: "response", verdict: "deny", license: refusal.citation?.terms.name ?? "", clause: refusal.citation?.clause ?? "")
    return refusal.citation
  }
}

extension UsageRecord {
  /// The log entry that closes the hold.
  var entry: LogEntry {
    var fields: [JSONMember] = [
      JSONMember("usage", .string(self.usage.description)), JSONMember("customer", .string(self.customer.description)),
    ]
    guard self.outcome == .settled else {
      fields.append(JSONMember("reason", .string(self.finish)))
      fields.append(JSONMember("undelivered", .string(self.undelivered.description)))
      fields.append(JSONMember("settlement_policy", .string(self.policy.rawValue)))
      return LogEntry(.void, at: self.settledAt, fields, lookup: self.usage.description)
    }
    fields += [
      JSONMember("key", .string(self.key.description)), JSONMember("model", .string(self.model.name)),
      JSONMember("decision", .string(self.decision.description)), JSONMember("price", .string(self.price.description)),
      JSONMember("currency", .string(self.currency.description)), JSONMember("amount_nano", .string(String(self.amount.nano))),
      JSONMember("prompt_uncached", .string(self.tokens.promptUncached.description)),
      JSONMember("prompt_cached", .string(self.tokens.promptCached.description)),
      JSONMember("completion", .string(self.tokens.completion.description)),
      JSONMember("undelivered", .string(self.undelivered.description)), JSONMember("finish", .string(self.finish)),
      JSONMember("settlement_policy", .string(self.policy.rawValue)), JSONMember("usage_source", .string(self.source.rawValue)),
      JSONMember("held_at", .string(self.heldAt.description)),
    ]
    if let project = self.project { fields.append(JSONMember("project", .string(project.description))) }
    return LogEntry(.settle, at: self.settledAt, fields, lookup: self.usage.description)
  }
}
