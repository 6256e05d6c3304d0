// GatewayHTTP: the public routes: translate, stream, and nothing else.
// Holds the OpenAI surface, the legal pages, health and metrics, and the one place where a refusal becomes a status.
// It must never decide: whatever it answers was decided by the gate, and it reaches no engine and no store of its own.

public import Documents
public import Governance
public import GovernanceTypes
public import Hummingbird
internal import NIOCore

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

  public init(
    document: @escaping @Sendable (TermFileID, String) async throws -> [UInt8]?, readiness: @escaping @Sendable () -> Readiness,
    metrics: @escaping @Sendable () async -> String, checkpoint: @escaping @Sendable () async throws -> String?,
    digest: @escaping DigestFunction, departures: Departures, region: RequestRegion = RequestRegion(), bodyLimit: Int
  ) {
    self.document = document
    self.readiness = readiness
    self.metrics = metrics
    self.checkpoint = checkpoint
    self.digest = digest
    self.departures = departures
    self.region = region
    self.bodyLimit = bodyLimit
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
  let channel: any Channel

  public init(source: Source) {
    self.coreContext = .init(source: source)
    self.channel = source.channel
  }
}

/// The public routes.
public struct PublicRoutes: Sendable {
  let gate: Gate
  let services: GatewayServices

  public init(gate: Gate, services: GatewayServices) {
    self.gate = gate
    self.services = services
  }

  public func add(to router: Router<GatewayContext>) {
    router.post("/v1/chat/completions") { request, context in
      await answering { try await self.chatCompletions(request, on: context.channel) }
    }
    router.get("/v1/models") { request, _ in await answering { try self.models(request) } }
    router.get("/v1/models/{id}") { request, context in
      await answering { try self.model(request, id: context.parameters.get("id") ?? "") }
    }
    router.get("/v1/usage") { request, _ in await answering { try await self.usage(request) } }
    router.get("/v1/limits") { request, _ in await answering { try self.limits(request) } }
    self.addLegal(to: router)
    self.addOperations(to: router)
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
  do throws(DocumentError) {
    return (try Document.parseJSON(bytes, limits: JSONLimits(bytes: limit)), bytes)
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
