internal import AuditSigning
internal import Billing
internal import Documents
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import Logging
internal import ServiceLifecycle

/// Tells the operator's receivers of balances that run low, budgets that are reached and documents that became final.
///
/// What is told follows from the books: an id made of its content keeps it from being told twice, also after a restart.
actor AlertService {
  private let gate: Gate
  private let store: SQLiteStore
  private let receivers: [(settings: GatewayConfiguration.WebhookReceiver, desk: DeliveryDesk)]
  private var balances: BalanceWatch
  private var budgets: BudgetWatch
  /// Documents that were told of; nil until it has been looked up.
  private var told: Int?

  private static let bookmark = "alerts: final documents"

  init(
    gate: Gate, store: SQLiteStore, receivers: [(settings: GatewayConfiguration.WebhookReceiver, desk: DeliveryDesk)],
    marks: [Money], steps: [Int]
  ) {
    self.gate = gate
    self.store = store
    self.receivers = receivers
    self.balances = BalanceWatch(marks: marks)
    self.budgets = steps.isEmpty ? BudgetWatch() : BudgetWatch(steps: steps)
  }

  /// Looks at the books and puts what is to be told on its way.
  func look() async throws {
    // What was noticed and could not be kept is noticed again.
    let before = (self.balances, self.budgets)
    do {
      try await self.put(self.alerts(), bookmark: nil)
    } catch {
      (self.balances, self.budgets) = before
      throw error
    }
    try await self.tellOfDocuments()
  }

  private func alerts() -> [Webhook] {
    var hooks: [Webhook] = []
    for item in self.gate.creditBalances {
      guard let crossing = self.balances.observe(item.customer, item.balance) else { continue }
      // A balance that was topped up and falls again is told of again.
      let identity = "balance \(item.customer) \(crossing.mark) of \(item.granted)"
      hooks.append(
        self.webhook(
          crossing.kind, identity, of: item.customer,
          ["balance": self.json(crossing.balance), "mark": self.json(crossing.mark)]))
    }
    for state in self.gate.budgetStates {
      guard let crossing = self.budgets.observe(state.customer, spent: state.spent, of: state.budget, in: state.month) else {
        continue
      }
      hooks.append(
        self.webhook(
          .budgetReached, "budget \(state.customer) \(state.month) \(state.budget) \(crossing.percent)", of: state.customer,
          [
            "month": .string(state.month.description), "percent": .integer(crossing.percent),
            "spent": self.json(crossing.spent), "budget": self.json(crossing.budget),
          ]))
    }
    return hooks
  }

  private func tellOfDocuments() async throws {
    let stored = self.told == nil ? try await self.store.bookmark(Self.bookmark) : nil
    let told = self.told ?? stored.flatMap { Int($0) } ?? 0
    let documents = self.gate.finalDocuments(from: told).prefix(1000)
    guard !documents.isEmpty else {
      self.told = told
      return
    }
    let hooks = documents.map { summary in
      self.webhook(
        summary.corrects == nil ? .invoiceFinalised : .creditNoteFinalised, "document \(summary.id)", of: summary.customer,
        summary.json)
    }
    try await self.put(Array(hooks), bookmark: (Self.bookmark, String(told + documents.count)))
    self.told = told + documents.count
  }

  private func put(_ hooks: [Webhook], bookmark: (name: String, value: String)?) async throws {
    for (settings, desk) in self.receivers {
      let messages = hooks.filter { settings.kinds.contains($0.kind) }.map { hook in
        (id: hook.id.description, payload: String(decoding: hook.body, as: UTF8.self), lane: String?.none)
      }
      try await desk.put(messages)
    }
    // After all receivers have it: what is told twice to one of them has the same id there.
    guard let bookmark else { return }
    try await self.store.submit([JournalRecord(nil, effects: [.bookmark(name: bookmark.name, value: bookmark.value)])]).durable()
  }

  private func webhook(_ kind: Webhook.Kind, _ identity: String, of customer: CustomerID, _ data: JSON) -> Webhook {
    let digest = sha256(Array("\(kind.rawValue) \(identity)".utf8))
    let id = DeliveryID(digest.bytes.prefix(16).reduce(0) { $0 << 8 | UInt128($1) })
    return Webhook(id: id, kind: kind, customer: customer, created: wallClock(), data: data)
  }

  private func json(_ money: Money) -> JSON {
    ["amount": .string(money.amount.description), "currency": .string(money.currency.description)]
  }
}
