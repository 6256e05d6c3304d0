// UpstreamFixtures: an OpenAI-compatible server that does what a test tells it to, real sockets included.
// It streams, stalls, answers with errors or garbage, and dies in the middle; it keeps what it was asked.
// It must never be linked into the product.

public import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// What the server does with one request, in order.
public enum UpstreamStep: Sendable {
  case head(Int, [(String, String)])
  case bytes(String)
  case pause(TimeAmount)
  /// A proper end of the response.
  case end
  /// The connection is closed as it stands.
  case kill
}

/// A server on loopback that answers each request by its script.
public final class ScriptedUpstream: Sendable {
  public struct Asked: Sendable {
    public var method: String
    public var path: String
    public var headers: [(String, String)]
    public var body: String

    public func header(_ name: String) -> String? { self.headers.first { $0.0.lowercased() == name }?.1 }
  }

  struct State {
    var script: @Sendable (_ number: Int, Asked) -> [UpstreamStep]
    var asked: [Asked] = []
    /// Responses whose client left before their end.
    var abandoned = 0
    var bytesWritten = 0
    var connections = 0
  }

  let state: Mutex<State>
  private let channel: any Channel

  public var port: Int { self.channel.localAddress?.port ?? 0 }
  public var url: String { "http://127.0.0.1:\(self.port)/v1" }
  public var asked: [Asked] { self.state.withLock { $0.asked } }
  public var abandoned: Int { self.state.withLock { $0.abandoned } }
  /// Connections that were opened so far.
  public var connections: Int { self.state.withLock { $0.connections } }
  /// Bytes of bodies that the kernel has taken.
  public var bytesWritten: Int { self.state.withLock { $0.bytesWritten } }

  /// - Parameters:
  ///   - port: 0 takes any that is free.
  ///   - certificate: Files in PEM, for a server behind TLS.
  public init(
    port: Int = 0, certificate: (chain: String, key: String)? = nil,
    script: @escaping @Sendable (_ number: Int, Asked) -> [UpstreamStep]
  ) async throws {
    let state = Mutex(State(script: script))
    self.state = state
    let box = Box()
    let security = try certificate.map { certificate in
      try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: try NIOSSLCertificate.fromPEMFile(certificate.chain).map { .certificate($0) },
          privateKey: .privateKey(try NIOSSLPrivateKey(file: certificate.key, format: .pem))))
    }
    self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { child in
        child.eventLoop.makeCompletedFuture {
          if let security { try child.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: security)) }
        }.flatMap {
          child.pipeline.configureHTTPServerPipeline()
        }.flatMapThrowing {
          guard let upstream = box.upstream else { throw ChannelError.ioOnClosedChannel }
          upstream.state.withLock { $0.connections += 1 }
          try child.pipeline.syncOperations.addHandler(ScriptHandler(upstream))
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    box.upstream = self
  }

  /// Breaks a cycle of construction: the handler needs the server, whose channel needs the handler.
  private final class Box: Sendable {
    private let held = Mutex<ScriptedUpstream?>(nil)
    var upstream: ScriptedUpstream? {
      get { self.held.withLock { $0 } }
      set { self.held.withLock { $0 = newValue } }
    }
  }

  public func follow(_ script: @escaping @Sendable (_ number: Int, Asked) -> [UpstreamStep]) {
    self.state.withLock { $0.script = script }
  }

  /// Refuses further connections.
  public func stop() async throws { try await self.channel.close() }

  func steps(for asked: Asked) -> [UpstreamStep] {
    let (script, number) = self.state.withLock { state in
      state.asked.append(asked)
      return (state.script, state.asked.count - 1)
    }
    return script(number, asked)
  }
}

private final class ScriptHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let upstream: ScriptedUpstream
  private var asked = ScriptedUpstream.Asked(method: "", path: "", headers: [], body: "")
  private var isAnswering = false

  init(_ upstream: ScriptedUpstream) { self.upstream = upstream }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch self.unwrapInboundIn(data) {
    case .head(let head):
      self.asked = ScriptedUpstream.Asked(
        method: head.method.rawValue, path: head.uri, headers: head.headers.map { ($0.name, $0.value) }, body: "")
    case .body(let buffer): self.asked.body += String(buffer: buffer)
    case .end:
      self.isAnswering = true
      self.run(self.upstream.steps(for: self.asked)[...], context)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if self.isAnswering { self.upstream.state.withLock { $0.abandoned += 1 } }
    self.isAnswering = false
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func run(_ steps: ArraySlice<UpstreamStep>, _ context: ChannelHandlerContext) {
    guard let step = steps.first, context.channel.isActive else { return }
    let rest = steps.dropFirst()
    let loop = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let goOn: @Sendable () -> Void = { loop.value.0.run(rest, loop.value.1) }
    switch step {
    case .head(let status, let headers):
      let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: HTTPHeaders(headers))
      context.writeAndFlush(self.wrapOutboundOut(.head(head))).whenSuccess(goOn)
    case .bytes(let text):
      let count = text.utf8.count
      context.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text))))).whenSuccess {
        loop.value.0.upstream.state.withLock { $0.bytesWritten += count }
        goOn()
      }
    case .pause(let time): _ = context.eventLoop.scheduleTask(in: time, goOn)
    case .end:
      self.isAnswering = false
      context.writeAndFlush(self.wrapOutboundOut(.end(nil))).whenSuccess(goOn)
    case .kill:
      self.isAnswering = false
      context.close(promise: nil)
    }
  }
}
