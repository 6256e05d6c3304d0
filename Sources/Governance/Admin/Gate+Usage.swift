public import Documents
public import GovernanceTypes
internal import LicenseTerms
internal import Synchronization
public import UsageLedger

extension Gate {
  /// Settled usage, summed as asked.
  public func usage(_ query: UsageQuery) async throws(Refusal) -> [UsageRow] {
    try await self.fromArchive { try await $0.usage(query) }
  }

  /// Usage records in the order that is asked for, voided ones included, in pages.
  public func usageRecords(_ query: UsageQuery, after: UsageID?, limit: Int) async throws(Refusal) -> [UsageRecord] {
    try await self.fromArchive { try await $0.usageRecords(query, after: after, limit: limit) }
  }

  /// What the archive gives; where it fails, the refusal that says so.
  func fromArchive<Value: Sendable>(
    _ read: @Sendable (any Archive) async throws -> Value
  ) async throws(Refusal) -> Value {
    do { return try await read(self.archive) } catch {
      throw Refusal(.storeUnavailable, "The ledger cannot be read.", context: "\(error)")
    }
  }

  /// The earliest settlement that is not known to be on disk; nil where all are.
  public var firstUnwrittenSettlement: Timestamp? {
    self.state.withLock { state in
      (state.unwritten.waiting + state.unwritten.conflicting).filter {
        if case .success? = $0.attempt.outcome { false } else { true }
      }.compactMap { $0.record?.settledAt }.min()
    }
  }

  /// The entry of a decision, with the standing verdict that it rested on.
  public func decision(_ id: DecisionID) async throws(Refusal) -> JSON {
    guard let decision = try await self.entry(id.description) else {
      throw Refusal(.notFound, "There is no entry \(id) in the log.")
    }
    guard case .object(var members) = decision else { return decision }
    // A verdict may not be on disk yet (it is submitted before the decision that rests on it, and follows); most answers are let
    // through, and then there is no decision on them; few requests are sampled.
    if case .string(let standing)? = decision["standing"], let entry = try await self.entry(standing) {
      members.append(JSONMember("standing_verdict", entry["standing"] ?? .null))
    }
    if let response = try await self.entry(Dossier.lookup(id, .response)) { members.append(JSONMember("response", response)) }
    if let sample = try await self.entry(Dossier.sampleLookup(id)) { members.append(JSONMember("sample", sample)) }
    return .object([JSONMember("object", "decision")] + members)
  }

  /// The entry that is looked up by this; nil where the log has none.
  private func entry(_ lookup: String) async throws(Refusal) -> JSON? {
    let line: String?
    do { line = try await self.archive.entry(lookup: lookup) } catch {
      throw Refusal(.storeUnavailable, "The log cannot be read.", context: "\(error)")
    }
    guard let line else { return nil }
    return try self.reading { () throws(DocumentError) in JSON(try Document.parseJSON(Array(line.utf8))) }
  }

  /// Settled and held money of a subject since the beginning, over all its currencies.
  public func committedSpend(of subject: LedgerSubject) -> NanoAmount {
    self.state.withLock { $0.ledger.committedSpend(of: subject) }
  }

  /// A customer's accounts in double entry, by currency: debits positive, credits negative, in sum zero.
  public func accounts(of customer: CustomerID) -> [Currency: [Account: NanoAmount]] {
    self.state.withLock { $0.ledger.accounts(of: customer) }
  }

  /// The limits on a caller, from the key up, with what is used of each.
  public func limitStates(of caller: Caller) -> [JSON] {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      return caller.chain.flatMap { subject in
        state.ledger.limits(of: subject).map { limit in
          guard case .object(var members) = limit.json else { return limit.json }
          switch limit.measure {
          case .spend(let most, let currency, let window):
            let balance = state.ledger.balance(subject, currency, window: window, at: now, zone: limit.zone)
            members.append(JSONMember("settled", .string(balance.settled.description)))
            members.append(JSONMember("held", .string(balance.held.description)))
            members.append(JSONMember("remaining", .string(max(.zero, most - balance.settled - balance.held).description)))
          case .tokens(let most, let window):
            let used = state.ledger.tokens(subject, window: window, at: now, zone: limit.zone)
            members.append(JSONMember("remaining", .string(String(max(0, most.value - used)))))
          default: break
          }
          return .object(members)
        }
      }
    }
  }
}
