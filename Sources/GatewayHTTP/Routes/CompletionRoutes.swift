internal import Completions
internal import Documents
internal import Governance
public import Hummingbird
internal import NIOCore
internal import OpenAIWire

extension PublicRoutes {
  /// `POST /v1/chat/completions`.
  func chatCompletions(_ request: Request, on channel: any Channel) async throws -> Response {
    let read = try await self.read(request)
    let chat = try reading { () throws(DocumentError) in try ChatCompletionRequest(read.document) }
    return try await self.answer(
      AnswerOrder(request: request, channel: channel, read: read, asked: chat.asked) { head, _ in
        ChatDialect(
          head, includesUsage: chat.includesUsage, hasLogprobs: chat.asked.completion.logprobs != nil,
          answers: chat.asked.completion.answers)
      })
  }

  /// `POST /v1/completions`.
  func completions(_ request: Request, on channel: any Channel) async throws -> Response {
    let read = try await self.read(request)
    let legacy = try reading { () throws(DocumentError) in try LegacyCompletionRequest(read.document) }
    var order = AnswerOrder(request: request, channel: channel, read: read, asked: legacy.asked) { head, _ in
      LegacyDialect(
        head, includesUsage: legacy.includesUsage, hasLogprobs: legacy.asked.completion.logprobs != nil, echo: legacy.echo,
        answers: legacy.asked.completion.answers)
    }
    order.operation = "text_completion"
    return try await self.answer(order)
  }

  /// Who asks, and what: the key is looked at, and a place taken, before the body is read.
  func read(_ request: Request) async throws -> ReadRequest {
    let secret = try apiSecret(request)
    let caller = try self.gate.authenticate(secret, for: .inference)
    let place = try self.services.desk.enter(caller.customer.id)
    let (document, bytes) = try await self.json(request)
    return ReadRequest(secret: secret, place: place, document: document, bytes: bytes)
  }
}

/// A request whose sender is known and whose body has been read.
struct ReadRequest: Sendable {
  let secret: String
  /// Kept for as long as the request is in progress, its answer included.
  let place: AdmissionDesk.Place
  let document: Document
  let bytes: [UInt8]
}

/// Turns a fault of a document into a refusal of the request.
func reading<Value>(_ read: () throws(DocumentError) -> Value) throws(Refusal) -> Value {
  do throws(DocumentError) { return try read() } catch { throw Refusal(error) }
}

/// The secret of an `Authorization: Bearer …` header, or of `x-api-key`, as Anthropic's clients send it.
func apiSecret(_ request: Request) throws -> String {
  if request.headers[.authorization] == nil, let key = request.headers[.xAPIKey] {
    guard key.utf8.count <= 512 else { throw Refusal(.invalidAPIKey, "The x-api-key header is too long for a key.") }
    return key
  }
  return try bearerSecret(request)
}

/// The secret of an `Authorization: Bearer …` header.
///
/// - Parameter most: The most bytes that it may have.
public func bearerSecret(_ request: Request, most: Int = 512) throws -> String {
  guard let header = request.headers[.authorization] else {
    throw Refusal(.invalidAPIKey, "There is no Authorization header. Send 'Authorization: Bearer' and your API key.")
  }
  guard header.prefix(7).lowercased() == "bearer ", header.utf8.count <= most + 7 else {
    throw Refusal(.invalidAPIKey, "The Authorization header is not of the form 'Bearer' and an API key.")
  }
  return String(header.dropFirst(7))
}
