internal import Tensors

/// Which positions an embedding is made of.
public enum Pooling: String, Sendable, CaseIterable {
  case mean, last
}

/// Collects the hidden states of one sequence over any number of steps.
///
/// Sums in f64, position by position, so that the result does not depend on how the sequence was cut into steps.
public struct HiddenPool: Sendable {
  private let pooling: Pooling
  private var sum: [Double]
  private var last: [Float] = []
  private var count = 0

  public init(_ pooling: Pooling, width: Int) {
    self.pooling = pooling
    self.sum = [Double](repeating: 0, count: width)
  }

  /// Takes the rows of the pass's latest step, which was this sequence's alone.
  public mutating func add(_ pass: ForwardPass) { self.add(pass, rows: 0..<pass.rowCount) }

  /// Takes some rows of the pass's latest step: those of this sequence.
  public mutating func add(_ pass: ForwardPass, rows: Range<Int>) {
    for row in self.pooling == .last ? rows.suffix(1) : rows {
      let hidden = pass.hidden(row: row)
      self.count += 1
      switch self.pooling {
      case .last: self.last = hidden
      case .mean: for index in hidden.indices { self.sum[index] += Double(hidden[index]) }
      }
    }
  }

  /// The pooled vector at length 1; zeros where nothing was added.
  public func result() -> [Float] {
    let pooled = self.pooling == .last ? self.last.map(Double.init) : self.sum.map { $0 / Double(max(1, self.count)) }
    let length = pooled.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length > 0 else { return [Float](repeating: 0, count: self.sum.count) }
    return pooled.map { Float($0 / length) }
  }
}
