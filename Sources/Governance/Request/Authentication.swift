internal import GovernanceTypes
internal import Synchronization

extension Gate {
  /// Finds the caller by its secret, in memory. O(1).
  ///
  /// Unknown, suspended and revoked keys are told apart only to those who hold the secret.
  public func authenticate(_ secret: String, for scope: APIKey.Scope) throws(Refusal) -> Caller {
    let digest = self.environment.digest(Array(secret.utf8))
    let found = self.state.withLock { state -> (APIKey, Customer)? in
      guard let key = state.directory.key(secretDigest: digest), let customer = state.directory.customers[key.customer] else {
        return nil
      }
      return (key, customer)
    }
    guard let (key, customer) = found else {
      throw self.turnedAway(.invalidAPIKey, "The API key is not known here. Check the key, or ask the operator for a new one.")
    }
    guard key.status == .active else {
      throw self.turnedAway(.invalidAPIKey, "The API key is \(key.status.rawValue). Ask the operator for a new one.")
    }
    guard customer.status == .active else {
      throw self.turnedAway(.permissionDenied, "The customer account is suspended. Ask the operator why.")
    }
    guard key.scopes.contains(scope) else {
      throw self.turnedAway(.permissionDenied, "The API key does not have the scope '\(scope.rawValue)'.")
    }
    return Caller(key: key, customer: customer)
  }

  /// Counts and words a refusal of someone who is not let in; nothing of it goes to the log, which is for those who are.
  private func turnedAway(_ code: Refusal.Code, _ message: String) -> Refusal {
    self.counters.request(outcome: code.rawValue)
    return Refusal(code, message)
  }
}
