// gateway-plain: the gateway's server and client without anything between them, for the load lab to compare the gateway with.
// Hands each request on as it came and the answer back as it comes.
// It must never be linked into the product.

import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

@main
enum PlainLane {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count == 2, let port = Int(arguments[0]) else {
      print("usage: gateway-plain PORT UPSTREAM-URL")
      return
    }
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let upstream = arguments[1]
    let router = Router()
    router.post("/v1/chat/completions") { request, _ in
      var outgoing = HTTPClientRequest(url: upstream + "/chat/completions")
      outgoing.method = .POST
      outgoing.headers.add(name: "content-type", value: "application/json")
      outgoing.body = .bytes(try await request.body.collect(upTo: 8 << 20))
      let incoming = try await client.execute(outgoing, timeout: .seconds(60))
      guard incoming.headers.first(name: "content-type")?.hasPrefix("text/event-stream") == true else {
        let whole = try await incoming.body.collect(upTo: 8 << 20)
        return Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: whole))
      }
      return Response(
        status: .ok, headers: [.contentType: "text/event-stream"], body: ResponseBody(asyncSequence: incoming.body))
    }
    let application = Application(
      router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
      logger: Logger(label: "plain") { _ in SwiftLogNoOpLogHandler() })
    try await application.runService()
  }
}
