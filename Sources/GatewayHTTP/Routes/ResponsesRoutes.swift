internal import Documents
internal import Governance
internal import GovernanceTypes
internal import Hummingbird
internal import NIOCore
internal import OpenAIWire

extension PublicRoutes {
  /// `POST /v1/responses`.
  func createResponse(_ request: Request, on channel: any Channel) async throws -> Response {
    let read = try await self.read(request)
    let asked = try reading { () throws(DocumentError) in try ResponsesRequest(read.document) }
    var order = AnswerOrder(request: request, channel: channel, read: read, asked: asked.asked) { head, _ in
      ResponsesDialect(head, echo: asked.echo)
    }
    if asked.store {
      let shelf = self.shelf
      order.keep = { body, head, customer in shelf.keep(body, id: "resp_" + head.id, of: customer) }
    }
    return try await self.answer(order)
  }

  /// `GET /v1/responses/{id}`: an answer that was given not long ago, to the customer that it was given to.
  func response(_ request: Request, id: String) throws -> Response {
    let caller = try self.gate.authenticate(apiSecret(request), for: .inference)
    guard let body = self.shelf.take(id, of: caller.customer.id) else { throw Self.noResponse(id) }
    return jsonResponse(body)
  }

  /// `DELETE /v1/responses/{id}`.
  func deleteResponse(_ request: Request, id: String) throws -> Response {
    let caller = try self.gate.authenticate(apiSecret(request), for: .inference)
    guard self.shelf.remove(id, of: caller.customer.id) else { throw Self.noResponse(id) }
    return jsonResponse(["id": .string(id), "object": "response", "deleted": true])
  }

  /// `POST /v1/responses/{id}/cancel`: only a response in the background can be cancelled, and there are none; one that streams is
  /// cancelled by closing its connection.
  func cancelResponse(_ request: Request, id: String) throws -> Response {
    let caller = try self.gate.authenticate(apiSecret(request), for: .inference)
    guard self.shelf.take(id, of: caller.customer.id) != nil else { throw Self.noResponse(id) }
    throw Refusal(
      .invalidRequest, "The response '\(id)' is complete; only a response that runs in the background can be cancelled.")
  }

  /// `POST /v1/responses/input_tokens`.
  func countInputTokens(_ request: Request) async throws -> Response {
    let read = try await self.read(request)
    let asked = try reading { () throws(DocumentError) in try ResponsesRequest(read.document) }
    let prompt = try await self.gate.measure(asked.asked.completion, model: asked.asked.model, secret: read.secret)
    return jsonResponse(["object": "response.input_tokens", "input_tokens": .integer(prompt.promptTokens)])
  }

  private static func noResponse(_ id: String) -> Refusal {
    Refusal(
      .notFound,
      "There is no response '\(id)'. Responses are kept in memory for ten minutes, unless \"store\" is false, and not on disk.")
  }
}
