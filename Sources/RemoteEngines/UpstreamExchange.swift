internal import Completions
internal import Documents
internal import NIOCore
internal import NIOHTTP1
internal import OpenAIWire

/// One attempt at one server: the request, the stream that comes back, and its end.
///
/// It lives on one event loop. Where the allowance has no room, its connection is not read until the allowance is raised.
final class UpstreamExchange: UpstreamReceiver, Sendable {
  enum Outcome: Sendable {
    case ended(CompletionEnd)
    /// `hasBegun`: part of an answer was handed on.
    case failed(UpstreamFault, hasBegun: Bool)
  }

  private struct State {
    var answer: UpstreamAnswer
    var reader = EventStreamReader()
    var refusal: UpstreamRefusal?
    var connection: UpstreamConnection?
    /// Steps that came at once and go out as one event.
    var batch: [CompletionDelta] = []
    var isFlushDue = false
    /// The body has come to its end, though not all of it may be handed on.
    var isWhole = false
    /// Nothing more comes from the connection.
    var isClosed = false
    var isOver = false
  }

  private let upstream: Upstream
  private let asked: UpstreamRequest
  private let allowance: TokenAllowance
  private let loop: any EventLoop
  private let events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
  private let onEnd: @Sendable (Outcome) -> Void
  private let state: NIOLoopBoundBox<State>
  private let timer: PhaseTimer

  /// - Parameter onEnd: Called once, on the loop.
  init(
    _ member: UpstreamPool.Member, prompt: PreparedPrompt, counter: TextCounter?, allowance: TokenAllowance,
    on loop: any EventLoop,
    events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation, onEnd: @escaping @Sendable (Outcome) -> Void
  ) {
    self.upstream = member.upstream
    self.asked = UpstreamRequest(
      prompt.request, model: member.model, countsEachChunk: member.upstream.settings.countsEachChunk)
    self.allowance = allowance
    self.loop = loop
    self.events = events
    self.onEnd = onEnd
    let state = NIOLoopBoundBox.makeBoxSendingValue(State(answer: UpstreamAnswer(to: prompt, counter: counter)), eventLoop: loop)
    self.state = state
    self.timer = PhaseTimer(member.upstream.settings.timeouts)
  }

  func start() {
    guard let connections = self.upstream.connections, let head = self.upstream.head(of: self.asked.path) else {
      return self.fail(.notAsked)
    }
    self.timer.onExpiry { self.loop.execute { self.expire() } }
    self.upstream.watch.add(self.timer, on: self.loop)
    connections.take(on: self.loop) { result in
      switch result {
      case .success(let connection):
        guard !self.state.value.isClosed else { return connections.giveBack(connection, on: self.loop) }
        self.state.value.connection = connection
        self.send(head, over: connection)
      case .failure(let error): self.ended(error)
      }
    }
  }

  private func send(_ head: HTTPRequestHead, over connection: UpstreamConnection) {
    let body = ByteBuffer(bytes: self.asked.body.bytes)
    var head = head
    head.headers.add(name: "content-length", value: String(body.readableBytes))
    connection.send(head, body, to: self)
  }

  /// The client is gone.
  func cancel() { self.end(.cancelled) }

  private func expire() {
    guard !self.state.value.isClosed else { return }
    if let connection = self.state.value.connection { connection.close() } else { self.ended(ConnectionFault.notOpened) }
  }

  /// The allowance was raised.
  func resume() {
    guard self.state.value.answer.isWaiting, !self.state.value.isOver else { return }
    self.advance()
  }

  // MARK: What comes back

  func received(_ head: HTTPResponseHead) {
    if head.status != .ok {
      self.state.value.refusal = UpstreamRefusal(
        status: Int(head.status.code), retryAfter: head.headers.first(name: "retry-after"))
    } else if !(head.headers.first(name: "content-type")?.lowercased().hasPrefix("text/event-stream") ?? false) {
      self.fail(.garbage("answered 200 with another type than text/event-stream"))
    }
  }

  func received(_ bytes: ByteBuffer) {
    // What follows the end of an answer is let through unread, so that the connection can be used again.
    guard !self.state.value.isOver else { return }
    guard self.state.value.refusal == nil else {
      if self.state.value.refusal?.append(bytes) == false { self.failRefused() }
      return
    }
    self.state.value.reader.append(bytes.readableBytesView)
    self.advance()
  }

  func ended(_ error: (any Error)?) {
    self.timer.stop()
    self.upstream.watch.remove(self.timer)
    self.state.value.connection = nil
    self.state.value.isClosed = true
    guard !self.state.value.isOver else { return }
    if let error {
      if let phase = self.timer.expired { return self.fail(.timedOut(phase)) }
      return self.fail(self.state.value.answer.hasBegun ? .broken("broke off: \(error)") : .unreachable(error))
    }
    self.state.value.isWhole = true
    if !self.state.value.answer.isWaiting { self.close() }
  }

  /// Takes what has been read as far as the allowance goes.
  private func advance() {
    do throws(UpstreamFault) {
      while !self.state.value.isOver {
        switch self.state.value.answer.step(self.allowance.grant) {
        case .delta(let delta): self.add(delta)
        case .waits: return self.wait()
        case .ends(let reason): return self.end(reason)
        case .needsMore:
          guard let data = try self.nextEvent() else { return self.awaitMore() }
          try self.take(data)
        }
      }
    } catch {
      self.fail(error)
    }
  }

  private func nextEvent() throws(UpstreamFault) -> [UInt8]? {
    do throws(EventStreamReader.TooLarge) { return try self.state.value.reader.next() } catch {
      throw UpstreamFault.garbage("sent an event of more than \(error.limit) bytes")
    }
  }

  private func take(_ data: [UInt8]) throws(UpstreamFault) {
    let hadBegun = self.state.value.answer.hasBegun
    try self.state.value.answer.take(data, url: self.upstream.settings.url)
    guard !hadBegun, self.state.value.answer.hasBegun else { return }
    self.events.yield(.prompt(self.state.value.answer.expectedUsage))
  }

  private func awaitMore() {
    guard !self.state.value.isWhole else { return self.close() }
    self.timer.enter(self.state.value.answer.hasBegun ? .betweenChunks : .firstByte)
    self.state.value.connection?.goOn()
  }

  private func wait() {
    self.state.value.connection?.holdUp()
    // Only who has what came so far can raise the allowance.
    self.flush()
    self.timer.pause()
  }

  // MARK: Handing on

  /// The most tokens of one event: what is released at once is what is lost at most between two marks.
  private static let batchTokens = 16

  private func add(_ delta: CompletionDelta) {
    self.state.value.batch.append(delta)
    if self.state.value.batch.reduce(0, { $0 + $1.tokens }) >= Self.batchTokens { return self.flush() }
    guard !self.state.value.isFlushDue else { return }
    self.state.value.isFlushDue = true
    // Parts of a body that were read together come one after another in the same turn of the loop.
    self.loop.execute { self.flush() }
  }

  private func flush() {
    self.state.value.isFlushDue = false
    let batch = self.state.value.batch
    guard let first = batch.first else { return }
    self.state.value.batch = []
    self.events.yield(batch.count == 1 ? .delta(first) : .deltas(batch))
  }

  // MARK: The end

  /// The answer is whole on the wire, and all of it has been read.
  private func close() {
    guard self.state.value.refusal == nil else { return self.failRefused() }
    // A server that closes after it said why it ended has ended; one that just closes has broken off.
    guard !self.state.value.answer.closes() else { return self.advance() }
    self.fail(.broken("closed the stream without an end"))
  }

  private func end(_ reason: UpstreamAnswer.Ending) {
    guard !self.state.value.isOver else { return }
    self.flush()
    let (end, differences) = self.state.value.answer.end(reason)
    for difference in differences {
      self.upstream.differs(
        difference.category, reported: difference.reported, counted: difference.counted, charged: difference.charged)
    }
    self.finish(.ended(end), end.reason == .cancelled ? .neutral : .succeeded, closesConnection: reason.leavesMore)
  }

  private func failRefused() {
    guard let refusal = self.state.value.refusal else { return }
    self.fail(refusal.fault(url: self.upstream.settings.url))
  }

  private func fail(_ fault: UpstreamFault) {
    guard !self.state.value.isOver else { return }
    self.flush()
    self.finish(.failed(fault, hasBegun: self.state.value.answer.hasBegun), fault.outcome, closesConnection: true)
  }

  private func finish(_ outcome: Outcome, _ health: UpstreamHealth.Outcome, closesConnection: Bool) {
    // First, because what is cancelled says so at once.
    self.state.value.isOver = true
    // It is idle again otherwise, once the rest of the answer has come.
    if closesConnection { self.state.value.connection?.close() } else { self.state.value.connection?.goOn() }
    self.upstream.finish(health, tokens: self.state.value.answer.emitted)
    self.onEnd(outcome)
  }
}

/// What a server says with another status than 200. Nothing of it counts as an answer.
private struct UpstreamRefusal {
  let status: Int
  let retryAfter: String?
  private var body: [UInt8] = []

  init(status: Int, retryAfter: String?) {
    self.status = status
    self.retryAfter = retryAfter
  }

  /// - Returns: false where no more is read.
  mutating func append(_ buffer: ByteBuffer) -> Bool {
    self.body.append(contentsOf: buffer.readableBytesView.prefix(UpstreamFault.bodyLimit - self.body.count))
    return self.body.count < UpstreamFault.bodyLimit
  }

  func fault(url: String) -> UpstreamFault {
    UpstreamFault(status: self.status, retryAfter: self.retryAfter, body: self.body, url: url)
  }
}
