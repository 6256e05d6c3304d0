internal import Documents
internal import GatewayHTTP
internal import Governance
internal import GovernanceTypes
internal import Hummingbird

extension AdminRoutes {
  /// What the operator sets about acceptable use, and what follows from findings.
  func addConduct(to router: Router<GatewayContext>) {
    router.get(
      "/admin/v1/policies/acceptable_use/{subject}",
      use: self.guarded { call in jsonResponse(try self.gate.conduct(of: try call.party())) })
    router.put(
      "/admin/v1/policies/acceptable_use/{subject}",
      use: self.guarded { call in
        jsonResponse(try await self.gate.setConduct(of: try call.party(), call.json(), by: call.actor))
      })
    self.addExemptions(to: router)
    router.get("/admin/v1/appeals", use: self.guarded { _ in listResponse(self.gate.appeals()) })
    router.post(
      "/admin/v1/appeals/{id}/outcome",
      use: self.guarded { call in
        jsonResponse(try await self.gate.decideAppeal(call.identifier(), call.json(), by: call.actor))
      })
    router.post(
      "/admin/v1/incidents",
      use: self.guarded { call in
        jsonResponse(try await self.gate.openIncident(call.json(), by: call.actor), status: .created)
      })
    router.get("/admin/v1/incidents", use: self.guarded { _ in listResponse(self.gate.incidents()) })
    router.post(
      "/admin/v1/incidents/{id}/sent",
      use: self.guarded { call in
        jsonResponse(try await self.gate.sendIncident(call.identifier(), call.json(), by: call.actor))
      })
  }

  private func addExemptions(to router: Router<GatewayContext>) {
    router.post(
      "/admin/v1/exemptions",
      use: self.guarded { call in
        jsonResponse(try await self.gate.recordExemption(call.json(), by: call.actor), status: .created)
      })
    router.get("/admin/v1/exemptions", use: self.guarded { _ in listResponse(self.gate.exemptions()) })
    router.post(
      "/admin/v1/exemptions/{id}/confirm",
      use: self.guarded { call in
        jsonResponse(try await self.gate.confirmExemption(call.identifier(), by: call.actor))
      })
    router.post(
      "/admin/v1/exemptions/{id}/revoke",
      use: self.guarded { call in
        jsonResponse(try await self.gate.revokeExemption(call.identifier(), by: call.actor))
      })
  }
}

extension AdminRequest {
  /// `all`, or a customer's id.
  fileprivate func party() throws -> CustomerID? {
    let text = self.context.parameters.get("subject") ?? ""
    if text == "all" { return nil }
    guard let id = CustomerID(text) else {
      throw Refusal(.notFound, "'\(text)' is neither 'all' nor the id of a customer.")
    }
    return id
  }
}
