internal import Documents
internal import GovernanceTypes
internal import Synchronization

/// Responses that may be fetched again: in memory alone, for a few minutes, each for the customer that it was made for.
///
/// Bounded; the oldest go first. Prompts are not among them.
final class ResponseShelf: Sendable {
  static let byteLimit = 16 << 20
  static let lifetime = Duration.seconds(600)

  private struct Kept {
    var body: JSON
    var customer: CustomerID
    var bytes: Int
    var since: ContinuousClock.Instant
  }

  private struct State {
    var responses: [String: Kept] = [:]
    var order: [String] = []
    var bytes = 0

    mutating func remove(_ id: String) {
      guard let kept = self.responses.removeValue(forKey: id) else { return }
      self.bytes -= kept.bytes
    }

    /// Lets go of what is too old, or too much. Entries that were removed before leave the order here.
    mutating func tidy(now: ContinuousClock.Instant) {
      var gone = 0
      for id in self.order {
        if let kept = self.responses[id] {
          guard self.bytes > ResponseShelf.byteLimit || now - kept.since > ResponseShelf.lifetime else { break }
          self.remove(id)
        }
        gone += 1
      }
      self.order.removeFirst(gone)
    }
  }

  private let state = Mutex(State())

  func keep(_ body: JSON, id: String, of customer: CustomerID) {
    let bytes = body.bytes.count + 256
    let now = ContinuousClock.now
    self.state.withLock { state in
      state.responses[id] = Kept(body: body, customer: customer, bytes: bytes, since: now)
      state.order.append(id)
      state.bytes += bytes
      state.tidy(now: now)
    }
  }

  /// Nil where there is none for this customer; whether there is one for another is nobody's business.
  func take(_ id: String, of customer: CustomerID) -> JSON? {
    let now = ContinuousClock.now
    return self.state.withLock { state in
      state.tidy(now: now)
      // A `nil` beside a body would be read as JSON's null.
      guard let kept = state.responses[id], kept.customer == customer else { return Optional<JSON>.none }
      return kept.body
    }
  }

  func remove(_ id: String, of customer: CustomerID) -> Bool {
    self.state.withLock { state in
      guard state.responses[id]?.customer == customer else { return false }
      state.remove(id)
      return true
    }
  }
}
