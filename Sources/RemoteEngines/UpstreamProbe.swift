internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// One request of which only the status is wanted.
final class UpstreamProbe: UpstreamReceiver {
  private let loop: any EventLoop
  private let promise: EventLoopPromise<HTTPResponseStatus?>
  private var connection: UpstreamConnection?
  private var isOver = false

  private init(on loop: any EventLoop) {
    self.loop = loop
    self.promise = loop.makePromise()
  }

  /// - Returns: nil where nothing was answered in time: not being reached is a finding, not an error.
  @concurrent
  static func status(
    of head: HTTPRequestHead, over connections: UpstreamConnections, within time: TimeAmount
  ) async -> HTTPResponseStatus? {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let answered = loop.flatSubmit {
      let probe = UpstreamProbe(on: loop)
      probe.start(head, over: connections, within: time)
      return probe.promise.futureResult
    }
    // The promise is never failed.
    return (try? await answered.get()) ?? nil
  }

  private func start(_ head: HTTPRequestHead, over connections: UpstreamConnections, within time: TimeAmount) {
    let deadline = self.loop.assumeIsolated().scheduleTask(in: time) {
      self.end(nil)
    }
    self.promise.futureResult.whenComplete { _ in deadline.cancel() }
    connections.take(on: self.loop) { result in
      switch result {
      case .success(let connection):
        guard !self.isOver else { return connections.giveBack(connection, on: self.loop) }
        self.connection = connection
        connection.send(head, nil, to: self)
      case .failure: self.end(nil)
      }
    }
  }

  private func end(_ status: HTTPResponseStatus?) {
    guard !self.isOver else { return }
    self.isOver = true
    // A body that is left unread closes the connection, which is as good for a probe.
    self.connection?.close()
    self.connection = nil
    self.promise.succeed(status)
  }

  func received(_ head: HTTPResponseHead) { self.end(head.status) }
  func received(_ bytes: ByteBuffer) {}
  func ended(_ error: (any Error)?) { self.end(nil) }
}
