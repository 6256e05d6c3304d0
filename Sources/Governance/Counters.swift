public import GovernanceTypes
internal import Synchronization

/// What governance counts of itself, for whoever publishes metrics. No customer, key or user appears in it.
public struct CounterSnapshot: Sendable {
  public struct Decision: Hashable, Sendable {
    public var moment: String
    public var verdict: String
    public var license: String
    public var clause: String
  }

  public struct Tokens: Hashable, Sendable {
    public var model: ModelID
    public var category: UsageCategory
  }

  public internal(set) var requests: [String: Int] = [:]
  public internal(set) var decisions: [Decision: Int] = [:]
  public internal(set) var tokens: [Tokens: Int] = [:]
  public internal(set) var undelivered: [ModelID: Int] = [:]
  public internal(set) var alerts: [Alert.Kind: Int] = [:]
  public internal(set) var spend: [Currency: NanoAmount] = [:]
  /// Time from a request's arrival to its hold's submission, by upper bound in microseconds; the last is unbounded.
  public internal(set) var admissionBuckets = [Int](repeating: 0, count: Self.admissionBounds.count + 1)
  public internal(set) var admissionNanoseconds: Int64 = 0

  public static let admissionBounds = [50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000, 250_000]
}

/// The counters, behind one lock that is held for a few dictionary updates.
final class Counters: Sendable {
  private let state = Mutex(CounterSnapshot())

  var snapshot: CounterSnapshot { self.state.withLock { $0 } }

  func request(outcome: String) { self.state.withLock { $0.requests[outcome, default: 0] += 1 } }

  func alert(_ kind: Alert.Kind) { self.state.withLock { $0.alerts[kind, default: 0] += 1 } }

  func decision(moment: String, verdict: String, license: String, clause: String) {
    let key = CounterSnapshot.Decision(moment: moment, verdict: verdict, license: license, clause: clause)
    self.state.withLock { $0.decisions[key, default: 0] += 1 }
  }

  func settled(_ record: UsageRecord) {
    self.state.withLock { state in
      let tokens: [(UsageCategory, TokenCount)] = [
        (.promptUncached, record.tokens.promptUncached), (.promptCached, record.tokens.promptCached),
        (.completion, record.tokens.completion),
      ]
      for (category, count) in tokens where count > .zero {
        state.tokens[CounterSnapshot.Tokens(model: record.model, category: category), default: 0] += count.value
      }
      if record.undelivered > .zero { state.undelivered[record.model, default: 0] += record.undelivered.value }
      state.spend[record.currency, default: .zero] += record.amount
    }
  }

  func admission(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    let bucket = CounterSnapshot.admissionBounds.firstIndex { nanoseconds <= Int64($0) * 1000 }
    self.state.withLock { state in
      state.admissionBuckets[bucket ?? CounterSnapshot.admissionBounds.count] += 1
      state.admissionNanoseconds += nanoseconds
    }
  }
}
