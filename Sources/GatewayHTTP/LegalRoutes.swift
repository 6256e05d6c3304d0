internal import Documents
internal import Governance
internal import GovernanceTypes
internal import Hummingbird
internal import LicenseTerms
internal import NIOCore

extension PublicRoutes {
  /// The pages that a customer, or anyone, may read about the licenses in force. No key is asked for; one that is sent makes the
  /// delivery of a text provable for its customer.
  func addLegal(to router: Router<GatewayContext>) {
    router.get("/legal/licenses") { _, _ in
      jsonResponse(["object": "list", "data": .array(self.gate.termFiles().map(\.summary)), "has_more": false])
    }
    router.get("/legal/licenses/{id}") { _, context in
      await answering { jsonResponse(try self.terms(context).wholeReading) }
    }
    router.get("/legal/licenses/{id}/documents/{role}") { request, context in
      await answering { try await self.document(request, context) }
    }
    router.get("/legal/models/{id}/notice") { _, context in
      await answering { try self.notice(context.parameters.get("id") ?? "") }
    }
  }

  private func terms(_ context: GatewayContext) throws -> TermFile {
    let id = TermFileID(context.parameters.get("id") ?? "")
    guard let file = self.gate.termFile(id) else { throw Refusal(.notFound, "There is no term file '\(id)' in force.") }
    return file
  }

  /// The verbatim text, as the operator imported it; each delivery is recorded in the log.
  private func document(_ request: Request, _ context: GatewayContext) async throws -> Response {
    let file = try self.terms(context)
    let role = context.parameters.get("role") ?? ""
    guard file.documents.contains(where: { $0.role == role }) else {
      let roles = file.documents.map(\.role).joined(separator: ", ")
      throw Refusal(.notFound, "The terms '\(file.id)' have no document '\(role)'; they have: \(roles).")
    }
    guard let text = try await self.services.document(file.id, role) else {
      throw Refusal(
        .notFound,
        "The text of '\(role)' has not been imported. The operator can do so with: weighbridge license import \(file.id) \(role) FILE"
      )
    }
    let recipient = try request.headers[.authorization].map { _ in
      try self.gate.authenticate(bearerSecret(request), for: .inference).customer.id
    }
    let digest = self.services.digest(text)
    let delivery = try await self.gate.recordDelivery(of: role, digest: digest, terms: file.id, to: recipient)
    var response = Response(
      status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: ResponseBody(byteBuffer: ByteBuffer(bytes: text)))
    response.headers[.eTag] = "\"\(digest)\""
    response.headers[.xWeighbridgeDelivery] = delivery.description
    return response
  }

  /// The attribution notices of a model's terms.
  private func notice(_ id: String) throws -> Response {
    guard let model = self.gate.model(ModelID(id)) else {
      throw Refusal(.modelNotFound, "The model '\(id)' does not exist here.")
    }
    let texts = model.terms.compactMap { self.gate.termFile($0) }.flatMap { $0.notices.map(\.text) }
    guard !texts.isEmpty else { throw Refusal(.notFound, "The terms of '\(id)' ask for no notice.") }
    return textResponse(texts.joined(separator: "\n") + "\n")
  }
}

extension TermFile {
  fileprivate var summary: JSON {
    [
      "id": .string(self.id.name), "object": "license", "title": .string(self.title), "revision": .integer(self.revision),
      "status": .string(self.status), "sha256": .string(self.digest.hexadecimal),
      "documents": .array(self.documents.map { ["role": .string($0.role), "name": .string($0.name), "url": .string($0.url)] }),
    ]
  }

  /// The whole reading, in our words, with references to the sections of the text.
  fileprivate var wholeReading: JSON {
    let clauses = self.clauses.map { clause -> JSON in
      [
        "id": .string(clause.id), "ref": .string(clause.ref), "kind": .string(clause.kind.rawValue),
        "summary": .string(clause.summary),
      ]
    }
    let uses = self.uses.map { use -> JSON in
      ["id": .string(use.id), "text": .string(use.text), "category": .string(use.category)]
    }
    let note = self.reading?.note
    guard case .object(let members) = self.summary else { return self.summary }
    return .object(
      members + [
        JSONMember("note", JSON(note)), JSONMember("clauses", .array(clauses)), JSONMember("uses", .array(uses)),
        JSONMember("notices", .array(self.notices.map { ["file": .string($0.file), "text": .string($0.text)] })),
      ])
  }
}
