internal import Billing
public import Documents
public import GovernanceTypes
internal import Synchronization

extension Gate {
  /// Why a request is charged what it is charged: the price it was held at, its units and where they lie in the month, who counted them,
  /// by which rule they were chosen, what was corrected since, and where the proof is. The charge is computed anew from the ledger's own
  /// records; where it is not the one that was settled, the answer says so instead of explaining it away.
  ///
  /// O(requests of the customer's month).
  ///
  /// - Parameter reader: the customer who asks; nil for the operator, who may ask about any.
  /// - Throws: `not_found` where there is no such request, or it is another customer's.
  public func charge(of usage: UsageID, for reader: CustomerID?) async throws(Refusal) -> JSON {
    let missing = Refusal(.notFound, "There is no usage \(usage) of yours.")
    if let hold = self.state.withLock({ $0.openHolds[usage] }) {
      guard reader ?? hold.customer == hold.customer else { throw missing }
      return ChargeStatement.open(hold)
    }
    guard let record = try await self.fromArchive({ try await $0.usageRecord(usage) }),
      reader ?? record.customer == record.customer
    else { throw missing }
    guard record.outcome == .settled else { return ChargeStatement.voided(record) }
    guard let price = self.price(record.price) else {
      throw Refusal(.storeUnavailable, "The price \(record.price) of \(usage) is not known.", context: "no price \(record.price)")
    }
    let earlier = try await self.fromArchive { try await $0.settled(before: record) }
    let before = earlier.map { PeriodQuantities(tokens: $0.tokens, requests: $0.requests) } ?? .none
    let breakdown = ChargeBreakdown(of: record.tokens, at: price, after: before)
    let corrections = self.state.withLock { $0.adjustments.all.filter { $0.usage == usage } }
    return ChargeStatement.settled(record, price, breakdown, corrections)
  }
}

/// The answer to "why was I charged this", for people and for machines.
private enum ChargeStatement {
  static func open(_ hold: HoldRecord) -> JSON {
    .object(
      self.members(
        "held", usage: hold.usage, hold.decision, hold.customer, hold.project, hold.key, hold.model, heldAt: hold.heldAt,
        hold.currency) + [
          JSONMember("held", .string(hold.amount.description)),
          JSONMember(
            "why", ["The request is in progress: what it may come to is held, and nothing is charged until it ends."]),
        ])
  }

  static func voided(_ record: UsageRecord) -> JSON {
    .object(
      self.members("voided", record) + [
        JSONMember("amount", .string(NanoAmount.zero.description)), JSONMember("finish", .string(record.finish)),
        JSONMember("undelivered", .integer(record.undelivered.value)),
        JSONMember("why", ["Nothing was delivered, so nothing is charged, and what was held is free again."]),
      ])
  }

  static func settled(
    _ record: UsageRecord, _ price: Price, _ breakdown: ChargeBreakdown, _ corrections: [StoredAdjustment]
  ) -> JSON {
    let corrected = corrections.reduce(record.amount) { $0 + $1.amount }
    return .object(
      self.members("settled", record) + [
        JSONMember("amount", .string(record.amount.description)),
        JSONMember("amount_now", .string(corrected.description)),
        JSONMember("computed", .string(breakdown.charge.description)),
        JSONMember("agrees", .bool(self.agrees(record, breakdown))),
        JSONMember("settled_at", .string(record.settledAt.description)),
        JSONMember("price", StoredPrice(price: price).json),
        JSONMember("parts", .array(breakdown.parts.map(self.part))),
        JSONMember("finish", .string(record.finish)), JSONMember("settlement_policy", .string(record.policy.rawValue)),
        JSONMember("usage_source", .string(record.source.rawValue)),
        JSONMember("undelivered", .integer(record.undelivered.value)),
        JSONMember("corrections", .array(corrections.map(self.correction))),
        JSONMember("receipt", .string("/v1/usage/receipts/\(record.usage)")),
        JSONMember("why", .array(self.sentences(record, price, breakdown, corrections, corrected).map { .string($0) })),
      ])
  }

  private static func members(_ status: String, _ record: UsageRecord) -> [JSONMember] {
    self.members(
      status, usage: record.usage, record.decision, record.customer, record.project, record.key, record.model,
      heldAt: record.heldAt, record.currency)
  }

  private static func members(
    _ status: String, usage: UsageID, _ decision: DecisionID, _ customer: CustomerID, _ project: ProjectID?, _ key: KeyID,
    _ model: ModelID, heldAt: Timestamp, _ currency: Currency
  ) -> [JSONMember] {
    [
      JSONMember("id", .string(usage.description)), JSONMember("object", "usage.charge"), JSONMember("status", .string(status)),
      JSONMember("customer", .string(customer.description)), JSONMember("key", .string(key.description)),
    ] + (project.map { [JSONMember("project", .string($0.description))] } ?? []) + [
      JSONMember("model", .string(model.name)), JSONMember("decision", .string(decision.description)),
      JSONMember("held_at", .string(heldAt.description)), JSONMember("currency", .string(currency.description)),
    ]
  }

  private static func part(_ part: ChargeBreakdown.Part) -> JSON {
    [
      "category": .string(part.category.rawValue), "quantity": .integer(part.quantity), "month_before": .integer(part.before),
      "amount": .string(part.amount.description), "rule": .string(part.rule),
    ]
  }

  /// Without who made it: that is the operator's affair.
  private static func correction(_ correction: StoredAdjustment) -> JSON {
    [
      "id": .string(correction.id.description), "amount": .string(correction.amount.description),
      "reason": .string(correction.reason), "adjusted_at": .string(correction.adjustedAt.description),
    ]
  }

  /// A charge is what the price says, or less by what the operator bears: more than was held, or what a crash left in doubt.
  private static func agrees(_ record: UsageRecord, _ breakdown: ChargeBreakdown) -> Bool {
    record.amount == breakdown.charge || (record.amount < breakdown.charge && breakdown.charge - record.amount <= record.loss)
  }

  // MARK: Sentences

  private static func sentences(
    _ record: UsageRecord, _ price: Price, _ breakdown: ChargeBreakdown, _ corrections: [StoredAdjustment],
    _ corrected: NanoAmount
  ) -> [String] {
    let whose = price.customer == nil ? "" : ", for this customer alone"
    var sentences = [
      "The request came at \(record.heldAt); the price then was \(price.id), in force from \(price.effectiveFrom)\(whose)."
    ]
    sentences += breakdown.parts.map { part in
      let units = "\(self.name(part.category)): \(part.quantity), behind \(part.before) of the month"
      return "\(units); \(part.rule): \(part.amount) \(record.currency)."
    }
    if breakdown.parts.count > 1 { sentences.append("Together: \(breakdown.charge) \(record.currency).") }
    if !self.agrees(record, breakdown) {
      sentences.append(
        "Settled were \(record.amount) \(record.currency), which is not what the records give. Ask the operator to look into it.")
    } else if record.amount < breakdown.charge {
      sentences.append("Only \(record.amount) \(record.currency) of that were held and are charged; the operator bears the rest.")
    }
    sentences.append(self.counting(record.source))
    sentences.append(self.ending(record))
    if record.undelivered > .zero {
      sentences.append("\(record.undelivered) tokens more were, or may have been, made and are not charged.")
    }
    sentences += corrections.map { correction in
      "Corrected at \(correction.adjustedAt) by \(correction.amount) \(record.currency): \(correction.reason)"
    }
    if !corrections.isEmpty { sentences.append("So it comes to \(corrected) \(record.currency) now.") }
    return sentences
  }

  private static func name(_ category: UsageCategory) -> String {
    switch category {
    case .promptUncached: "Prompt tokens"
    case .promptCached: "Prompt tokens that were in the cache"
    case .completion: "Completion tokens"
    case .training: "Training tokens"
    case .request: "Requests"
    }
  }

  private static func counting(_ source: UsageRecord.Source) -> String {
    switch source {
    case .engine: "The gateway's own engine counted the tokens as it made them."
    case .provider: "The server that ran the model reported the tokens; the gateway checked that the count is plausible."
    case .gateway: "The gateway counted the tokens with the model's tokenizer."
    case .estimate: "The server that ran the model did not say how many tokens there were; the gateway estimated them."
    case .mark: "The gateway stopped during the answer; the tokens are those that were with the client for certain by then."
    }
  }

  private static func ending(_ record: UsageRecord) -> String {
    let why =
      switch record.finish {
      case "stop": "the model came to its end"
      case "length": "it had as many tokens as were asked for"
      case "tool_calls": "the model called a tool"
      case "content_filter": "the acceptable-use policy stopped it"
      case "spend_limit": "a spending limit was reached at this token"
      case "client_abort": "the client went away"
      case "engine_error": "the engine failed"
      case "crash": "the gateway stopped"
      default: "of '\(record.finish)'"
      }
    let rule =
      switch record.policy {
      case .delivered: "charged is what was handed to the client"
      case .lastDurableMark: "charged is what was handed over up to the last mark on disk"
      case .nothingDelivered: "nothing was delivered"
      }
    return "The answer ended because \(why); \(rule)."
  }
}
