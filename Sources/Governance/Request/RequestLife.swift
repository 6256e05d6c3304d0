internal import Completions
internal import GovernanceTypes
internal import LicenseTerms

/// What became of a call.
public enum Admission: Sendable {
  case live(LiveRequest)
  /// A retry of a request that is over: its recorded result, without a second charge.
  case replay(RecordedReply)
}

/// The life of a request, in the order of its steps. Each step is one call here and one file beside this one.
extension Gate {
  /// Steps 1 to 6, and the start of 7: returns when the hold is on disk and the engine has read the prompt.
  ///
  /// Prefill and the hold's commit run side by side; nothing of an answer exists for the client before both are done.
  ///
  /// - Throws: ``Refusal``, recorded in the log with a decision id wherever the caller was known.
  public func admit(_ call: Call) async throws(Refusal) -> Admission {
    let arrival = self.environment.uptime()
    // 1. Authenticate: who calls.
    let caller = try self.authenticate(call.secret, for: .inference)
    if let reply = try self.recordedReply(to: call, from: caller) { return .replay(reply) }
    // 2. Resolve: engine, terms and price of the model.
    var dossier = try self.resolve(call, from: caller)
    let prompt = try await self.prepare(dossier)
    // 3. License: the standing verdict of customer and model.
    try await self.askLicense(&dossier)
    // 4. Audience: the end user counts in the month.
    try await self.countEndUser(&dossier)
    // 5. Acceptable use of the prompt.
    try await self.checkPrompt(&dossier)
    // 6. Hold: the money is set aside on every level.
    let held = try await self.hold(dossier, prompt: prompt)
    self.counters.admission(self.environment.uptime() - arrival)
    // 7. Generate: the engine starts while the hold goes to disk.
    let live = LiveRequest(gate: self, dossier: dossier, prompt: prompt, held: held)
    try await live.open(hold: held.ticket)
    return .live(live)
  }
}

extension LiveRequest {
  /// Steps 7 to 10: hands the answer to `deliver` as it comes and returns when the settlement is on disk.
  ///
  /// An error thrown by `deliver` means that the client is gone: the engine stops within one step and what was delivered is
  /// settled. Call once.
  ///
  /// - Parameter handover: Whether the client has each piece once `deliver` returns, or all of it only after the end.
  @discardableResult
  @concurrent
  public func run(handover: Handover, deliver: @concurrent (GovernedEvent) async throws -> Void) async -> UsageRecord? {
    guard var delivery = self.begin(handover) else { return nil }
    do {
      var events = self.stream.makeAsyncIterator()
      while true {
        // The time until the next event comes is the engine's silence.
        self.awaitsEngine(true)
        let next = try await events.next()
        self.awaitsEngine(false)
        guard let event = next else { return await self.endCancelled(delivery, deliver: deliver) }
        switch event {
        case .prompt: break
        case .delta, .deltas:
          // 8. Acceptable use of the output: only text whose window is clear is released.
          let step = delivery.take(event.steps)
          if !step.pieces.isEmpty {
            // What is beyond the last durable mark waits for the next one.
            try await self.mark(&delivery)
            for released in step.pieces { try await deliver(.piece(released)) }
            delivery.delivered()
          }
          if let finding = step.finding { return await self.endFiltered(delivery, finding, deliver: deliver) }
          // 9. Extend or cut: the hold follows the stream, or ends it at the exact token.
          try await self.extend(&delivery)
        case .end(let end):
          // 10. Settle, durably, before the client sees the end.
          return await self.end(delivery, end, deliver: deliver)
        }
      }
    } catch let error as CompletionError {
      return await self.breakOff(delivery, error, deliver: deliver)
    } catch let error as JournalError {
      return await self.breakOff(delivery, Refusal(error), deliver: deliver)
    } catch {
      return await self.abandon(delivery, finish: "client_abort")
    }
  }
}
