internal import Synchronization

/// How many completion tokens an engine may produce for one request, raised by the payer while the engine runs.
///
/// It is at once the money's hard stop (a final grant is the exact token where funds end) and the back-pressure of a slow
/// client (a grant that follows what was delivered).
public final class TokenAllowance: Sendable {
  public struct Grant: Sendable, Equatable {
    public var tokens: Int
    /// No further raise will come: reaching `tokens` ends the completion.
    public var isFinal: Bool

    public init(tokens: Int, isFinal: Bool) {
      self.tokens = tokens
      self.isFinal = isFinal
    }
  }

  private struct State {
    var grant: Grant
    var wake: (@Sendable () -> Void)?
  }

  private let state: Mutex<State>

  public init(tokens: Int, isFinal: Bool = true) {
    self.state = Mutex(State(grant: Grant(tokens: tokens, isFinal: isFinal)))
  }

  public var grant: Grant { self.state.withLock { $0.grant } }

  /// Raises the grant and wakes the engine. A grant never falls and never stops being final.
  public func raise(to tokens: Int, isFinal: Bool) {
    let wake = self.state.withLock { state -> (@Sendable () -> Void)? in
      guard !state.grant.isFinal else { return nil }
      let raised = Grant(tokens: max(tokens, state.grant.tokens), isFinal: isFinal)
      guard raised != state.grant else { return nil }
      state.grant = raised
      return state.wake
    }
    wake?()
  }

  /// Called by the engine, once: `wake` runs after each raise, on the raiser's thread.
  public func onRaise(_ wake: @escaping @Sendable () -> Void) {
    self.state.withLock { $0.wake = wake }
  }
}
