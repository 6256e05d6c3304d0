internal import Documents
internal import Governance
internal import Hummingbird
internal import NIOCore
internal import OpenAIWire

extension PublicRoutes {
  /// `POST /v1/messages`: Anthropic's dialect of the same.
  func messages(_ request: Request, on channel: any Channel) async throws -> Response {
    let read = try await self.read(request)
    let messages = try reading { () throws(DocumentError) in try MessagesRequest(read.document) }
    return try await self.answer(
      AnswerOrder(request: request, channel: channel, read: read, asked: messages.asked) { head, promptTokens in
        MessagesDialect(head, promptTokens: promptTokens)
      })
  }

  /// `POST /v1/messages/count_tokens`.
  func countTokens(_ request: Request) async throws -> Response {
    let read = try await self.read(request)
    let messages = try reading { () throws(DocumentError) in try MessagesRequest(read.document, counts: true) }
    let prompt = try await self.gate.measure(messages.asked.completion, model: messages.asked.model, secret: read.secret)
    return jsonResponse(["input_tokens": .integer(prompt.promptTokens)])
  }
}

/// Runs a handler of Anthropic's dialect: what it throws comes out in that dialect's shape.
func answeringMessages(_ handler: () async throws -> Response) async -> Response {
  do {
    return try await handler()
  } catch let refusal as Refusal {
    if let context = refusal.context { RequestNotes.current?.add(context) }
    var response = refusal.response
    response.body = jsonResponse(refusal.wireError.anthropic).body
    response.headers[.contentLength] = nil
    return response
  } catch {
    return await answering { throw error }
  }
}
