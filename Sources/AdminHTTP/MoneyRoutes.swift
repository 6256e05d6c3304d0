internal import Documents
internal import GatewayHTTP
internal import Governance
internal import GovernanceTypes
internal import Hummingbird
internal import UsageLedger

extension AdminRoutes {
  func addMoney(to router: Router<GatewayContext>) {
    router.post(
      "/admin/v1/limits",
      use: self.guarded { call in
        jsonResponse(try await self.gate.createLimit(call.json(), by: call.actor).json, status: .created)
      })
    router.get(
      "/admin/v1/limits",
      use: self.guarded { call in
        let subject = try call.query("subject").map { text throws -> LedgerSubject in
          guard let subject = LedgerSubject(text) else {
            throw Refusal(.invalidRequest, "'\(text)' is no subject.", parameter: "subject")
          }
          return subject
        }
        return listResponse(self.gate.limits(of: subject).map(\.json))
      })
    router.delete(
      "/admin/v1/limits/{id}",
      use: self.guarded { call in
        let id: LimitID = try call.identifier()
        try await self.gate.removeLimit(id, by: call.actor)
        return jsonResponse(["id": .string(id.description), "object": "limit", "deleted": true])
      })
    router.post(
      "/admin/v1/prices",
      use: self.guarded { call in
        jsonResponse(try await self.gate.createPrice(call.json(), by: call.actor), status: .created)
      })
    router.post(
      "/admin/v1/prices/preview", use: self.guarded { call in jsonResponse(try await self.gate.previewPrice(call.json())) })
    router.post(
      "/admin/v1/prices/{id}/rerate",
      use: self.guarded { call in
        jsonResponse(try await self.gate.rerate(call.identifier(), call.json(), by: call.actor))
      })
    router.get("/admin/v1/prices", use: self.guarded { _ in listResponse(self.gate.prices()) })
    router.post(
      "/admin/v1/customers/{id}/credits",
      use: self.guarded { call in
        jsonResponse(try await self.gate.grantCredit(to: call.identifier(), call.json(), by: call.actor), status: .created)
      })
    router.post(
      "/admin/v1/adjustments",
      use: self.guarded { call in jsonResponse(try await self.gate.adjust(call.json(), by: call.actor), status: .created) })
    router.get(
      "/admin/v1/adjustments",
      use: self.guarded { call in
        func id<Kind>(_ name: String) throws -> Identifier<Kind>? {
          try call.query(name).map { text throws in
            guard let id = Identifier<Kind>(text) else {
              throw Refusal(.invalidRequest, "'\(text)' is no id of the form \(Kind.prefix)_….", parameter: name)
            }
            return id
          }
        }
        return listResponse(try self.gate.adjustments(customer: id("customer"), usage: id("usage")))
      })
    router.get(
      "/admin/v1/customers/{id}/credits",
      use: self.guarded { call in listResponse(try self.gate.credits(of: call.identifier())) })
    router.get("/admin/v1/usage", use: self.guarded { call in try await self.usage(call) })
  }

  /// `GET /admin/v1/usage?customer=…&from=…&to=…&group_by=model,day`.
  private func usage(_ call: AdminRequest) async throws -> Response {
    var query = UsageQuery()
    if let text = call.query("customer") {
      guard let id = CustomerID(text) else { throw Refusal(.notFound, "There is no customer '\(text)'.", parameter: "customer") }
      query.customer = id
      query.grouping.append(.customer)
    }
    if let text = call.query("key") {
      guard let id = KeyID(text) else { throw Refusal(.notFound, "There is no key '\(text)'.", parameter: "key") }
      query.key = id
    }
    query.model = call.query("model").map { ModelID($0) }
    query.from = try timestamp(call.request, "from")
    query.to = try timestamp(call.request, "to")
    for name in call.query("group_by")?.split(separator: ",") ?? [] {
      guard let grouping = UsageQuery.Grouping(rawValue: String(name)) else {
        let known = UsageQuery.Grouping.allCases.map(\.rawValue).joined(separator: ", ")
        throw Refusal(.invalidRequest, "'\(name)' is not one of: \(known).", parameter: "group_by")
      }
      if !query.grouping.contains(grouping) { query.grouping.append(grouping) }
    }
    return jsonResponse(UsageReport(rows: try await self.gate.usage(query), query: query).json)
  }
}
