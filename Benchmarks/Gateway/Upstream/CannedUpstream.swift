// gateway-upstream: a canned OpenAI-compatible server for the load lab: the same answer to every request, as fast as sockets go.
// Answers whole or as a stream, at once or at a pace, and passes for the upstream of the gateway and of other proxies alike.
// It must never be linked into the product; it knows nothing of what it is asked.

import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers made before the first request comes.
struct CannedAnswers: Sendable {
  let whole: ByteBuffer
  let opening: ByteBuffer
  let chunk: ByteBuffer
  let closing: ByteBuffer
  let tokens: Int
  let pause: TimeAmount?

  init(tokens: Int, pauseMilliseconds: Int) {
    let text = (0..<tokens).map { "token\($0 % 10) " }
    let head = #""id":"chatcmpl-canned","created":1760000000,"model":"canned""#
    let usage =
      #""usage":{"prompt_tokens":12,"completion_tokens":\#(tokens),"total_tokens":\#(12 + tokens)}"#
    self.whole = ByteBuffer(
      string: #"{\#(head),"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":""#
        + text.joined() + #"","refusal":null},"logprobs":null,"finish_reason":"stop"}],\#(usage)}"#)
    func chunk(_ delta: String, _ finish: String) -> String {
      #"data: {\#(head),"object":"chat.completion.chunk","choices":[{"index":0,"delta":\#(delta),"logprobs":null,"#
        + #""finish_reason":\#(finish)}]}"# + "\n\n"
    }
    self.opening = ByteBuffer(string: chunk(#"{"role":"assistant","content":""}"#, "null"))
    self.chunk = ByteBuffer(string: chunk(#"{"content":"token1 "}"#, "null"))
    self.closing = ByteBuffer(
      string: chunk("{}", #""stop""#)
        + #"data: {\#(head),"object":"chat.completion.chunk","choices":[],\#(usage)}"# + "\n\ndata: [DONE]\n\n")
    self.tokens = tokens
    self.pause = pauseMilliseconds > 0 ? .milliseconds(Int64(pauseMilliseconds)) : nil
  }
}

final class CannedHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private static let streamMark = Array(#""stream":true"#.utf8)
  private let answers: CannedAnswers
  private var body = ByteBuffer()
  private var keepsAlive = true

  init(_ answers: CannedAnswers) { self.answers = answers }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch self.unwrapInboundIn(data) {
    case .head(let head):
      self.body.clear()
      self.keepsAlive = head.isKeepAlive
    case .body(var buffer): self.body.writeBuffer(&buffer)
    case .end:
      if self.body.readableBytesView.firstRange(of: Self.streamMark) != nil {
        self.stream(context)
      } else {
        self.answer(context)
      }
    }
  }

  private func answer(_ context: ChannelHandlerContext) {
    let headers: HTTPHeaders = ["content-type": "application/json", "content-length": "\(self.answers.whole.readableBytes)"]
    context.write(self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil)
    context.write(self.wrapOutboundOut(.body(.byteBuffer(self.answers.whole))), promise: nil)
    context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
  }

  private func stream(_ context: ChannelHandlerContext) {
    let headers: HTTPHeaders = ["content-type": "text/event-stream", "cache-control": "no-cache"]
    context.write(self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil)
    context.write(self.wrapOutboundOut(.body(.byteBuffer(self.answers.opening))), promise: nil)
    guard let pause = self.answers.pause else {
      for _ in 0..<self.answers.tokens {
        context.write(self.wrapOutboundOut(.body(.byteBuffer(self.answers.chunk))), promise: nil)
      }
      return self.finish(context)
    }
    context.flush()
    self.send(self.answers.tokens, every: pause, context)
  }

  private func send(_ left: Int, every pause: TimeAmount, _ context: ChannelHandlerContext) {
    guard context.channel.isActive else { return }
    guard left > 0 else { return self.finish(context) }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: pause) {
      let (handler, context) = bound.value
      context.writeAndFlush(handler.wrapOutboundOut(.body(.byteBuffer(handler.answers.chunk))), promise: nil)
      handler.send(left - 1, every: pause, context)
    }
  }

  private func finish(_ context: ChannelHandlerContext) {
    context.write(self.wrapOutboundOut(.body(.byteBuffer(self.answers.closing))), promise: nil)
    context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

@main
enum CannedUpstream {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    guard arguments.count == 3 else {
      print("usage: gateway-upstream PORT TOKENS PAUSE_MILLISECONDS")
      return
    }
    let answers = CannedAnswers(tokens: arguments[1], pauseMilliseconds: arguments[2])
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false).flatMapThrowing {
          try channel.pipeline.syncOperations.addHandler(CannedHandler(answers))
        }
      }
      .bind(host: "127.0.0.1", port: arguments[0]).get()
    print("listening on \(channel.localAddress?.port ?? 0)")
    try await channel.closeFuture.get()
  }
}
