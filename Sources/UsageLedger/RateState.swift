public import GovernanceTypes

/// How a chain of subjects stands with its limits per minute: of several limits of one kind, the one that leaves least.
public struct RateState: Sendable, Equatable {
  public struct Measure: Sendable, Equatable {
    public var limit: Int
    public var remaining: Int
    /// How long until nothing counts against the limit any more, if nothing is added.
    public var reset: Duration

    public init(limit: Int, remaining: Int, reset: Duration) {
      self.limit = limit
      self.remaining = remaining
      self.reset = reset
    }
  }

  public var requests: Measure?
  public var tokens: Measure?

  public init(requests: Measure? = nil, tokens: Measure? = nil) {
    self.requests = requests
    self.tokens = tokens
  }
}

extension Ledger {
  /// The state of the rates that a request of this chain is held against.
  public func rateState(chain: [LedgerSubject], at now: Timestamp) -> RateState {
    var state = RateState()
    for limit in chain.flatMap({ self.limits(of: $0) }) {
      let window = self.rates[limit.id] ?? MinuteWindow()
      switch limit.measure {
      case .requestsPerMinute(let most): state.requests = tighter(state.requests, window.measure(limit: most, at: now))
      case .tokensPerMinute(let most): state.tokens = tighter(state.tokens, window.measure(limit: most, at: now))
      default: break
      }
    }
    return state
  }
}

private func tighter(_ known: RateState.Measure?, _ other: RateState.Measure) -> RateState.Measure {
  known.map { $0.remaining <= other.remaining ? $0 : other } ?? other
}
