internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// The connections to one server, kept open between requests and apart for each event loop: a request is sent on the loop that asks,
/// and its answer comes in there.
final class UpstreamConnections: Sendable {
  private let address: UpstreamAddress
  private let connectTimeout: TimeAmount
  private let trust: UpstreamTrust
  private let loops = Mutex<[ObjectIdentifier: NIOLoopBound<LoopConnections>]>([:])

  init(to address: UpstreamAddress, connectTimeout: TimeAmount, trust: UpstreamTrust) {
    self.address = address
    self.connectTimeout = connectTimeout
    self.trust = trust
  }

  /// Hands over an idle connection, at once where there is one. Called on the loop, and calls back on it.
  func take(on loop: any EventLoop, _ use: @escaping (Result<UpstreamConnection, any Error>) -> Void) {
    let kept = self.kept(on: loop)
    if let idle = kept.take() { return use(.success(idle)) }
    self.open(for: kept, on: loop).assumeIsolated().whenComplete { result in
      use(result.map(\.value))
    }
  }

  /// Takes back a connection that was not used after all.
  func giveBack(_ connection: UpstreamConnection, on loop: any EventLoop) { self.kept(on: loop).keep(connection) }

  private func kept(on loop: any EventLoop) -> LoopConnections {
    self.loops.withLock { loops in
      if let known = loops[ObjectIdentifier(loop)] { return known }
      let made = NIOLoopBound(LoopConnections(on: loop), eventLoop: loop)
      loops[ObjectIdentifier(loop)] = made
      return made
    }.value
  }

  private func open(for kept: LoopConnections, on loop: any EventLoop) -> EventLoopFuture<NIOLoopBound<UpstreamConnection>> {
    let pool = NIOLoopBound(kept, eventLoop: loop)
    let (address, trust) = (self.address, self.trust)
    return ClientBootstrap(group: loop)
      .connectTimeout(self.connectTimeout)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if address.isSecure { try pipeline.addHandler(Self.tls(for: address.host, trust)) }
          try pipeline.addHTTPClientHandlers()
          try pipeline.addHandler(UpstreamConnection(pool.value))
        }
      }
      .connect(host: address.host, port: address.port)
      .flatMapThrowing { channel in
        NIOLoopBound(try channel.pipeline.syncOperations.handler(type: UpstreamConnection.self), eventLoop: loop)
      }
  }

  private static func tls(for host: String, _ trust: UpstreamTrust) throws -> NIOSSLClientHandler {
    // An address is no name that a server could be asked for.
    let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
    return try NIOSSLClientHandler(context: try trust.context.get(), serverHostname: isAddress ? nil : host)
  }

  /// Closes those that are idle.
  func close() {
    let loops = self.loops.withLock { Array($0.values) }
    for kept in loops { kept.eventLoop.execute { kept.value.close() } }
  }
}

/// The idle connections of one server on one loop.
///
/// The one that was used last is used first, so that those that are not needed grow old and are closed.
final class LoopConnections {
  private let loop: any EventLoop
  private var idle: [UpstreamConnection] = []
  private var isSweeping = false

  private static let lifetime = TimeAmount.seconds(60)
  private static let most = 1024

  init(on loop: any EventLoop) { self.loop = loop }

  func take() -> UpstreamConnection? { self.idle.popLast() }

  func keep(_ connection: UpstreamConnection) {
    guard self.idle.count < Self.most else { return connection.close() }
    self.idle.append(connection)
    guard !self.isSweeping else { return }
    self.isSweeping = true
    self.sweepLater()
  }

  func forget(_ connection: UpstreamConnection) { self.idle.removeAll { $0 === connection } }

  func close() {
    let closing = self.idle
    self.idle = []
    for connection in closing { connection.close() }
  }

  private func sweepLater() {
    self.loop.assumeIsolated().scheduleTask(in: .nanoseconds(Self.lifetime.nanoseconds / 4)) { [weak self] in self?.sweep() }
  }

  private func sweep() {
    let limit = NIODeadline.now() - Self.lifetime
    let old = self.idle.prefix { $0.idleSince < limit }
    self.idle.removeFirst(old.count)
    for connection in old { connection.close() }
    self.isSweeping = !self.idle.isEmpty
    if self.isSweeping { self.sweepLater() }
  }
}
