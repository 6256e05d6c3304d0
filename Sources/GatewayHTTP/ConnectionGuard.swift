internal import HTTPTypes
public import NIOCore
public import NIOHTTPTypes
internal import Synchronization

/// Tells the routes of a connection that its client is gone, and ends connections that do not finish what they began to send.
///
/// A client that closes its side has gone away, as it has for most servers: nobody reads an answer after that, so the engine is
/// stopped at once instead of at the next write. A request has a time from its head to its last byte; a head has a time from when one
/// could begin, whatever trickles in meanwhile.
public final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  public typealias InboundIn = HTTPRequestPart
  public typealias InboundOut = HTTPRequestPart
  public typealias OutboundIn = HTTPResponsePart
  public typealias OutboundOut = HTTPResponsePart

  private let departures: Departures
  private let bodyDeadline: TimeAmount
  private let headDeadline: TimeAmount
  /// When the connection is closed; nil while it owes nothing.
  private var deadline: NIODeadline?
  /// Looks at the deadline, which may have moved meanwhile: a request costs no scheduling of its own.
  private var look: (task: Scheduled<Void>, at: NIODeadline)?
  private var isReading = false

  /// - Parameters:
  ///   - bodySeconds: How long a request may take from its head to its last byte.
  ///   - headSeconds: How long a connection may be without a whole head while nothing is asked.
  public init(departures: Departures, bodySeconds: Int, headSeconds: Int) {
    self.departures = departures
    self.bodyDeadline = .seconds(Int64(bodySeconds))
    self.headDeadline = .seconds(Int64(headSeconds))
  }

  public func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { self.expect(within: self.headDeadline, context) }
  }

  public func channelActive(context: ChannelHandlerContext) {
    self.expect(within: self.headDeadline, context)
    context.fireChannelActive()
  }

  public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch self.unwrapInboundIn(data) {
    case .head:
      self.isReading = true
      self.expect(within: self.bodyDeadline, context)
    case .end:
      self.isReading = false
      self.expectNothing()
    case .body: break
    }
    context.fireChannelRead(data)
  }

  public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = self.unwrapOutboundIn(data), !self.isReading { self.expect(within: self.headDeadline, context) }
    context.write(data, promise: promise)
  }

  public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent {
      self.departures.announce(ObjectIdentifier(context.channel))
      context.close(promise: nil)
    }
    context.fireUserInboundEventTriggered(event)
  }

  public func channelInactive(context: ChannelHandlerContext) {
    self.expectNothing()
    self.look?.task.cancel()
    self.look = nil
    self.departures.announce(ObjectIdentifier(context.channel))
    context.fireChannelInactive()
  }

  private func expect(within time: TimeAmount, _ context: ChannelHandlerContext) {
    let deadline = NIODeadline.now() + time
    self.deadline = deadline
    if let look = self.look, look.at <= deadline { return }
    self.lookAgain(at: deadline, context)
  }

  private func lookAgain(at deadline: NIODeadline, _ context: ChannelHandlerContext) {
    self.look?.task.cancel()
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let task = context.eventLoop.scheduleTask(deadline: deadline) {
      let (handler, context) = bound.value
      handler.look = nil
      guard let deadline = handler.deadline else { return }
      guard deadline <= .now() else { return handler.lookAgain(at: deadline, context) }
      context.close(promise: nil)
    }
    self.look = (task, deadline)
  }

  private func expectNothing() { self.deadline = nil }
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
