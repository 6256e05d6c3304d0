internal import Completions
internal import Documents
internal import Governance
internal import GovernanceTypes
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import OpenAIWire

/// What a route that is answered by a model has read of its request, and how it writes the answer.
struct AnswerOrder<Dialect: AnswerDialect>: Sendable {
  let request: Request
  let channel: any Channel
  let read: ReadRequest
  let asked: AskedCompletion
  /// - Parameter promptTokens: The prompt's tokens as far as they are known before the answer.
  let dialect: @Sendable (AnswerHead, _ promptTokens: Int) -> Dialect
  /// Told of a whole answer once its settlement is on disk; nil where nobody may ask for it again.
  var keep: (@Sendable (JSON, AnswerHead, CustomerID) -> Void)?
  /// What telemetry calls it.
  var operation = "chat"

  /// As many as were asked for, empty. Only a dialect of one answer has it kept.
  var noAnswers: [AnswerPiece] { (0..<max(1, self.asked.completion.answers)).map { AnswerPiece(answer: $0) } }
}

extension PublicRoutes {
  /// The one way by which a route asks a model: through the gate, in whatever dialect.
  func answer<Dialect>(_ order: AnswerOrder<Dialect>) async throws -> Response {
    guard order.read.bytes.count > loopBodyLimit else { return try await self.answerHere(order) }
    return try await offLoop { @concurrent in try await self.answerHere(order) }
  }

  private func answerHere<Dialect>(_ order: AnswerOrder<Dialect>) async throws -> Response {
    let call = Call(
      secret: order.read.secret, model: order.asked.model, request: order.asked.completion, endUser: order.asked.endUser,
      declaredPurpose: order.asked.declaredPurpose, circumstances: self.services.region.circumstances(of: order.request),
      idempotencyKey: try idempotencyKey(order.request), bodyDigest: self.services.digest(order.read.bytes))
    switch try await self.admit(call) {
    case .live(let live):
      guard !order.asked.stream else { return self.stream(live, order) }
      return try await self.services.departures.watching(order.channel, whenGone: { live.stop() }) { @concurrent in
        try await self.whole(live, order)
      }
    case .replay(let reply): return self.replay(reply, order)
    }
  }

  /// Admits a call to its model, or while that cannot be reached to one of its fallbacks: each is a call of its own, under the
  /// license and at the price of the model that it goes to.
  func admit(_ call: Call) async throws -> Admission {
    var call = call
    var others = self.services.fallbacks[call.model] ?? []
    while true {
      do throws(Refusal) {
        return try await self.gate.admit(call)
      } catch {
        guard error.isOfTheEngine, !others.isEmpty else { throw error }
        call.model = others.removeFirst()
      }
    }
  }

  private func head(_ usage: UsageID, model: ModelID) -> AnswerHead {
    AnswerHead(
      id: String(usage.description.dropFirst(4)), created: Int64(truncatingIfNeeded: usage.value >> 80) / 1000, model: model.name)
  }

  /// Tells telemetry of an end.
  private func tell<Dialect>(_ event: GovernedEvent, _ order: AnswerOrder<Dialect>, _ first: FirstPiece) {
    guard let served = self.services.served else { return }
    let (record, finish): (UsageRecord, String)
    switch event {
    case .piece: return
    case .finished(let ended, let reason): (record, finish) = (ended, reason.reason.rawValue)
    case .failed(let ended, _): (record, finish) = (ended, "error")
    }
    served(
      ServedCompletion(
        operation: order.operation, askedModel: order.asked.model, record: record, finish: finish, firstPiece: first.after,
        traceParent: order.request.headers[.traceParent]))
  }

  // MARK: Not streamed

  private func whole<Dialect>(_ live: LiveRequest, _ order: AnswerOrder<Dialect>) async throws -> Response {
    var answers = order.noAnswers
    var end: (record: UsageRecord, finish: Finish)?
    var failure: Refusal?
    var first = FirstPiece()
    await live.run(handover: .atTheEnd) { @concurrent event in
      switch event {
      case .piece(let piece):
        first.came()
        if answers.indices.contains(piece.answer) { answers[piece.answer].append(AnswerPiece(piece)) }
      case .finished(let record, let finish): end = (record, finish)
      case .failed(_, let refusal): failure = refusal
      }
      self.tell(event, order, first)
    }
    if let failure { throw failure }
    guard let end else {
      // Only a client that is gone is told nothing.
      throw Refusal(.engineFailed, "The engine ended without a result.", context: "run returned without an end")
    }
    let head = self.head(live.usage, model: live.model)
    let body = order.dialect(head, live.promptTokens).whole(answers, AnswerEnd(end.record, end.finish))
    order.keep?(body, head, end.record.customer)
    var response = jsonResponse(body)
    self.addGovernedHeaders(&response, live, asked: order.asked.model)
    response.addReceipt(end.record.receipt)
    return response
  }

  // MARK: Streamed

  private func stream<Dialect>(_ live: LiveRequest, _ order: AnswerOrder<Dialect>) -> Response {
    let departures = self.services.departures
    let head = self.head(live.usage, model: live.model)
    let first = order.dialect(head, live.promptTokens)
    let body = ResponseBody { writer in
      var dialect = first
      var answers = order.noAnswers
      var firstPiece = FirstPiece()
      var pending = dialect.opening()
      // The writer cannot be captured by the closure that the gate calls, so it is handed through a local copy.
      var output = writer
      let heartbeat = Heartbeat(order.channel)
      defer { heartbeat.stop() }
      _ = await departures.watching(order.channel, whenGone: { live.stop() }) { @concurrent in
        await live.run(handover: .asItComes) { @concurrent event in
          switch event {
          case .piece(let released):
            firstPiece.came()
            let piece = AnswerPiece(released)
            if order.keep != nil { answers[0].append(piece) }
            pending += dialect.piece(piece)
          case .finished(let record, let finish):
            let end = AnswerEnd(record, finish)
            order.keep?(dialect.whole(answers, end), head, record.customer)
            pending += dialect.closing(end)
          case .failed(_, let refusal): pending += dialect.failure(refusal.wireError)
          }
          self.tell(event, order, firstPiece)
          guard !pending.isEmpty else { return }
          try await output.write(ByteBuffer(bytes: pending))
          heartbeat.beat()
          pending = []
        }
      }
      heartbeat.stop()
      try await output.finish(nil)
      withExtendedLifetime(order.read.place) {}
    }
    var response = Response(status: .ok, headers: streamHeaders, body: body)
    self.addGovernedHeaders(&response, live, asked: order.asked.model)
    return response
  }

  /// The recorded answer of an earlier request, in the form that this one asks for.
  private func replay<Dialect>(_ reply: RecordedReply, _ order: AnswerOrder<Dialect>) -> Response {
    let head = self.head(reply.record.usage, model: reply.model)
    let end = AnswerEnd(reply.record, reply.finish)
    var dialect = order.dialect(head, reply.record.tokens.prompt.value)
    var response: Response
    if order.asked.stream {
      var bytes = dialect.opening()
      for answer in reply.answers { bytes += dialect.piece(AnswerPiece(answer)) }
      bytes += dialect.closing(end)
      response = Response(status: .ok, headers: streamHeaders, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    } else {
      response = jsonResponse(dialect.whole(reply.answers.map { AnswerPiece($0) }, end))
    }
    response.headers[.xWeighbridgeUsage] = reply.record.usage.description
    response.headers[.xWeighbridgeDecision] = reply.record.decision.description
    response.headers[.idempotentReplay] = "true"
    response.addReceipt(reply.record.receipt)
    response.addDuties(terms: reply.terms, headers: reply.responseHeaders)
    return response
  }
}

extension Refusal {
  /// Whether the engine could not serve the request, and another might.
  fileprivate var isOfTheEngine: Bool {
    switch self.code {
    case .modelUnavailable, .overloaded, .engineFailed: true
    default: false
    }
  }
}

private let streamHeaders: HTTPFields = [
  .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache", .xAccelBuffering: "no",
]

/// The key that binds retries of a request to one charge.
func idempotencyKey(_ request: Request) throws -> String? {
  guard let key = request.headers[.idempotencyKey] else { return nil }
  guard !key.isEmpty, key.utf8.count <= 255 else {
    throw Refusal(.invalidRequest, "The Idempotency-Key must have 1 to 255 characters.", parameter: "Idempotency-Key")
  }
  return key
}
