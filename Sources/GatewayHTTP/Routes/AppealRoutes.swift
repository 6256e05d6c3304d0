internal import Documents
internal import Governance
internal import GovernanceTypes
internal import Hummingbird

extension PublicRoutes {
  /// `/v1/appeals`: a customer's word that a refusal was a mistake, and what came of it.
  func addAppeals(to router: Router<GatewayContext>) {
    router.post("/v1/appeals") { request, _ in
      await answering {
        let caller = try self.gate.authenticate(try apiSecret(request), for: .inference)
        let read = try await self.read(request)
        return jsonResponse(try await self.gate.appeal(read.document, from: caller), status: .created)
      }
    }
    router.get("/v1/appeals") { request, _ in
      await answering {
        let caller = try self.gate.authenticate(try apiSecret(request), for: .inference)
        return jsonResponse([
          "object": "list", "data": .array(self.gate.appeals(of: caller.customer.id)), "has_more": false, "next_cursor": nil,
        ])
      }
    }
    router.get("/v1/appeals/{id}") { request, context in
      await answering {
        let caller = try self.gate.authenticate(try apiSecret(request), for: .inference)
        let text = context.parameters.get("id") ?? ""
        guard let id = AppealID(text) else { throw Refusal(.notFound, "There is no appeal '\(text)'.") }
        return jsonResponse(try self.gate.appeal(id, of: caller.customer.id))
      }
    }
  }
}
