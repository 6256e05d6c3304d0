internal import Documents
internal import GatewayHTTP
internal import Governance
internal import GovernanceTypes
internal import Hummingbird

extension AdminRoutes {
  func addCustomers(to router: Router<GatewayContext>) {
    router.post(
      "/admin/v1/customers",
      use: self.guarded { call in
        jsonResponse(try await self.gate.createCustomer(call.json(), by: call.actor), status: .created)
      })
    router.get("/admin/v1/customers", use: self.guarded { _ in listResponse(self.gate.customers().map(\.json)) })
    router.get(
      "/admin/v1/customers/{id}",
      use: self.guarded { call in
        jsonResponse(try self.gate.customer(call.identifier()).json)
      })
    router.post(
      "/admin/v1/customers/{id}/suspend",
      use: self.guarded { call in
        jsonResponse(try await self.gate.setStatus(of: call.identifier() as CustomerID, to: .suspended, by: call.actor).json)
      })
    router.post(
      "/admin/v1/customers/{id}/activate",
      use: self.guarded { call in
        jsonResponse(try await self.gate.setStatus(of: call.identifier() as CustomerID, to: .active, by: call.actor).json)
      })
    router.post(
      "/admin/v1/customers/{id}/projects",
      use: self.guarded { call in
        jsonResponse(try await self.gate.createProject(of: call.identifier(), call.json(), by: call.actor).json, status: .created)
      })
    router.get(
      "/admin/v1/customers/{id}/projects",
      use: self.guarded { call in
        listResponse(try self.gate.projects(of: call.identifier()).map(\.json))
      })
    self.addKeys(to: router)
  }

  private func addKeys(to router: Router<GatewayContext>) {
    router.post(
      "/admin/v1/customers/{id}/keys",
      use: self.guarded { call in
        let (key, secret) = try await self.gate.createKey(of: call.identifier(), call.json(), by: call.actor)
        guard case .object(let members) = key.json else { return jsonResponse(key.json) }
        return jsonResponse(.object(members + [JSONMember("secret", .string(secret))]), status: .created)
      })
    router.get(
      "/admin/v1/customers/{id}/keys",
      use: self.guarded { call in
        listResponse(try self.gate.keys(of: call.identifier()).map(\.json))
      })
    for (verb, status) in [("suspend", APIKey.Status.suspended), ("activate", .active), ("revoke", .revoked)] {
      router.post(
        "/admin/v1/keys/{id}/\(verb)",
        use: self.guarded { call in
          jsonResponse(try await self.gate.setStatus(of: call.identifier() as KeyID, to: status, by: call.actor).json)
        })
    }
  }
}
