internal import AuditTrail
internal import GatewayHTTP
internal import Governance
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import UnixSignals

/// A witness for the checkpoints of logs, run by anyone, apart from any gateway: C2SP tlog-witness over HTTP.
public struct WitnessServer: Sendable {
  private let book: WitnessBook
  private let host: String
  private let port: Int

  /// - Parameters:
  ///   - listen: `host:port`.
  ///   - directory: for its key and the newest checkpoint of each log.
  ///   - name: what the witness signs under; made from its key where it is left out.
  ///   - logs: the verifier keys of the logs.
  public init(listen: String, directory: String, name: String?, logs: [String], environment: [String: String]) throws {
    guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]),
      (0...65_535).contains(port),
      colon > listen.startIndex
    else { throw StartFailure("'\(listen)' is not of the form host:port, such as 127.0.0.1:8090") }
    guard !logs.isEmpty else {
      throw StartFailure("Name at least one log with --log and its verifier key (keys/log.vkey of a bundle).")
    }
    self.host = String(listen[..<colon])
    self.port = port
    self.book = try WitnessBook(
      directory: directory, name: name, keys: logs, passphrase: try KeyPassphrase(file: nil, environment: environment).text)
  }

  /// The witness's verifier key, for those who are to trust it.
  public var key: String { self.book.key.vkey }

  /// Serves until the process is told to stop.
  public func serve(announce: @escaping @Sendable (_ host: String, _ port: Int) -> Void) async throws {
    let router = Router(context: GatewayContext.self)
    router.post("/add-checkpoint") { request, _ in
      await answering {
        let reply = try await self.book.answer(try await readBody(request, limit: 1 << 17))
        return Response(
          status: .init(code: reply.status), headers: [.contentType: reply.contentType],
          body: ResponseBody(byteBuffer: ByteBuffer(string: reply.body)))
      }
    }
    router.get("/healthz") { _, _ in textResponse("ok\n") }
    let (book, host) = (self.book, self.host)
    router.get("/key") { _, _ in textResponse(book.key.vkey + "\n") }
    let application = Application(
      router: router,
      configuration: ApplicationConfiguration(address: .hostname(host, port: self.port), serverName: "weighbridge"),
      onServerRunning: { channel in announce(host, channel.localAddress?.port ?? 0) },
      logger: Logger(label: "http") { _ in SwiftLogNoOpLogHandler() })
    let services = ServiceGroupConfiguration(
      services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "services"))
    do { try await ServiceGroup(configuration: services).run() } catch let error as IOError {
      throw StartFailure("cannot listen on \(host):\(self.port): \(error). Is another process using the port?")
    }
  }
}
