internal import Completions
internal import Documents
internal import Governance
internal import GovernanceTypes
internal import Hummingbird
internal import NIOCore
internal import OpenAIWire

extension PublicRoutes {
  /// `POST /v1/embeddings`.
  func embeddings(_ request: Request, on channel: any Channel) async throws -> Response {
    let read = try await self.read(request)
    let asked = try reading { () throws(DocumentError) in try EmbeddingsRequest(read.document) }
    var call = Call(
      secret: read.secret, model: asked.model, request: asked.completion, endUser: asked.endUser,
      circumstances: self.services.region.circumstances(of: request), bodyDigest: self.services.digest(read.bytes))
    call.embeddings = asked.inputs
    guard case .live(let live) = try await self.admit(call) else {
      throw Refusal(.conflict, "An embedding has no recorded answer.", context: "a replay of a call without an idempotency key")
    }
    defer { withExtendedLifetime(read.place) {} }
    return try await self.services.departures.watching(channel, whenGone: { live.stop() }) { @concurrent in
      try await self.vectors(live, asked)
    }
  }

  private func vectors(_ live: LiveRequest, _ asked: EmbeddingsRequest) async throws -> Response {
    var end: (record: UsageRecord, finish: Finish)?
    var failure: Refusal?
    await live.run(handover: .atTheEnd) { @concurrent event in
      switch event {
      case .piece: break
      case .finished(let record, let finish): end = (record, finish)
      case .failed(_, let refusal): failure = refusal
      }
    }
    if let failure { throw failure }
    guard let end, let vectors = live.vectors else {
      throw Refusal(.engineFailed, "The engine ended without a result.", context: "run returned without vectors")
    }
    let cut = try vectors.map { try Self.shortened($0, to: asked.dimensions) }
    var response = jsonResponse(
      EmbeddingsWire.response(
        cut, model: live.model.name, encoding: asked.encoding, promptTokens: end.record.tokens.prompt.value,
        extra: [JSONMember("weighbridge", governedFields(end.record, end.finish))]))
    self.addGovernedHeaders(&response, live, asked: asked.model)
    response.addReceipt(end.record.receipt)
    return response
  }

  /// The first numbers of a vector, brought back to length 1.
  private static func shortened(_ vector: [Float], to dimensions: Int?) throws -> [Float] {
    guard let dimensions, dimensions != vector.count else { return vector }
    guard dimensions < vector.count else {
      throw Refusal(.invalidRequest, "The vectors of this model have \(vector.count) numbers.", parameter: "dimensions")
    }
    let part = vector.prefix(dimensions)
    let length = part.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 ? part.map { $0 / length } : Array(part)
  }
}

extension EmbeddingsRequest {
  /// The same texts as the rules read them; tokens have none.
  fileprivate var completion: CompletionRequest {
    let texts = self.inputs.compactMap { input -> ChatMessage? in
      if case .text(let text) = input { ChatMessage(role: .user, content: text) } else { nil }
    }
    return CompletionRequest(prompt: .chat(texts), maximumCompletionTokens: 1)
  }
}
