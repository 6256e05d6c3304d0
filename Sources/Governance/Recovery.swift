internal import Audience
internal import Billing
internal import Documents
public import GovernanceTypes
internal import Synchronization
internal import UsageLedger

/// What was done about the holds that the last run left open.
public struct RecoveryReport: Sendable, Equatable {
  public var settled: [UsageRecord]
  public var voided: [UsageRecord]
  /// Tokens that may have been delivered and are charged to nobody.
  public var uncertainTokens: TokenCount
}

extension Gate {
  /// Takes up where the last run ended, before the first request: state is rebuilt, and each open hold is closed.
  ///
  /// The policy: a hold is settled at its last durable mark of progress, or voided where there is none. What may have been
  /// delivered beyond the mark, at most up to its high water, is the operator's loss and is stated in the record.
  ///
  /// - Throws: ``Refusal`` where a stored object cannot be read or the records cannot be made durable.
  public func recover(_ history: StoredState, version: String) async throws(Refusal) -> RecoveryReport {
    try self.load(history)
    let now = self.state.withLock { $0.tick(max(self.environment.now(), history.lastAt)) }
    let boot = LogEntry(
      .boot, at: now, [JSONMember("version", .string(version)), JSONMember("open_holds", .integer(history.openHolds.count))])
    var report = RecoveryReport(settled: [], voided: [], uncertainTokens: .zero)
    var tickets = [self.journal.submit([JournalRecord(boot)])]
    for (number, hold) in history.openHolds.enumerated() {
      // In portions that any queue takes.
      if number % Self.recoveryPortion == 0 { try await self.awaitAll(&tickets) }
      let settled = self.settle(try self.closing(hold, at: now))
      let record = settled.record
      if record.outcome == .settled { report.settled.append(record) } else { report.voided.append(record) }
      report.uncertainTokens += record.undelivered
      tickets.append(settled.ticket)
    }
    try await self.awaitAll(&tickets)
    return report
  }

  private static let recoveryPortion = 16

  private func awaitAll(_ tickets: inout [CommitTicket]) async throws(Refusal) {
    for ticket in tickets {
      do { try await ticket.durable() } catch { throw Refusal(error) }
    }
    tickets = []
  }

  private func closing(_ hold: HoldRecord, at now: Timestamp) throws(Refusal) -> Ending {
    guard let price = self.price(hold.price) else {
      throw Refusal(.modelUnpriced, "The hold \(hold.usage) was made at the price \(hold.price), which is not in the store.")
    }
    // No engine may run ahead of its hold: what is beyond the tokens held was never produced.
    let most = max(hold.delivered.value, min(hold.highWater.value, hold.tokens.value - hold.promptTokens.value))
    let uncertain = TokenCount(most - hold.delivered.value)
    let rating = Ending.Rating(
      price: price, reached: TokenUsage(promptUncached: hold.promptTokens, completion: TokenCount(most)))
    let isDelivered = hold.delivered > .zero
    let record = UsageRecord(
      closing: hold, amount: .zero,
      tokens: isDelivered ? TokenUsage(promptUncached: hold.promptTokens, completion: hold.delivered) : TokenUsage(),
      undelivered: uncertain, outcome: isDelivered ? .settled : .voided, finish: "crash",
      policy: isDelivered ? .lastDurableMark : .nothingDelivered, source: .mark, settledAt: now)
    return Ending(record, rating: rating)
  }

  private func load(_ invoices: [InvoiceSummary], into loaded: inout GateState) throws(Refusal) {
    for summary in invoices {
      do throws(InvoiceNumbers.Defect) { try loaded.invoices.take(summary) } catch {
        throw Refusal(
          .storeUnavailable,
          "The stored invoices have a gap in their numbers: \(error). Keep the file as evidence and restore the newest backup.")
      }
      // It was a draft until then, and its object is still there.
      loaded.drafts[summary.id] = nil
    }
  }

  private func load(_ history: StoredState) throws(Refusal) {
    let terms = self.state.withLock { $0.terms }
    var loaded = GateState(zone: self.environment.zone, parameters: self.policy.parameters, terms: terms)
    loaded.lastTime = history.lastAt
    for object in history.objects {
      do { try loaded.take(object) } catch {
        throw Refusal(.invalidRequest, "The stored \(object.kind.rawValue) \(object.id) cannot be read: \(error)")
      }
    }
    for total in history.settled {
      loaded.ledger.restore(settled: total.amount, tokens: total.tokens, as: total.asHold)
      loaded.ledger.lose(total.loss, total.currency, of: total.customer)
    }
    loaded.ledger.compact()
    for total in history.periods { loaded.periods.restore(total) }
    try self.load(history.invoices, into: &loaded)
    for use in history.creditUse {
      guard loaded.ledger.restore(used: use.used, expired: use.expired, of: use.grant, use.currency, customer: use.customer)
      else {
        throw Refusal(.storeUnavailable, "More of the credit \(use.grant) is used in the store than was granted.")
      }
    }
    for recent in history.rated {
      loaded.ledger.restore(
        requests: recent.requests, tokens: recent.tokens.value,
        of: chargedChain(key: recent.key, project: recent.project, customer: recent.customer), at: recent.heldAt)
    }
    for hold in history.openHolds {
      loaded.ledger.restore(open: hold.hold)
      loaded.openHolds[hold.usage] = hold
    }
    // A scope with a cap is counted exactly: the caps must be known before its users come back.
    loaded.audience.expect(loaded.audienceCaps(of: loaded.directory.subjects))
    for user in history.activeUsers {
      loaded.audience.insert(UserFingerprint(user.fingerprint), in: AudienceScope(user.scope), month: user.month)
    }
    for record in history.idempotency {
      loaded.idempotency[IdempotencyKey(customer: record.customer, keyDigest: record.keyDigest)] = IdempotencyState(
        requestDigest: record.requestDigest, usage: record.usage, expires: record.expires)
      if loaded.openHolds[record.usage] != nil {
        loaded.boundKeys[record.usage] = IdempotencyKey(customer: record.customer, keyDigest: record.keyDigest)
      }
    }
    self.state.withLock { state in
      loaded.models = state.models
      state = loaded
    }
  }
}
