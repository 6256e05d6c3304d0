internal import NIOCore
internal import NIOHTTP1

/// Takes what a server answers to one request, on the connection's event loop.
protocol UpstreamReceiver: AnyObject {
  func received(_ head: HTTPResponseHead)
  func received(_ bytes: ByteBuffer)
  /// The last call: the answer is whole, or `error` says why no more of it comes.
  func ended(_ error: (any Error)?)
}

/// Why an answer broke off.
enum ConnectionFault: Error {
  case closed
  /// It took too long to be opened, or the request was given up before it was.
  case notOpened
}

/// One connection to a server: one request at a time, and open for the next one where the server keeps it open.
///
/// It lives on one event loop and is used there alone.
final class UpstreamConnection: ChannelDuplexHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundIn = Never
  typealias OutboundOut = HTTPClientRequestPart

  private weak var pool: LoopConnections?
  private var context: ChannelHandlerContext?
  private var receiver: (any UpstreamReceiver)?
  /// The server keeps the connection open after the answer.
  private var staysOpen = false
  /// All of the request has left; an answer that came before that ends the connection.
  private var isSent = false
  private var isHeldUp = false
  private var wantsRead = false
  /// Since when it has nothing to do.
  private(set) var idleSince = NIODeadline.now()

  init(_ pool: LoopConnections) { self.pool = pool }

  /// Sends a request. The connection must be idle.
  func send(_ head: HTTPRequestHead, _ body: ByteBuffer?, to receiver: any UpstreamReceiver) {
    guard let context = self.context, context.channel.isActive else { return receiver.ended(ConnectionFault.closed) }
    self.receiver = receiver
    self.staysOpen = false
    self.isSent = false
    context.write(self.wrapOutboundOut(.head(head)), promise: nil)
    if let body { context.write(self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
    let sent = context.eventLoop.makePromise(of: Void.self)
    sent.futureResult.assumeIsolated().whenComplete { [self] result in
      // Whatever kept it from being sent closes the connection as well.
      if case .success = result { self.isSent = true }
    }
    context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: sent)
  }

  /// Reads no more until ``goOn()``: what has been read already still comes.
  func holdUp() { self.isHeldUp = true }

  func goOn() {
    self.isHeldUp = false
    guard self.wantsRead else { return }
    self.wantsRead = false
    self.context?.read()
  }

  /// Closes it; who waits for an answer is told.
  func close() { self.context?.close(promise: nil) }

  // MARK: The channel

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func read(context: ChannelHandlerContext) {
    if self.isHeldUp { self.wantsRead = true } else { context.read() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // A server that speaks without having been asked is not understood.
    guard let receiver = self.receiver else { return context.close(promise: nil) }
    switch self.unwrapInboundIn(data) {
    case .head(let head):
      self.staysOpen = head.isKeepAlive
      receiver.received(head)
    case .body(let bytes): receiver.received(bytes)
    case .end:
      self.receiver = nil
      self.isHeldUp = false
      if self.staysOpen, self.isSent, let pool = self.pool {
        self.idleSince = .now()
        pool.keep(self)
      } else {
        context.close(promise: nil)
      }
      receiver.ended(nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.pool?.forget(self)
    self.finish(ConnectionFault.closed)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.finish(error)
    context.close(promise: nil)
  }

  private func finish(_ error: any Error) {
    let receiver = self.receiver
    self.receiver = nil
    receiver?.ended(error)
  }
}
