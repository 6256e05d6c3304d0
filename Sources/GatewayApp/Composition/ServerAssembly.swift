internal import GatewayHTTP
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdHTTP2
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
}
