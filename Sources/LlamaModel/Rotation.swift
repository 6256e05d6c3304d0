internal import Glibc
internal import Tensors

/// Rotary position embedding: the angles of the rows of one step, computed once and used by every layer.
///
/// Frequency of pair i: base^(-2 i / dimensions), in f32 as the reference implementations have it; angle: position times
/// frequency.
final class Rotation {
  private let frequencies: [Float]
  private let headDimension: Int
  private let scale: Float
  private let order: RotaryOrder
  private let angles: FloatBuffer

  init(_ parameters: Hyperparameters, factors: [Float], order: RotaryOrder, rowLimit: Int) {
    let dimensions = parameters.ropeDimensions
    self.frequencies = (0..<dimensions / 2).map { pair in
      let frequency = pow(parameters.ropeBase, -2 * Double(pair) / Double(dimensions))
      return Float(factors.isEmpty ? frequency : frequency / Double(factors[pair]))
    }
    self.headDimension = parameters.headDimension
    self.scale = Float(parameters.ropeScale)
    self.order = order
    self.angles = FloatBuffer(count: rowLimit * dimensions)
  }

  func set(row: Int, position: Int) {
    let pairs = self.frequencies.count
    let scaled = Float(position) / self.scale
    for pair in 0..<pairs {
      let angle = scaled * self.frequencies[pair]
      self.angles[row * 2 * pairs + pair] = cosf(angle)
      self.angles[(row * 2 + 1) * pairs + pair] = sinf(angle)
    }
  }

  func apply(row: Int, to buffer: FloatBuffer, offset: Int, heads: Int, _ backend: CPUBackend) {
    let pairs = self.frequencies.count
    backend.rotate(
      buffer, offset: offset, heads: heads, headDimension: self.headDimension, angles: self.angles,
      angleOffset: row * 2 * pairs, pairs: pairs, order: self.order)
  }
}
