// GatewayHTTP: the public routes: translate, stream, and nothing else.
// Holds the OpenAI surface, the legal pages, health and metrics, and the one place where a refusal becomes a status.
// It must never decide: whatever it answers was decided by the gate, and it reaches no engine and no store of its own.

public import Documents
public import Governance
public import GovernanceTypes
public import Hummingbird
public import NIOCore

/// What the public routes need besides the gate.
public struct GatewayServices: Sendable {
  /// The text of an imported license document; nil where the operator has not imported it.
  public var document: @Sendable (TermFileID, _ role: String) async throws -> [UInt8]?
  /// Whether the gateway can serve, and what is in the way.
  public var readiness: @Sendable () -> Readiness
  /// The metrics page, in Prometheus' text format.
  public var metrics: @Sendable () async -> String
  /// The newest signed checkpoint of the log; nil before the first.
  public var checkpoint: @Sendable () async throws -> String?
  public var digest: DigestFunction
  /// Says when the client of a connection goes away.
  public var departures: Departures
  public var region: RequestRegion
  /// The most bytes of a request's body that are read.
  public var bodyLimit: Int
  /// Lets requests in, fairly between customers.
  public var desk: AdmissionDesk
  /// Models that are asked in turn while the one named cannot be reached.
  public var fallbacks: [String: [String]]
  /// Told of each completion that is over; nil where nobody wants to know.
  public var served: (@Sendable (ServedCompletion) -> Void)?

  public init(
    document: @escaping @Sendable (TermFileID, String) async throws -> [UInt8]?, readiness: @escaping @Sendable () -> Readiness,
    metrics: @escaping @Sendable () async -> String, checkpoint: @escaping @Sendable () async throws -> String?,
    digest: @escaping DigestFunction, departures: Departures, region: RequestRegion = RequestRegion(), bodyLimit: Int,
    desk: AdmissionDesk, fallbacks: [String: [String]] = [:]
  ) {
    self.document = document
    self.readiness = readiness
    self.metrics = metrics
    self.checkpoint = checkpoint
    self.digest = digest
    self.departures = departures
    self.region = region
    self.bodyLimit = bodyLimit
    self.desk = desk
    self.fallbacks = fallbacks
  }
}

public struct Readiness: Sendable {
  public var isReady: Bool
  public var reasons: [String]

  public init(isReady: Bool, reasons: [String]) {
    self.isReady = isReady
    self.reasons = reasons
  }
}

/// The context of a request: Hummingbird's own, and the connection that it came over.
public struct GatewayContext: RequestContext {
  public var coreContext: CoreRequestContextStorage
  public let channel: any Channel

  public init(source: Source) {
    self.coreContext = .init(source: source)
    self.channel = source.channel
  }

  /// The address of whoever sits at the other end of the connection: the client, or the proxy before it.
  public var remoteAddress: String? { self.channel.remoteAddress?.ipAddress }
}

/// The public routes.
public struct PublicRoutes: Sendable {
  let gate: Gate
  let services: GatewayServices
  let shelf = ResponseShelf()

  public init(gate: Gate, services: GatewayServices) {
    self.gate = gate
    self.services = services
  }

  public func add(to router: Router<GatewayContext>) {
    router.post("/v1/chat/completions") { request, context in
      await answering { try await self.chatCompletions(request, on: context.channel) }
    }
    router.post("/v1/completions") { request, context in
      await answering { try await self.completions(request, on: context.channel) }
    }
    router.post("/v1/embeddings") { request, context in
      await answering { try await self.embeddings(request, on: context.channel) }
    }
    router.post("/v1/moderations") { request, _ in await answering { try await self.moderations(request) } }
    self.addAppeals(to: router)
    router.post("/tokenize") { request, _ in await answering { try await self.tokenize(request) } }
    router.post("/detokenize") { request, _ in await answering { try await self.detokenize(request) } }
    self.addResponses(to: router)
    router.get("/v1/models") { request, _ in await answering { try self.models(request) } }
    router.get("/v1/models/{id}") { request, context in
      await answering { try self.model(request, id: context.parameters.get("id") ?? "") }
    }
    router.get("/v1/usage") { request, _ in await answering { try await self.usage(request) } }
    router.get("/v1/limits") { request, _ in await answering { try self.limits(request) } }
    self.addLegal(to: router)
    self.addOperations(to: router)
  }

  private func addResponses(to router: Router<GatewayContext>) {
    router.post("/v1/responses") { request, context in
      await answering { try await self.createResponse(request, on: context.channel) }
    }
    router.post("/v1/responses/input_tokens") { request, _ in await answering { try await self.countInputTokens(request) } }
    router.get("/v1/responses/{id}") { request, context in
      await answering { try self.response(request, id: context.parameters.get("id") ?? "") }
    }
    router.delete("/v1/responses/{id}") { request, context in
      await answering { try self.deleteResponse(request, id: context.parameters.get("id") ?? "") }
    }
    router.post("/v1/responses/{id}/cancel") { request, context in
      await answering { try self.cancelResponse(request, id: context.parameters.get("id") ?? "") }
    }
    router.post("/v1/messages") { request, context in
      await answeringMessages { try await self.messages(request, on: context.channel) }
    }
    router.post("/v1/messages/count_tokens") { request, _ in
      await answeringMessages { try await self.countTokens(request) }
    }
  }

  /// Parses a body of JSON, within the limit.
  func json(_ request: Request) async throws -> (document: Document, bytes: [UInt8]) {
    try await readJSON(request, limit: self.services.bodyLimit)
  }
}

/// Reads and parses a JSON body. A missing `Content-Type` counts as JSON; another type is refused.
public func readJSON(_ request: Request, limit: Int) async throws -> (document: Document, bytes: [UInt8]) {
  if let type = request.headers[.contentType], !type.lowercased().hasPrefix("application/json") {
    throw Refusal(.invalidRequest, "The body's Content-Type is '\(type)'; application/json belongs here.")
  }
  let bytes = try await readBody(request, limit: limit)
  guard bytes.count > loopBodyLimit else { return (try parse(bytes, limit: limit), bytes) }
  return (try await offLoop { @concurrent in try parse(bytes, limit: limit) }, bytes)
}

private func parse(_ bytes: [UInt8], limit: Int) throws(Refusal) -> Document {
  do throws(DocumentError) {
    return try Document.parseJSON(bytes, limits: JSONLimits(bytes: limit))
  } catch {
    throw Refusal(error)
  }
}

/// Reads a body of at most `limit` bytes.
public func readBody(_ request: Request, limit: Int) async throws -> [UInt8] {
  var bytes: [UInt8] = []
  for try await buffer in request.body {
    guard bytes.count + buffer.readableBytes <= limit else { throw BodyTooLarge(limit: limit) }
    bytes.append(contentsOf: buffer.readableBytesView)
  }
  return bytes
}

struct BodyTooLarge: Error { var limit: Int }
