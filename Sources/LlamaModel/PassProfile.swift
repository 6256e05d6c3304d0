/// Where the time of forward passes goes, part by part, with what each part read and computed.
public final class PassProfile {
  public enum Part: String, Sendable, CaseIterable {
    case norms
    case queryKeyValue = "query, key, value"
    case rotation = "rotation, storing"
    case attention
    case attentionOutput = "attention output"
    case gateUp = "gate, up"
    case activation
    case down
    case output
  }

  public struct Line: Sendable, Equatable {
    public var seconds = 0.0
    public var calls = 0
    /// Weights read, each once a call, as large as they are packed.
    public var weightBytes = 0
    /// Multiplications and additions with weights.
    public var operations = 0
  }

  public private(set) var lines: [Part: Line] = [:]
  private let clock = ContinuousClock()

  public init() {}

  public func removeAll() { self.lines.removeAll(keepingCapacity: true) }

  func measure(_ part: Part, weightBytes: Int = 0, operations: Int = 0, _ body: () -> Void) {
    let start = self.clock.now
    body()
    var line = self.lines[part] ?? Line()
    line.seconds += (self.clock.now - start) / .seconds(1)
    line.calls += 1
    line.weightBytes += weightBytes
    line.operations += operations
    self.lines[part] = line
  }
}
