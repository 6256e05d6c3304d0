internal import AuditSigning
internal import Documents
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes

/// Adds a month of settled requests to the store of a gateway that does not run: entries and rows as the gate writes them, in turn for
/// the customers given, each in its own part of the month.
///
/// - Parameters:
///   - price: what every request is charged at: 20,000 nano-units a prompt token, 60,000 a token of the answer. Its id as text: 128 bits
///     among the arguments of an asynchronous function end the process (Swift 6.3.1).
///   - month: its first instant.
func fillStore(
  in directory: String, records: Int, customers: [CustomerID], price text: String, model: ModelID, month: Timestamp
) async throws {
  let price: PriceID = try known(PriceID(text), "a price's id: \(text)")
  let store = try SQLiteStore.open(directory: directory, boot: BootID(1), digest: sha256, options: StoreOptions(batchLimit: 999))
  let step = Int64(28 * 86_400) * 1_000_000_000 / Int64(records)
  var tickets: [CommitTicket] = []
  tickets.reserveCapacity(records)
  let elapsed = try await secondsAsync {
    for number in 0..<records {
      let at = Timestamp(nanoseconds: month.nanoseconds + Int64(number) * step)
      let request = FilledRequest(
        number: number, customer: customers[number % customers.count], price: price, model: model, at: at)
      tickets.append(store.submit(try request.records()))
      if number >= 4000 { try await tickets[number - 4000].durable() }
    }
    for ticket in tickets.suffix(4000) { try await ticket.durable() }
  }
  await store.close()
  say("\(records) settled requests of \(customers.count) customers written in \(elapsed) s, peak memory \(peakMemory()) MiB")
}

private func secondsAsync(_ work: () async throws -> Void) async rethrows -> Double {
  let start = ContinuousClock.now
  try await work()
  let (whole, attoseconds) = (ContinuousClock.now - start).components
  return Double(whole) + Double(attoseconds) / 1e18
}

private struct FilledRequest {
  let number: Int
  let customer: CustomerID
  let price: PriceID
  let model: ModelID
  let at: Timestamp

  /// A hold and its settlement.
  func records() throws -> [JournalRecord] {
    let (prompt, completion) = (10 + self.number % 97, 20 + self.number % 211)
    let amount = NanoAmount(Int128(prompt * 20_000 + completion * 60_000))
    func id<Kind>(_: Kind.Type = Kind.self) -> Identifier<Kind> { Identifier(at: self.at, random: UInt128(self.number)) }
    let hold = HoldRecord(
      usage: id(), boot: BootID(1), decision: id(), customer: self.customer, project: nil,
      key: KeyID(self.customer.value), model: self.model, price: self.price,
      currency: try known(Currency("USD"), "USD"), amount: amount, tokens: TokenCount(prompt + completion),
      promptTokens: TokenCount(prompt), heldAt: self.at, isPrepaid: false)
    let usage = UsageRecord(
      closing: hold, amount: amount, tokens: TokenUsage(promptUncached: TokenCount(prompt), completion: TokenCount(completion)),
      undelivered: .zero, outcome: .settled, finish: "stop", policy: .delivered, source: .engine, settledAt: self.at)
    func text(_ name: String, _ value: some CustomStringConvertible) -> JSONMember {
      JSONMember(name, .string(value.description))
    }
    let chain = [
      text("usage", hold.usage), text("decision", hold.decision), text("customer", hold.customer), text("key", hold.key),
      text("model", hold.model), text("price", hold.price), text("currency", hold.currency), text("amount_nano", amount.nano),
    ]
    let opening = LogEntry(.hold, at: self.at, chain + [text("prompt_tokens", prompt), text("completion_ceiling", completion)])
    let closing = LogEntry(
      .settle, at: self.at,
      chain + [
        text("prompt_uncached", prompt), text("prompt_cached", 0), text("completion", completion), text("undelivered", 0),
        text("finish", "stop"), text("settlement_policy", "delivered"), text("usage_source", "engine_counted"),
        text("held_at", self.at),
      ], lookup: usage.usage.description)
    return [JournalRecord(opening, effects: [.holdOpened(hold)]), JournalRecord(closing, effects: [.usage(usage)])]
  }
}
