internal import AsyncHTTPClient
internal import Completions
internal import Documents
internal import NIOCore
internal import NIOHTTP1
internal import OpenAIWire

/// One attempt at one server: the request, the stream that comes back, and its end.
///
/// It lives on one event loop. Where the allowance has no room, the part of the body that was come to is not acknowledged, so that the
/// connection is not read until the allowance is raised.
final class UpstreamExchange: HTTPClientResponseDelegate {
  enum Outcome: Sendable {
    case ended(CompletionEnd)
    /// `hasBegun`: part of an answer was handed on.
    case failed(UpstreamFault, hasBegun: Bool)
  }

  private struct State {
    var answer: UpstreamAnswer
    var reader = EventStreamReader()
    var refusal: UpstreamRefusal?
    var task: HTTPClient.Task<Void>?
    /// Steps that came at once and go out as one event.
    var batch: [CompletionDelta] = []
    var isFlushDue = false
    /// The part of the body whose text waits for room.
    var part: EventLoopPromise<Void>?
    var isCancelled = false
    var isOver = false
  }

  private let upstream: Upstream
  private let model: String
  private let prompt: PreparedPrompt
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
    self.model = member.model
    self.prompt = prompt
    self.allowance = allowance
    self.loop = loop
    self.events = events
    self.onEnd = onEnd
    let state = NIOLoopBoundBox.makeBoxSendingValue(State(answer: UpstreamAnswer(to: prompt, counter: counter)), eventLoop: loop)
    self.state = state
    self.timer = PhaseTimer(member.upstream.settings.timeouts) { loop.execute { state.value.task?.cancel() } }
  }

  func start() {
    guard let request = self.request() else { return self.fail(.notAsked) }
    self.upstream.watch.add(self.timer, on: self.loop)
    // A connection of this loop where one is idle. Were one of this loop asked for, each request would open its own.
    let task = self.upstream.client.execute(
      request: request, delegate: self, eventLoop: .delegate(on: self.loop), deadline: nil)
    self.state.value.task = task
    task.futureResult.whenComplete { result in
      self.timer.stop()
      self.upstream.watch.remove(self.timer)
      self.state.value.task = nil
      self.closed(result)
    }
  }

  /// The client is gone.
  func cancel() {
    self.state.value.isCancelled = true
    guard let task = self.state.value.task else { return self.end(.cancelled) }
    task.cancel()
  }

  /// The allowance was raised.
  func resume() {
    guard self.state.value.answer.isWaiting, !self.state.value.isOver else { return }
    self.advance()
  }

  private func request() -> HTTPClient.Request? {
    let asked = UpstreamRequest(self.prompt.request, model: self.model, countsEachChunk: self.upstream.settings.countsEachChunk)
    var request = self.upstream.request(asked.path)
    request?.body = .byteBuffer(ByteBuffer(bytes: asked.body.bytes))
    return request
  }

  // MARK: What comes back

  func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
    if head.status != .ok {
      self.state.value.refusal = UpstreamRefusal(
        status: Int(head.status.code), retryAfter: head.headers.first(name: "retry-after"))
    } else if !(head.headers.first(name: "content-type")?.lowercased().hasPrefix("text/event-stream") ?? false) {
      self.fail(.garbage("answered 200 with another type than text/event-stream"))
    }
    return self.loop.makeSucceededVoidFuture()
  }

  func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    // What follows the end of an answer is let through unread, so that the connection can be used again.
    guard !self.state.value.isOver else { return self.loop.makeSucceededVoidFuture() }
    guard self.state.value.refusal == nil else {
      if self.state.value.refusal?.append(buffer) == false { self.failRefused() }
      return self.loop.makeSucceededVoidFuture()
    }
    self.state.value.reader.append(buffer.readableBytesView)
    self.advance()
    guard self.state.value.answer.isWaiting, !self.state.value.isOver else { return self.loop.makeSucceededVoidFuture() }
    let part = self.loop.makePromise(of: Void.self)
    self.state.value.part = part
    return part.futureResult
  }

  func didFinishRequest(task: HTTPClient.Task<Void>) throws {}

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
    self.timer.enter(self.state.value.answer.hasBegun ? .betweenChunks : .firstByte)
    let part = self.state.value.part
    self.state.value.part = nil
    part?.succeed()
  }

  private func wait() {
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

  /// The exchange is over on the wire.
  private func closed(_ result: Result<Void, any Error>) {
    guard !self.state.value.isOver else { return }
    switch result {
    case .success where self.state.value.refusal != nil: self.failRefused()
    case .success:
      // A server that closes after it said why it ended has ended; one that just closes has broken off.
      guard self.state.value.answer.closes() else { return self.fail(.broken("closed the stream without an end")) }
      self.advance()
    case .failure where self.state.value.isCancelled: self.end(.cancelled)
    case .failure(let error):
      if let phase = self.timer.expired { return self.fail(.timedOut(phase)) }
      self.fail(self.state.value.answer.hasBegun ? .broken("broke off: \(error)") : .unreachable(error))
    }
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
    if closesConnection { self.state.value.task?.cancel() }
    let part = self.state.value.part
    self.state.value.part = nil
    part?.succeed()
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
