internal import Governance
internal import GovernanceTypes
internal import Synchronization

/// How many requests are in progress, and whose: under overload each customer has an equal part of what the gateway takes.
///
/// As long as there is room everyone is let in. When there is none, a customer who has less than an equal part is still let in, out of a
/// reserve of a quarter; one who has more is told to come again. So one customer's flood does not shut out the others, and the sum is
/// bounded.
public final class AdmissionDesk: Sendable {
  private struct State {
    var total = 0
    var byCustomer: [CustomerID: Int] = [:]
  }

  private let state = Mutex(State())
  private let limit: Int

  /// - Parameter limit: Requests in progress at once, without the reserve.
  public init(limit: Int) { self.limit = limit }

  /// A place that is given back when it is dropped.
  final class Place: Sendable {
    private let desk: AdmissionDesk
    let customer: CustomerID

    fileprivate init(_ desk: AdmissionDesk, _ customer: CustomerID) {
      self.desk = desk
      self.customer = customer
    }

    deinit { self.desk.leave(self.customer) }
  }

  public var requestsInProgress: Int { self.state.withLock { $0.total } }

  /// - Throws: `overloaded`.
  func enter(_ customer: CustomerID) throws(Refusal) -> Place {
    let isIn = self.state.withLock { state in
      let own = state.byCustomer[customer, default: 0]
      guard state.total < self.limit || self.hasLessThanItsPart(own, state) else { return false }
      state.total += 1
      state.byCustomer[customer] = own + 1
      return true
    }
    guard isIn else {
      throw Refusal(
        .overloaded, "The gateway has as many requests in progress as it takes. Retry in a moment.", retryAfter: .seconds(1))
    }
    return Place(self, customer)
  }

  private func hasLessThanItsPart(_ own: Int, _ state: State) -> Bool {
    guard state.total < self.limit + self.limit / 4 else { return false }
    let customers = state.byCustomer.count + (own == 0 ? 1 : 0)
    return own < max(1, self.limit / customers)
  }

  private func leave(_ customer: CustomerID) {
    self.state.withLock { state in
      state.total -= 1
      let left = state.byCustomer[customer, default: 1] - 1
      state.byCustomer[customer] = left > 0 ? left : nil
    }
  }
}
