internal import Documents
internal import Governance
internal import GovernanceTypes
internal import Hummingbird

extension PublicRoutes {
  /// `GET /v1/models`.
  func models(_ request: Request) throws -> Response {
    _ = try self.gate.authenticate(bearerSecret(request), for: .inference)
    return jsonResponse(["object": "list", "data": .array(self.gate.models().map(\.wire))])
  }

  /// `GET /v1/models/{id}`.
  func model(_ request: Request, id: String) throws -> Response {
    _ = try self.gate.authenticate(bearerSecret(request), for: .inference)
    guard let model = self.gate.model(ModelID(id)) else {
      throw Refusal(.modelNotFound, "The model '\(id)' does not exist here.", parameter: "model")
    }
    return jsonResponse(model.wire)
  }
}

extension ServedModel {
  /// OpenAI's model object, and the terms under which the model is served.
  fileprivate var wire: JSON {
    [
      "id": .string(self.id.name), "object": "model", "created": .integer(Int(self.registeredAt.seconds)),
      "owned_by": .string(self.owner), "terms": .array(self.terms.map { .string($0.name) }),
    ]
  }
}
