internal import Completions
internal import Documents
internal import Governance
internal import GovernanceTypes
internal import HTTPTypes
public import Hummingbird
internal import NIOCore
internal import OpenAIWire

extension PublicRoutes {
  /// `POST /v1/chat/completions`.
  func chatCompletions(_ request: Request, on channel: any Channel) async throws -> Response {
    let secret = try bearerSecret(request)
    _ = try self.gate.authenticate(secret, for: .inference)
    let (document, bytes) = try await self.json(request)
    let asked: ChatCompletionRequest
    do throws(DocumentError) { asked = try ChatCompletionRequest(document) } catch { throw Refusal(error) }
    let key = request.headers[.idempotencyKey]
    if let key, key.isEmpty || key.utf8.count > 255 {
      throw Refusal(.invalidRequest, "The Idempotency-Key must have 1 to 255 characters.", parameter: "Idempotency-Key")
    }
    let call = Call(
      secret: secret, model: asked.model, request: asked.completion, endUser: asked.endUser,
      declaredPurpose: asked.declaredPurpose, circumstances: self.services.region.circumstances(of: request),
      idempotencyKey: key, bodyDigest: self.services.digest(bytes))
    switch try await self.gate.admit(call) {
    case .live(let live):
      guard !asked.stream else { return self.stream(live, asked, on: channel) }
      return try await self.services.departures.watching(channel, whenGone: { live.stop() }) { @concurrent in
        try await self.whole(live, asked)
      }
    case .replay(let reply): return self.replay(reply, asked)
    }
  }

  private func head(_ usage: UsageID, model: ModelID) -> ChatCompletionHead {
    let created = Int64(truncatingIfNeeded: usage.value >> 80) / 1000
    return ChatCompletionHead(id: "chatcmpl-\(usage.description.dropFirst(4))", created: created, model: model.name)
  }

  // MARK: Not streamed

  private func whole(_ live: LiveRequest, _ asked: ChatCompletionRequest) async throws -> Response {
    var text = ""
    var end: (record: UsageRecord, finish: Finish)?
    var failure: Refusal?
    await live.run(handover: .atTheEnd) { @concurrent event in
      switch event {
      case .text(let piece): text += piece
      case .finished(let record, let finish): end = (record, finish)
      case .failed(_, let refusal): failure = refusal
      }
    }
    if let failure { throw failure }
    guard let end else {
      // Only a client that is gone is told nothing.
      throw Refusal(.engineFailed, "The engine ended without a result.", context: "run returned without an end")
    }
    var response = jsonResponse(
      ChatCompletionWire.response(
        self.head(live.usage, model: live.model), text: text, finish: end.finish.reason.rawValue, usage: end.record.wireUsage,
        extra: [JSONMember("weighbridge", governedFields(end.record, end.finish))]))
    self.addGovernedHeaders(&response, live)
    response.addReceipt(end.record.receipt)
    return response
  }

  // MARK: Streamed

  private func stream(_ live: LiveRequest, _ asked: ChatCompletionRequest, on channel: any Channel) -> Response {
    let departures = self.services.departures
    let head = self.head(live.usage, model: live.model)
    let usage = asked.includesUsage
    let body = ResponseBody { writer in
      var pending = ServerSentEvent.data(ChatCompletionWire.opening(head, includesUsage: usage))
      // The writer cannot be captured by the closure that the gate calls, so it is handed through a local copy.
      var output = writer
      _ = await departures.watching(channel, whenGone: { live.stop() }) { @concurrent in
        await live.run(handover: .asItComes) { @concurrent event in
          switch event {
          case .text(let text):
            pending += ServerSentEvent.data(ChatCompletionWire.delta(head, text: text, includesUsage: usage))
            try await output.write(ByteBuffer(bytes: pending))
            pending = []
          case .finished(let record, let finish):
            pending += closing(head, record, finish, includesUsage: usage)
            try await output.write(ByteBuffer(bytes: pending))
          case .failed(_, let refusal):
            pending += ServerSentEvent.data(refusal.wireError.json)
            try await output.write(ByteBuffer(bytes: pending))
          }
        }
      }
      try await output.finish(nil)
    }
    var response = Response(status: .ok, headers: streamHeaders, body: body)
    self.addGovernedHeaders(&response, live)
    return response
  }

  /// The recorded answer of an earlier request, in the form that this one asks for.
  private func replay(_ reply: RecordedReply, _ asked: ChatCompletionRequest) -> Response {
    let head = self.head(reply.record.usage, model: reply.model)
    var response: Response
    if asked.stream {
      let bytes =
        ServerSentEvent.data(ChatCompletionWire.opening(head, includesUsage: asked.includesUsage))
        + ServerSentEvent.data(ChatCompletionWire.delta(head, text: reply.text, includesUsage: asked.includesUsage))
        + closing(head, reply.record, reply.finish, includesUsage: asked.includesUsage)
      response = Response(status: .ok, headers: streamHeaders, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    } else {
      response = jsonResponse(
        ChatCompletionWire.response(
          head, text: reply.text, finish: reply.finish.reason.rawValue, usage: reply.record.wireUsage,
          extra: [JSONMember("weighbridge", governedFields(reply.record, reply.finish))]))
    }
    response.headers[.xWeighbridgeUsage] = reply.record.usage.description
    response.headers[.xWeighbridgeDecision] = reply.record.decision.description
    response.addReceipt(reply.record.receipt)
    response.headers[.idempotentReplay] = "true"
    self.addDuties(&response, terms: reply.terms, headers: reply.responseHeaders)
    return response
  }

  private func addGovernedHeaders(_ response: inout Response, _ live: LiveRequest) {
    response.headers[.xWeighbridgeDecision] = live.decision.description
    response.headers[.xWeighbridgeUsage] = live.usage.description
    response.addRates(live.rates)
    self.addDuties(&response, terms: live.terms, headers: live.responseHeaders)
  }

  /// What the licenses of the model want to go with each answer.
  private func addDuties(_ response: inout Response, terms: [TermFileID], headers: [(name: String, value: String)]) {
    response.headers[.link] = terms.map(licenseLink).joined(separator: ", ")
    for (name, value) in headers {
      guard let field = HTTPField.Name("x-\(name)") else { continue }
      response.headers[field] = value
    }
  }
}

private let streamHeaders: HTTPFields = [
  .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache", .xAccelBuffering: "no",
]

private func closing(_ head: ChatCompletionHead, _ record: UsageRecord, _ finish: Finish, includesUsage: Bool) -> [UInt8] {
  var bytes = ServerSentEvent.data(
    ChatCompletionWire.closing(
      head, finish: finish.reason.rawValue, includesUsage: includesUsage,
      extra: [JSONMember("weighbridge", governedFields(record, finish))]))
  if includesUsage { bytes += ServerSentEvent.data(ChatCompletionWire.usageChunk(head, record.wireUsage)) }
  return bytes + ServerSentEvent.done
}

/// What the answer cost and why it ended, beside OpenAI's members.
private func governedFields(_ record: UsageRecord, _ finish: Finish) -> JSON {
  var members = [
    JSONMember("usage_id", .string(record.usage.description)), JSONMember("decision_id", .string(record.decision.description)),
    JSONMember("amount", .string(record.amount.description)), JSONMember("currency", .string(record.currency.description)),
  ]
  members += receiptMembers(record.receipt)
  if let detail = finish.detail { members.append(JSONMember("finish_detail", .string(detail.rawValue))) }
  if let citation = finish.citation {
    members.append(JSONMember("clause", .string(citation.clause)))
    members.append(JSONMember("ref", .string(citation.ref)))
  }
  return .object(members)
}

extension UsageRecord {
  fileprivate var wireUsage: CompletionUsage {
    CompletionUsage(
      promptUncached: self.tokens.promptUncached.value, promptCached: self.tokens.promptCached.value,
      completion: self.tokens.completion.value)
  }
}

/// The secret of an `Authorization: Bearer …` header.
public func bearerSecret(_ request: Request) throws -> String {
  guard let header = request.headers[.authorization] else {
    throw Refusal(.invalidAPIKey, "There is no Authorization header. Send 'Authorization: Bearer' and your API key.")
  }
  guard header.lowercased().hasPrefix("bearer "), header.utf8.count <= 512 else {
    throw Refusal(.invalidAPIKey, "The Authorization header is not of the form 'Bearer' and an API key.")
  }
  return String(header.dropFirst(7))
}
