internal import HTTPTypes
public import NIOCore
public import NIOHTTPTypes
internal import Synchronization

/// Tells the routes of a connection that its client is gone, and ends connections that do not finish what they began to send.
///
/// A client that closes its side has gone away, as it has for most servers: nobody reads an answer after that, so the engine is
/// stopped at once instead of at the next write.
public final class ConnectionGuard: ChannelInboundHandler, RemovableChannelHandler {
  public typealias InboundIn = HTTPRequestPart
  public typealias InboundOut = HTTPRequestPart

  private let departures: Departures
  private let bodyDeadline: TimeAmount
  private var pendingBody: Scheduled<Void>?

  /// - Parameter bodySeconds: How long a request may take from its head to its last byte.
  public init(departures: Departures, bodySeconds: Int) {
    self.departures = departures
    self.bodyDeadline = .seconds(Int64(bodySeconds))
  }

  public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch self.unwrapInboundIn(data) {
    case .head:
      let channel = context.channel
      self.pendingBody = context.eventLoop.scheduleTask(in: self.bodyDeadline) { channel.close(promise: nil) }
    case .end:
      self.pendingBody?.cancel()
      self.pendingBody = nil
    case .body: break
    }
    context.fireChannelRead(data)
  }

  public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent {
      self.departures.announce(ObjectIdentifier(context.channel))
      context.close(promise: nil)
    }
    context.fireUserInboundEventTriggered(event)
  }

  public func channelInactive(context: ChannelHandlerContext) {
    self.pendingBody?.cancel()
    self.departures.announce(ObjectIdentifier(context.channel))
    context.fireChannelInactive()
  }
}

/// Who is to be told when the client of a connection goes away.
public final class Departures: Sendable {
  private let watchers = Mutex<[ObjectIdentifier: @Sendable () -> Void]>([:])

  public init() {}

  /// Runs `work`; `whenGone` is called once if the client goes away meanwhile.
  @concurrent
  func watching<Result: Sendable>(
    _ channel: any Channel, whenGone: @escaping @Sendable () -> Void, _ work: @concurrent () async throws -> Result
  ) async rethrows -> Result {
    let id = ObjectIdentifier(channel)
    self.watchers.withLock { $0[id] = whenGone }
    defer { self.watchers.withLock { $0[id] = nil } }
    if !channel.isActive { whenGone() }
    return try await work()
  }

  func announce(_ id: ObjectIdentifier) { self.watchers.withLock { $0.removeValue(forKey: id) }?() }
}
