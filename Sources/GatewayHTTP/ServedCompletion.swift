public import Governance

/// A completion that is over and settled, as telemetry tells of it: no prompt, no answer, no customer.
public struct ServedCompletion: Sendable {
  /// `chat` or `text_completion`.
  public var operation: String
  /// The model as the client named it; a fallback may have stood in for it.
  public var askedModel: String
  public var record: UsageRecord
  /// Why it ended, in the words of the wire; `error` where it broke off.
  public var finish: String
  /// From the end of admission to the first piece of the answer; nil where there was none.
  public var firstPiece: Duration?
  /// The caller's trace context (W3C), as sent.
  public var traceParent: String?
}

/// Takes the time of an answer's first piece.
struct FirstPiece {
  private let start = ContinuousClock.now
  private(set) var after: Duration?

  mutating func came() { if self.after == nil { self.after = ContinuousClock.now - self.start } }
}
