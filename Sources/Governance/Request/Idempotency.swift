internal import Documents
public import GovernanceTypes
internal import Synchronization

/// The result of a request that is over, for a retry under the same idempotency key.
public struct RecordedReply: Sendable {
  /// One for each answer that was asked for.
  public let answers: [ReleasedPiece]
  public let record: UsageRecord
  public let finish: Finish
  public let model: ModelID
  public let terms: [TermFileID]
  /// Duties that ride along and reach the client as headers.
  public let responseHeaders: [(name: String, value: String)]

  var byteCount: Int { self.answers.reduce(0) { $0 + $1.byteCount } }
}

/// Replies to requests that carried an idempotency key, in memory only: prompts and completions are never stored.
///
/// Bounded; the oldest go first. A retry whose reply is gone is refused rather than charged again.
struct RecordedReplies: Sendable {
  static let byteLimit = 16 << 20
  private var replies: [UsageID: RecordedReply] = [:]
  private var order: [UsageID] = []
  private var bytes = 0

  mutating func keep(_ reply: RecordedReply) {
    self.replies[reply.record.usage] = reply
    self.order.append(reply.record.usage)
    self.bytes += reply.byteCount
    while self.bytes > Self.byteLimit, let oldest = self.order.first {
      self.order.removeFirst()
      self.bytes -= self.replies.removeValue(forKey: oldest)?.byteCount ?? 0
    }
  }

  subscript(usage: UsageID) -> RecordedReply? { self.replies[usage] }
}

extension Gate {
  /// The recorded result of an earlier request under the same key; nil where there was none.
  ///
  /// - Throws: `idempotency_conflict` where the key was used for another body, or its request is still running, or its reply is
  ///   no longer kept.
  func recordedReply(to call: Call, from caller: Caller) throws(Refusal) -> RecordedReply? {
    guard let key = self.idempotencyKey(call, caller) else { return nil }
    let (known, reply, isOpen) = self.state.withLock { state -> (IdempotencyState?, RecordedReply?, Bool) in
      let now = state.tick(self.environment.now())
      guard let known = state.idempotency[key], now < known.expires else { return (nil, nil, false) }
      let isOpen = state.openHolds[known.usage] != nil || state.replying.contains(known.usage)
      return (known, state.replies[known.usage], isOpen)
    }
    guard let known else { return nil }
    guard known.requestDigest == call.bodyDigest else {
      throw Refusal(.idempotencyConflict, "The idempotency key was used for a request with another body. Use a new key.")
    }
    if let reply { return reply }
    throw Refusal(
      .idempotencyConflict,
      isOpen
        ? "The request under this idempotency key is still running (usage \(known.usage)). Retry when it is over."
        : "The request under this idempotency key was served and charged once (usage \(known.usage)); its text is no longer kept, and it is not charged again. Use a new key for a new answer.",
      retryAfter: isOpen ? .seconds(1) : nil)
  }

  /// Binds the key to the request; false where another request took it meanwhile. Part of the step that makes the hold, under its
  /// lock: of two retries at once one runs.
  func remember(_ dossier: Dossier, state: inout GateState, at now: Timestamp) -> Bool {
    guard let key = self.idempotencyKey(dossier.call, dossier.caller) else { return true }
    if let known = state.idempotency[key], now < known.expires { return false }
    if state.idempotency.count > 100_000 { state.idempotency = state.idempotency.filter { now < $0.value.expires } }
    state.idempotency[key] = IdempotencyState(
      requestDigest: dossier.call.bodyDigest, usage: dossier.usage, expires: now.advanced(by: self.policy.idempotencyLifetime))
    state.boundKeys[dossier.usage] = key
    return true
  }

  func idempotencyRecord(_ dossier: Dossier, at now: Timestamp) -> IdempotencyRecord? {
    self.idempotencyKey(dossier.call, dossier.caller).map {
      IdempotencyRecord(
        customer: $0.customer, keyDigest: $0.keyDigest, requestDigest: dossier.call.bodyDigest, usage: dossier.usage,
        expires: now.advanced(by: self.policy.idempotencyLifetime))
    }
  }

  private func idempotencyKey(_ call: Call, _ caller: Caller) -> IdempotencyKey? {
    call.idempotencyKey.map {
      IdempotencyKey(
        customer: caller.customer.id, keyDigest: self.environment.keyedDigest(self.environment.tagKey, Array($0.utf8)))
    }
  }

  /// From here on a retry is told to wait, though the hold is closed.
  func expectReply(of live: LiveRequest) {
    guard live.dossier.call.idempotencyKey != nil else { return }
    self.state.withLock { _ = $0.replying.insert(live.usage) }
  }

  /// The reply is kept, or there will be none.
  func endReply(of live: LiveRequest) {
    guard live.dossier.call.idempotencyKey != nil else { return }
    self.state.withLock { _ = $0.replying.remove(live.usage) }
  }

  /// Keeps the reply for a retry, where the request carried a key.
  func record(reply finish: Finish, _ record: UsageRecord, answers: [ReleasedPiece], of live: LiveRequest) {
    guard live.dossier.call.idempotencyKey != nil else { return }
    let reply = RecordedReply(
      answers: answers, record: record, finish: finish, model: live.model, terms: live.terms,
      responseHeaders: live.responseHeaders)
    self.state.withLock { $0.replies.keep(reply) }
  }

  /// Frees the key of a request that was refused after it had taken it.
  func release(idempotencyOf dossier: Dossier, state: inout GateState) {
    guard let key = self.idempotencyKey(dossier.call, dossier.caller) else { return }
    state.idempotency[key] = nil
    state.boundKeys[dossier.usage] = nil
  }

  /// Frees the key of a request that was voided, so that a retry runs; the key, where it had one.
  @discardableResult
  func release(idempotencyOf usage: UsageID, state: inout GateState) -> IdempotencyKey? {
    guard let key = state.boundKeys.removeValue(forKey: usage), state.idempotency[key]?.usage == usage else { return nil }
    state.idempotency[key] = nil
    return key
  }
}
