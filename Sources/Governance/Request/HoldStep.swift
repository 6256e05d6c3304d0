internal import AcceptableUse
internal import Billing
internal import Completions
internal import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization
internal import UsageLedger

/// A hold that was made in memory and is on its way to disk.
struct HeldRequest: Sendable {
  var record: HoldRecord
  /// Completion tokens that the hold pays for.
  var completionTokens: Int
  var ticket: CommitTicket
  /// How the caller stands with its limits per minute, this request counted.
  var rates: RateState
}

extension Gate {
  /// Holds the worst case, or as much of it as there is money for, on every level at once; refuses if not even one completion
  /// token is covered.
  func hold(_ dossier: Dossier, prompt: PreparedPrompt) async throws(Refusal) -> HeldRequest {
    let outcome = self.state.withLock { state -> Result<HeldRequest, Refusal> in
      let now = state.tick(self.environment.now())
      // A hold must never be on disk before the settlement whose money it takes.
      guard !self.retryUnwritten(&state) else {
        return .failure(
          Refusal(
            .storeUnavailable, "The ledger is catching up with settlements that its disk had refused. Retry in a moment.",
            retryAfter: .seconds(1)))
      }
      guard self.remember(dossier, state: &state, at: now) else {
        return .failure(
          Refusal(
            .idempotencyConflict, "Another request under this idempotency key is running. Retry when it is over.",
            retryAfter: .seconds(1)))
      }
      self.expireCredit(of: dossier, state: &state, at: now)
      let settled = state.periods.quantities(of: dossier.caller.customer.id, at: dossier.price.id, in: now.month)
      let size = self.size(of: dossier, prompt: prompt, ledger: state.ledger, after: settled, at: now)
      let made = state.ledger.hold(
        usage: dossier.usage, customer: dossier.caller.customer.id, chain: dossier.caller.chain,
        currency: dossier.price.currency, amount: size.amount, tokens: TokenCount(prompt.promptTokens + size.completion), at: now)
      switch made {
      case .failure(let refusal):
        self.release(idempotencyOf: dossier, state: &state)
        var refusal = Refusal(refusal)
        refusal.rates = state.ledger.rateState(chain: dossier.caller.chain, at: now)
        return .failure(refusal)
      case .success(let hold):
        return .success(self.open(hold, dossier, prompt: prompt, completion: size.completion, state: &state))
      }
    }
    switch outcome {
    case .success(let held):
      self.counters.decision(moment: "request", verdict: "allow", license: "", clause: "")
      return held
    case .failure(let refusal): throw await self.refuse(dossier, refusal, verdict: "deny", moment: .request)
    }
  }

  /// Takes credit that has run out before it is counted on, and says so in the log.
  private func expireCredit(of dossier: Dossier, state: inout GateState, at now: Timestamp) {
    let customer = dossier.caller.customer.id
    let currency = dossier.price.currency
    guard state.ledger.isPrepaid(customer), state.ledger.hasExpiredCredit(customer, currency, at: now) else { return }
    let records = state.ledger.expireCredit(of: customer, currency, at: now).map { slice in
      JournalRecord(
        LogEntry(
          .expire, at: now,
          [
            JSONMember("credit", .string(slice.grant.description)), JSONMember("customer", .string(customer.description)),
            JSONMember("currency", .string(currency.description)), JSONMember("amount_nano", .string(String(slice.amount.nano))),
          ]),
        effects: [
          .creditUsed(
            CreditUse(grant: slice.grant, customer: customer, currency: currency, used: .zero, expired: slice.amount))
        ])
    }
    guard !records.isEmpty else { return }
    _ = self.write(records, ending: nil, &state)
  }

  /// Puts a hold that the ledger has made on the books and on its way to disk.
  private func open(
    _ hold: Hold, _ dossier: Dossier, prompt: PreparedPrompt, completion: Int, state: inout GateState
  ) -> HeldRequest {
    let record = HoldRecord(
      usage: dossier.usage, boot: self.environment.boot, decision: dossier.decision, customer: hold.customer,
      project: dossier.caller.key.project, key: dossier.caller.key.id, model: dossier.model.id, price: dossier.price.id,
      currency: hold.currency, amount: hold.amount, tokens: hold.tokens, promptTokens: TokenCount(prompt.promptTokens),
      heldAt: hold.heldAt, isPrepaid: hold.isPrepaid, highWater: TokenCount(self.policy.leaseTokens))
    state.openHolds[record.usage] = record
    state.periods.turn(to: record.heldAt.month, keeping: state.openHolds.values.lazy.map(\.heldAt.month))
    let ticket = self.journal.submit(self.records(opening: record, dossier: dossier, prompt: prompt))
    return HeldRequest(
      record: record, completionTokens: completion, ticket: ticket,
      rates: state.ledger.rateState(chain: hold.chain, at: hold.heldAt))
  }

  /// How many completion tokens to hold for, and what they cost with the prompt.
  private func size(
    of dossier: Dossier, prompt: PreparedPrompt, ledger: Ledger, after settled: PeriodQuantities, at now: Timestamp
  ) -> (completion: Int, amount: NanoAmount) {
    let prompted = TokenCount(prompt.promptTokens)
    let isLimited = dossier.call.request.maximumCompletionTokens != nil
    var completion = isLimited ? prompt.completionCeiling : min(prompt.completionCeiling, self.policy.initialHoldTokens)
    let room = ledger.headroom(
      chain: dossier.caller.chain, customer: dossier.caller.customer.id, currency: dossier.price.currency, heldAt: now)
    if let tokens = room.tokens { completion = min(completion, tokens.value - prompted.value) }
    if let amount = room.amount {
      let affordable = dossier.price.affordableCompletion(
        prompt: prompted, within: amount, ceiling: TokenCount(max(1, completion)), after: settled)
      completion = min(completion, affordable?.value ?? 0)
    }
    completion = max(1, completion)
    return (completion, dossier.price.worstCase(prompt: prompted, completion: TokenCount(completion), after: settled))
  }

  private func records(opening record: HoldRecord, dossier: Dossier, prompt: PreparedPrompt) -> [JournalRecord] {
    let decision = dossier.decisionEntry(
      moment: .request, verdict: "allow", refusal: nil,
      assessment: dossier.assessment?.rules.isEmpty == false ? dossier.assessment : nil,
      at: record.heldAt)
    var effects: [StoreEffect] = [.holdOpened(record)]
    effects.append(contentsOf: dossier.counted?.effects ?? [])
    if let idempotency = self.idempotencyRecord(dossier, at: record.heldAt) { effects.append(.idempotency(idempotency)) }
    return [
      JournalRecord(decision),
      JournalRecord(LogEntry(.hold, at: record.heldAt, record.logFields(ceiling: prompt.completionCeiling)), effects: effects),
    ]
  }
}

extension HoldRecord {
  fileprivate func logFields(ceiling: Int) -> [JSONMember] {
    var fields: [JSONMember] = [
      JSONMember("usage", .string(self.usage.description)), JSONMember("decision", .string(self.decision.description)),
      JSONMember("customer", .string(self.customer.description)), JSONMember("key", .string(self.key.description)),
      JSONMember("model", .string(self.model.name)), JSONMember("price", .string(self.price.description)),
      JSONMember("currency", .string(self.currency.description)), JSONMember("amount_nano", .string(String(self.amount.nano))),
      JSONMember("prompt_tokens", .string(self.promptTokens.description)),
      JSONMember("completion_ceiling", .string(String(ceiling))),
    ]
    if let project = self.project { fields.append(JSONMember("project", .string(project.description))) }
    return fields
  }
}

extension Refusal {
  /// What a caller is told whose request the ledger does not let through.
  init(_ refusal: LedgerRefusal) {
    switch refusal {
    case .rate(let limit, let wait?):
      self.init(
        .rateLimitExceeded, "The rate limit of \(limit.subject) is reached (\(limit.measure.sentence)).", retryAfter: wait)
    case .rate(let limit, nil):
      self.init(
        .rateLimitExceeded,
        "The request is larger than the rate limit of \(limit.subject) (\(limit.measure.sentence)), so it never fits. Ask for fewer tokens."
      )
    case .concurrency(let limit):
      self.init(
        .rateLimitExceeded, "\(limit.subject) already has its \(limit.measure.sentence) in progress.", retryAfter: .seconds(1))
    case .tokens(let limit, let available, let isHeld):
      self.init(
        .tokenLimitReached,
        "The token limit of \(limit.subject) (\(limit.measure.sentence)) leaves \(available) tokens, which this request does not fit into.\(Self.waiting(isHeld))",
        retryAfter: isHeld ? .seconds(1) : nil)
    case .spend(let limit, let available, let isHeld):
      self.init(
        .spendLimitReached,
        "The spend limit of \(limit.subject) (\(limit.measure.sentence)) leaves \(available), which does not cover the prompt and one token.\(Self.waiting(isHeld))",
        retryAfter: isHeld ? .seconds(1) : nil)
    case .currency(let limit, let charged):
      self.init(
        .spendLimitReached,
        "\(limit.subject) has a spend limit in another currency only, and this model is priced in \(charged). Set a limit in \(charged) too."
      )
    case .insufficientCredit(_, let available, let currency, let isHeld):
      self.init(
        .insufficientCredit,
        "The prepaid credit left is \(Money(available, currency)), which does not cover the prompt and one token. Top up to go on.\(Self.waiting(isHeld))",
        retryAfter: isHeld ? .seconds(1) : nil)
    case .exceedsHeadroom, .exceedsHold, .duplicateUsage, .unknownUsage:
      self.init(.storeUnavailable, "The ledger refused the request.", context: "\(refusal)")
    }
  }

  /// What stands in the way may free itself: a refused request is not queued, so its caller is told that trying again makes sense.
  private static func waiting(_ isHeld: Bool) -> String {
    isHeld ? " Requests in progress hold the rest; what they do not use is free when they end." : ""
  }
}

extension Limit.Measure {
  /// The bound in words.
  var sentence: String {
    switch self {
    case .spend(let most, let currency, let window): "\(Money(most, currency)) per \(window.rawValue)"
    case .tokens(let most, let window): "\(most) tokens per \(window.rawValue)"
    case .requestsPerMinute(let most): "\(most) requests per minute"
    case .tokensPerMinute(let most): "\(most) tokens per minute"
    case .concurrentRequests(let most): "\(most) concurrent requests"
    case .activeUsers(let most): "\(most) active users per month"
    }
  }
}
