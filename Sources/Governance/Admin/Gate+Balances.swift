internal import Billing
public import GovernanceTypes
internal import Synchronization
internal import UsageLedger

/// What a customer has spent of the month that it means to spend so much in.
public struct BudgetState: Sendable, Equatable {
  public var customer: CustomerID
  public var month: CalendarMonth
  public var spent: Money
  public var budget: Money
}

extension Gate {
  /// What every prepaid customer can still spend, with what was ever granted in that currency. O(customers).
  public var creditBalances: [(customer: CustomerID, balance: Money, granted: NanoAmount)] {
    self.state.withLock { state in
      var granted: [CustomerID: [Currency: NanoAmount]] = [:]
      for credit in state.credits.values {
        granted[credit.customer, default: [:]][credit.amount.currency, default: .zero] += credit.amount.amount
      }
      return state.ledger.availableCredits.map { item in
        (item.customer, item.balance, granted[item.customer]?[item.balance.currency] ?? .zero)
      }
    }
  }

  /// What customers with a budget have settled in the running month, in UTC. O(customers with a budget).
  public var budgetStates: [BudgetState] {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      return state.profiles.values.compactMap { profile in
        profile.budget.map { budget in
          let balance = state.ledger.balance(.customer(profile.customer), budget.currency, window: .month, at: now)
          return BudgetState(
            customer: profile.customer, month: now.month, spent: Money(balance.settled, budget.currency), budget: budget)
        }
      }
    }
  }

  /// Final documents in the order in which they were made final, from a place on.
  public func finalDocuments(from place: Int) -> [InvoiceSummary] {
    self.state.withLock { state in
      state.invoices.order.dropFirst(max(0, place)).compactMap { state.invoices.summary($0) }
    }
  }
}
