internal import GatewayHTTP
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdHTTP2
internal import Logging
internal import NIOCore

/// The server as the configuration asks for it: plain HTTP/1.1, or TLS with HTTP/2 and HTTP/1.1 as the client chooses.
enum ServerAssembly {
  static func server(_ settings: GatewayConfiguration.Server, departures: Departures) throws -> HTTPServerBuilder {
    let bodySeconds = settings.bodySeconds
    let idleSeconds = settings.idleSeconds
    let http1 = HTTP1Channel.Configuration(
      additionalChannelHandlers: [
        ConnectionGuard(departures: departures, bodySeconds: bodySeconds, headSeconds: idleSeconds)
      ], idleTimeout: .seconds(Int64(idleSeconds)),
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: min(16 << 10, settings.headLimit), maxHeaderListSize: settings.headLimit, maxHeaderFieldCount: 100))
    guard let path = settings.certificate, let keyPath = settings.certificateKey else {
      return HTTPServerBuilder { responder in LoopBoundChannel(HTTP1Channel(responder: responder, configuration: http1)) }
    }
    let certificate = try ServerCertificate(path: path, keyPath: keyPath)
    return HTTPServerBuilder { responder in
      LoopBoundChannel(
        try HTTP2UpgradeChannel(
          tlsConfiguration: certificate.configuration,
          configuration: .init(idleTimeout: .seconds(idleSeconds), streamConfiguration: http1), responder: responder))
    }
  }

  /// New connections that are taken in one turn of the loop.
  private static let acceptsAtOnce: UInt = 256

  /// Lets a crowd of new connections in at once. Four in a turn, as is usual, keeps the last of hundreds waiting for seconds while the
  /// loop is busy with the first.
  static func acceptInBulk(_ server: any Channel, log: Logger) async {
    do {
      try await server.setOption(.maxMessagesPerRead, value: Self.acceptsAtOnce).get()
    } catch {
      log.warning("new connections are let in a few at a time", metadata: ["reason": "\(error)"])
    }
  }
}
