internal import Governance
public import Hummingbird
internal import Synchronization

/// What the operator's log says of one request: no prompt, no answer, no key.
public struct AccessLine: Sendable {
  public var id: String
  public var method: String
  /// Without the query.
  public var path: String
  public var status: Int
  /// From the request's head to the response's.
  public var duration: Duration
  public var decision: String?
  public var usage: String?
  /// What a refusal adds for the operator alone.
  public var notes: [String]
}

/// What is to be told the operator of the request that the task works on.
final class RequestNotes: Sendable {
  @TaskLocal static var current: RequestNotes?
  private let notes = Mutex<[String]>([])

  func add(_ note: String) { self.notes.withLock { $0.append(note) } }
  var all: [String] { self.notes.withLock { $0 } }
}

/// Gives each response a request id, each unknown path OpenAI's error object, and the operator's log a line.
public struct RequestIdentity: RouterMiddleware {
  private let makeID: @Sendable () -> String
  private let log: (@Sendable (AccessLine) -> Void)?
  private let logsAll: Bool

  /// - Parameters:
  ///   - log: Told of each request that a refusal has something to say about, or that broke.
  ///   - logsAll: Whether it is told of every other request too.
  public init(logsAll: Bool = false, log: (@Sendable (AccessLine) -> Void)? = nil, makeID: @escaping @Sendable () -> String) {
    self.makeID = makeID
    self.log = log
    self.logsAll = logsAll
  }

  @concurrent
  public func handle(
    _ request: Request, context: GatewayContext, next: @concurrent (Request, GatewayContext) async throws -> Response
  ) async throws -> Response {
    guard !loopPaths.contains(request.uri.path) else { return await self.handleHere(request, context: context, next: next) }
    return await offLoop { @concurrent in await self.handleHere(request, context: context, next: next) }
  }

  @concurrent
  private func handleHere(
    _ request: Request, context: GatewayContext, next: @concurrent (Request, GatewayContext) async throws -> Response
  ) async -> Response {
    let start = ContinuousClock.now
    let id = "req_" + self.makeID()
    let notes = RequestNotes()
    var response = await RequestNotes.$current.withValue(notes) {
      await answering {
        do {
          return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
          throw Refusal(.notFound, "There is no \(request.method) \(request.uri.path) here.")
        }
      }
    }
    response.add(.xRequestID, id)
    guard let log else { return response }
    let said = notes.all
    guard self.logsAll || !said.isEmpty else { return response }
    log(
      AccessLine(
        id: id, method: request.method.rawValue, path: request.uri.path, status: response.status.code,
        duration: ContinuousClock.now - start, decision: response.headers[.xWeighbridgeDecision],
        usage: response.headers[.xWeighbridgeUsage], notes: said))
    return response
  }
}
