internal import Billing
public import Documents
public import GovernanceTypes
internal import Synchronization

extension Gate {
  /// Sets how a customer is invoiced. What was finalised before stays as it is.
  public func setBillingProfile(of customer: CustomerID, _ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    _ = try self.knownCustomer(customer)
    let profile = try self.reading { () throws(DocumentError) in try BillingProfile(body, of: customer) }
    let object = self.stored(.billingProfile, id: customer.description, customer: customer, body: profile.json)
    try await self.commit([(object, .admin, [JSONMember("act", "billing_profile")])], by: actor)
    return profile.json
  }

  public func billingProfile(of customer: CustomerID) throws(Refusal) -> JSON { try self.profile(of: customer).json }

  func profile(of customer: CustomerID) throws(Refusal) -> BillingProfile {
    _ = try self.knownCustomer(customer)
    guard let profile = self.state.withLock({ $0.profiles[customer] }) else {
      throw Refusal(
        .conflict,
        "It is not known how \(customer) is invoiced. PUT its address to /admin/v1/customers/\(customer)/billing first.",
        parameter: "customer")
    }
    return profile
  }
}
