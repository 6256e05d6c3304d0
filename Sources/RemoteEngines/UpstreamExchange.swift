internal import AsyncHTTPClient
internal import Completions
internal import Documents
internal import NIOCore
internal import NIOHTTP1
internal import OpenAIWire

/// One attempt at one server: the request, the stream that comes back, and its end.
struct UpstreamExchange: Sendable {
  enum Outcome: Sendable {
    case ended(CompletionEnd)
    /// `hasBegun`: part of an answer was handed on.
    case failed(UpstreamFault, hasBegun: Bool)
  }

  let upstream: Upstream
  let model: String
  let prompt: PreparedPrompt
  let counter: TextCounter?
  let gate: AllowanceGate
  let timer: PhaseTimer
  let events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation

  func run() async -> (outcome: Outcome, health: UpstreamHealth.Outcome, tokens: Int) {
    var answer = Answer(tally: AnswerTally(counter: self.counter))
    do {
      let reason = try await self.follow(&answer)
      let usage = try await self.settle(&answer, cut: reason == .allowance)
      let end = CompletionEnd(reason: reason, usage: usage, countedBy: self.counter(of: answer.tally))
      return (.ended(end), .succeeded, answer.tally.emitted)
    } catch let fault as UpstreamFault {
      return (.failed(fault, hasBegun: answer.hasBegun), fault.outcome, answer.tally.emitted)
    } catch {
      if let phase = self.timer.expired {
        let fault = UpstreamFault.timedOut(phase)
        return (.failed(fault, hasBegun: answer.hasBegun), fault.outcome, answer.tally.emitted)
      }
      guard Task.isCancelled || error is CancellationError else {
        let fault = answer.hasBegun ? UpstreamFault.broken("broke off: \(error)") : .unreachable(error)
        return (.failed(fault, hasBegun: answer.hasBegun), fault.outcome, answer.tally.emitted)
      }
      let usage = self.usage(answer.tally, completion: answer.tally.emitted)
      let end = CompletionEnd(reason: .cancelled, usage: usage, countedBy: self.counter(of: answer.tally))
      return (.ended(end), .neutral, answer.tally.emitted)
    }
  }

  /// How far the answer has come.
  struct Answer {
    var tally: AnswerTally
    var hasBegun = false
    var finish: String?

    var reason: CompletionEnd.Reason {
      switch self.finish {
      case "length": .length
      case "tool_calls", "function_call": .toolCalls
      default: .stop
      }
    }
  }

  /// The most bytes of an answer, and how many more for each token that it may have.
  private static let answerBytes = 1 << 20
  private static let bytesPerToken = 256

  private func follow(_ answer: inout Answer) async throws -> CompletionEnd.Reason {
    let response = try await self.upstream.client.execute(self.request(), deadline: .distantFuture)
    guard response.status == .ok else { throw await self.refusal(response) }
    guard response.headers.first(name: "content-type")?.lowercased().hasPrefix("text/event-stream") ?? false else {
      throw UpstreamFault.garbage("answered 200 with another type than text/event-stream")
    }
    var reader = EventStreamReader()
    for try await buffer in response.body {
      reader.append(buffer.readableBytesView)
      while let data = try self.next(&reader) {
        if data == Self.done { return answer.reason }
        if let reason = try await self.take(data, &answer) { return reason }
      }
      self.timer.enter(answer.hasBegun ? .betweenChunks : .firstByte)
    }
    // A server that closes after it said why it ended has ended; one that just closes has broken off.
    guard answer.finish != nil else { throw UpstreamFault.broken("closed the stream without an end") }
    return answer.reason
  }

  private static let done = Array("[DONE]".utf8)

  private func next(_ reader: inout EventStreamReader) throws(UpstreamFault) -> [UInt8]? {
    do throws(EventStreamReader.TooLarge) { return try reader.next() } catch {
      throw UpstreamFault.garbage("sent an event of more than \(error.limit) bytes")
    }
  }

  private func request() -> HTTPClientRequest {
    let asked = UpstreamRequest(
      self.prompt.request, model: self.model, countsEachChunk: self.upstream.settings.countsEachChunk)
    var request = HTTPClientRequest(url: "\(self.upstream.settings.url)/\(asked.path)")
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/json")
    request.headers.add(name: "accept", value: "text/event-stream")
    if let key = self.upstream.settings.apiKey { request.headers.add(name: "authorization", value: "Bearer \(key)") }
    request.body = .bytes(ByteBuffer(bytes: asked.body.bytes))
    return request
  }

  /// Reads what a server says with another status than 200. Nothing of it counts as an answer.
  private func refusal(_ response: HTTPClientResponse) async -> UpstreamFault {
    var body: [UInt8] = []
    do {
      for try await buffer in response.body {
        body.append(contentsOf: buffer.readableBytesView)
        if body.count >= UpstreamFault.bodyLimit { break }
      }
    } catch {
      body = []  // A refusal that breaks off is a refusal.
    }
    return UpstreamFault(
      status: Int(response.status.code), retryAfter: response.headers.first(name: "retry-after"),
      body: Array(body.prefix(UpstreamFault.bodyLimit)), url: self.upstream.settings.url)
  }

  /// Hands on one chunk, as far as the allowance goes.
  ///
  /// - Returns: Why the answer ends here, where it does.
  private func take(_ data: [UInt8], _ answer: inout Answer) async throws -> CompletionEnd.Reason? {
    let chunk: UpstreamChunk
    do throws(UpstreamChunk.Fault) { chunk = try UpstreamChunk(data) } catch {
      switch error {
      case .unreadable(let reason): throw UpstreamFault.garbage("sent an event that is no chunk: \(reason)")
      case .error(let message, let code):
        throw UpstreamFault(message: message, code: code, url: self.upstream.settings.url)
      }
    }
    if !answer.hasBegun {
      answer.hasBegun = true
      self.events.yield(.prompt(self.usage(AnswerTally(counter: nil), completion: 0)))
    }
    if let finish = chunk.finish { answer.finish = finish }
    let tokens = answer.tally.take(chunk)
    guard answer.tally.bytes <= Self.answerBytes + Self.bytesPerToken * self.prompt.completionCeiling else {
      throw UpstreamFault.garbage("sent more text than \(self.prompt.completionCeiling) tokens can have")
    }
    let delta = CompletionDelta(text: chunk.text, tokens: tokens, logprobs: chunk.logprobs, toolCalls: chunk.toolCalls)
    return try await self.emit(delta, &answer.tally)
  }

  /// - Returns: Why the answer ends before the whole of `delta` is handed on; nil where it is.
  private func emit(_ delta: CompletionDelta, _ tally: inout AnswerTally) async throws -> CompletionEnd.Reason? {
    guard delta.tokens > 0 else {
      if !delta.text.isEmpty || !delta.toolCalls.isEmpty { self.events.yield(.delta(delta)) }
      return nil
    }
    var rest = delta
    while true {
      let left = self.prompt.completionCeiling - tally.emitted
      guard left > 0 else { return .length }
      if !self.gate.isDecided(after: tally.emitted) { self.timer.pause() }
      let room = min(left, try await self.gate.room(after: tally.emitted))
      guard room > 0 else { return .allowance }
      guard room < rest.tokens else {
        tally.emit(rest.tokens)
        self.events.yield(.delta(rest))
        return nil
      }
      let part = rest.split(off: room)
      tally.emit(part.tokens)
      self.events.yield(.delta(part))
    }
  }

  // MARK: The end

  /// Brings what was handed on up to what is charged, and says what that is.
  private func settle(_ answer: inout Answer, cut: Bool) async throws -> CompletionUsage {
    guard !cut else { return self.usage(answer.tally, completion: answer.tally.emitted) }
    let (total, _) = answer.tally.total
    if total > answer.tally.emitted {
      _ = try await self.emit(CompletionDelta(text: "", tokens: total - answer.tally.emitted), &answer.tally)
    }
    let charged = min(total, answer.tally.emitted)
    self.compare(answer.tally, charged: charged)
    return self.usage(answer.tally, completion: charged)
  }

  /// The usage as it is charged: never above what was held for.
  private func usage(_ tally: AnswerTally, completion: Int) -> CompletionUsage {
    guard let reported = tally.reported else {
      let bound = PromptBound(self.prompt.request, counter: self.counter)
      return CompletionUsage(promptUncached: min(bound.likely, self.prompt.promptTokens), completion: completion)
    }
    let prompt = min(reported.prompt, self.prompt.promptTokens)
    let cached = min(reported.cached, prompt)
    return CompletionUsage(promptUncached: prompt - cached, promptCached: cached, completion: completion)
  }

  /// Whose count the usage is.
  private func counter(of tally: AnswerTally) -> TokenCounter {
    guard tally.reported == nil else { return tally.total.source }
    return self.counter != nil || PromptBound(self.prompt.request, counter: nil).isExact ? .gateway : .estimate
  }

  /// Tells the operator where the server's count is not ours. One token more is the answer's end, which has no text.
  private func compare(_ tally: AnswerTally, charged: Int) {
    guard let reported = tally.reported else { return }
    let own = tally.own
    if !tally.isPlausible(reported) || reported.completion > charged
      || (self.counter != nil && abs(reported.completion - own) > 1 + own / 50)
    {
      self.upstream.differs("completion", reported: reported.completion, counted: own, charged: charged)
    }
    if reported.prompt > self.prompt.promptTokens {
      self.upstream.differs(
        "prompt", reported: reported.prompt, counted: self.prompt.promptTokens, charged: self.prompt.promptTokens)
    }
  }
}

extension CompletionDelta {
  /// Takes off the first `count` tokens with their share of the text: a server may put several tokens into one chunk, and where one
  /// ends is known to it alone.
  fileprivate mutating func split(off count: Int) -> CompletionDelta {
    let length = self.text.count
    let cut = self.text.index(self.text.startIndex, offsetBy: length * count / self.tokens)
    let part = CompletionDelta(
      text: String(self.text[..<cut]), tokens: count, logprobs: Array(self.logprobs.prefix(count)), toolCalls: self.toolCalls)
    self = CompletionDelta(
      text: String(self.text[cut...]), tokens: self.tokens - count, logprobs: Array(self.logprobs.dropFirst(count)))
    return part
  }
}
