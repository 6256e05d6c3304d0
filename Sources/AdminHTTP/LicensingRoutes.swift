internal import Completions
internal import Documents
internal import GatewayHTTP
internal import Governance
internal import GovernanceTypes
internal import Hummingbird
internal import LicenseTerms

extension AdminRoutes {
  func addLicensing(to router: Router<GatewayContext>) {
    router.post(
      "/admin/v1/attestations",
      use: self.guarded { call in
        jsonResponse(try await self.gate.attest(call.json(), by: call.actor), status: .created)
      })
    router.get(
      "/admin/v1/attestations", use: self.guarded { call in listResponse(self.gate.attestations(about: call.query("subject"))) })
    router.get("/admin/v1/terminations", use: self.guarded { _ in listResponse(self.gate.terminations()) })
    self.addRecordsOfParties(to: router)
    self.addInventory(to: router)
    router.post(
      "/admin/v1/terminations",
      use: self.guarded { call in
        jsonResponse(try await self.gate.terminate(call.json(), by: call.actor), status: .created)
      })
    router.post(
      "/admin/v1/licenses/reload",
      use: self.guarded { call in
        try await self.services.reloadTerms(call.actor)
        return self.licenses()
      })
    self.addGrants(to: router)
    router.get(
      "/admin/v1/standing",
      use: self.guarded { call in
        let subject = try call.requiredQuery("subject")
        guard let id = CustomerID(subject) else {
          throw Refusal(.notFound, "There is no customer '\(subject)'.", parameter: "subject")
        }
        return jsonResponse(
          try self.gate.explanation(of: id, model: ModelID(try call.requiredQuery("model")), action: try call.action()))
      })
    router.get(
      "/admin/v1/licenses",
      use: self.guarded { _ in self.licenses() })
    router.put(
      "/admin/v1/licenses/{id}/documents/{role}",
      use: self.guarded { call in
        let terms = TermFileID(call.context.parameters.get("id") ?? "")
        let role = call.context.parameters.get("role") ?? ""
        let text = try await readBody(call.request, limit: call.bodyLimit)
        try await self.services.importDocument(terms, role, text)
        return jsonResponse(
          [
            "terms": .string(terms.name), "role": .string(role), "object": "document",
            "sha256": .string(self.services.digest(text).hexadecimal),
          ], status: .created)
      })
    router.get(
      "/admin/v1/models",
      use: self.guarded { _ in
        listResponse(
          self.gate.models().map { model in
            [
              "id": .string(model.id.name), "object": "model", "weights_sha256": JSON(model.weights?.hexadecimal),
              "terms": .array(model.terms.map { .string($0.name) }), "lineage": model.lineage,
              "context_length": .integer(model.engine.contextLength),
              "is_priced": .bool(self.gate.price(of: model.id) != nil),
            ]
          })
      })
  }

  private func addInventory(to router: Router<GatewayContext>) {
    router.get(
      "/admin/v1/models/{id}/cyclonedx",
      use: self.guarded { call in
        jsonResponse(try self.gate.billOfMaterials(of: ModelID(call.context.parameters.get("id") ?? "")))
      })
  }

  /// Who belongs to whom, what was deleted, and what was read again.
  private func addRecordsOfParties(to router: Router<GatewayContext>) {
    router.post(
      "/admin/v1/affiliations",
      use: self.guarded { call in
        jsonResponse(try await self.gate.recordAffiliation(call.json(), by: call.actor), status: .created)
      })
    router.get("/admin/v1/affiliations", use: self.guarded { _ in listResponse(self.gate.affiliations()) })
    router.post(
      "/admin/v1/affiliations/{id}/end",
      use: self.guarded { call in
        jsonResponse(try await self.gate.endAffiliation(call.identifier(), call.json(), by: call.actor))
      })
    router.post(
      "/admin/v1/deletions",
      use: self.guarded { call in
        jsonResponse(try await self.gate.recordDeletion(call.json(), by: call.actor), status: .created)
      })
    router.get("/admin/v1/deletions", use: self.guarded { _ in listResponse(self.gate.deletions()) })
    router.post(
      "/admin/v1/reviews",
      use: self.guarded { call in
        jsonResponse(try await self.gate.recordReview(call.json(), by: call.actor), status: .created)
      })
    router.get("/admin/v1/reviews", use: self.guarded { _ in listResponse(self.gate.reviews()) })
  }

  private func licenses() -> Response {
    listResponse(
      self.gate.termFiles().map { file in
        [
          "id": .string(file.id.name), "object": "license", "title": .string(file.title), "revision": .integer(file.revision),
          "sha256": .string(file.digest.hexadecimal),
        ]
      })
  }

  private func addGrants(to router: Router<GatewayContext>) {
    router.post(
      "/admin/v1/grants",
      use: self.guarded { call in
        jsonResponse(try await self.gate.recordGrant(call.json(), by: call.actor), status: .created)
      })
    router.get("/admin/v1/grants", use: self.guarded { _ in listResponse(self.gate.grants()) })
    router.post(
      "/admin/v1/grants/{id}/confirm",
      use: self.guarded { call in
        jsonResponse(try await self.gate.confirmGrant(call.identifier(), by: call.actor))
      })
    router.post(
      "/admin/v1/grants/{id}/revoke",
      use: self.guarded { call in
        jsonResponse(try await self.gate.revokeGrant(call.identifier(), by: call.actor))
      })
    router.get(
      "/admin/v1/expiries",
      use: self.guarded { call in
        guard let days = Int(call.query("within_days") ?? "30"), (0...3660).contains(days) else {
          throw Refusal(.invalidRequest, "A number of days from 0 to 3660 belongs here.", parameter: "within_days")
        }
        return listResponse(self.gate.expiries(within: .seconds(days * 86_400)))
      })
    router.post(
      "/admin/v1/admin_keys",
      use: self.guarded { call in
        let (key, secret) = try await self.gate.createAdminKey(call.json(), by: call.actor)
        guard case .object(let members) = key.json else { return jsonResponse(key.json) }
        return jsonResponse(.object(members + [JSONMember("secret", .string(secret))]), status: .created)
      })
    router.get("/admin/v1/admin_keys", use: self.guarded { _ in listResponse(self.gate.adminKeys().map(\.json)) })
    router.post(
      "/admin/v1/admin_keys/{id}/revoke",
      use: self.guarded { call in
        jsonResponse(try await self.gate.revokeAdminKey(call.identifier(), by: call.actor).json)
      })
  }
}

extension AdminRequest {
  /// The action that the query names; nil where it names none.
  fileprivate func action() throws -> Action? {
    guard let name = self.query("action") else { return nil }
    guard let action = Action(rawValue: name) else {
      let known = Action.allCases.map(\.rawValue).joined(separator: ", ")
      throw Refusal(.invalidRequest, "'\(name)' is not one of: \(known).", parameter: "action")
    }
    return action
  }
}
