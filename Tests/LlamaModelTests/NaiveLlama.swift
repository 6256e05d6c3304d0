import EngineFixtures
import Foundation

/// A Llama written from its definition in f64, without cache, batches or kernels: the oracle for models made on the spot.
struct NaiveLlama {
  let model: TinyLlama
  /// Whether products with quantised weights round their activations.
  var roundsActivations = false
  /// What positions are divided by.
  var ropeScale = 1.0
  /// What the frequency of each pair is divided by.
  var ropeFactors: [Double] = []

  /// The logits of every position.
  func logits(_ tokens: [Int32]) -> [[Double]] {
    let shape = self.model.shape
    var states = tokens.map { token in
      self.weight("token_embd.weight")[Int(token) * shape.width..<(Int(token) + 1) * shape.width].map { $0 }
    }
    for layer in 0..<shape.layers {
      let prefix = "blk.\(layer)."
      let mixed = self.attention(prefix, states.map { self.norm($0, prefix + "attn_norm.weight") })
      states = zip(states, mixed).map(Self.sum)
      states = states.map { state in
        let normed = self.norm(state, prefix + "ffn_norm.weight")
        let gate = self.product(prefix + "ffn_gate.weight", normed)
        let up = self.product(prefix + "ffn_up.weight", normed)
        let hidden = zip(gate, up).map { $0 / (1 + exp(-$0)) * $1 }
        return Self.sum(state, self.product(prefix + "ffn_down.weight", hidden))
      }
    }
    let output = shape.isTied ? "token_embd.weight" : "output.weight"
    return states.map { self.product(output, self.norm($0, "output_norm.weight")) }
  }

  private func attention(_ prefix: String, _ states: [[Double]]) -> [[Double]] {
    let shape = self.model.shape
    let size = shape.headDimension
    let rotated = { (name: String) in
      states.enumerated().map { self.rotate(self.product(prefix + name, $1), position: $0) }
    }
    let (queries, keys) = (rotated("attn_q.weight"), rotated("attn_k.weight"))
    let values = states.map { self.product(prefix + "attn_v.weight", $0) }
    return states.indices.map { position in
      var mixed: [Double] = []
      for head in 0..<shape.heads {
        let shared = head / (shape.heads / shape.keyValueHeads) * size
        let query = queries[position][head * size..<(head + 1) * size]
        let scores = (0...position).map { past in
          zip(query, keys[past][shared..<shared + size]).reduce(0) { $0 + $1.0 * $1.1 } / Double(size).squareRoot()
        }
        let high = scores.max() ?? 0
        let weights = scores.map { exp($0 - high) }
        let total = weights.reduce(0, +)
        mixed += (0..<size).map { d in
          (0...position).reduce(0) { $0 + weights[$1] * values[$1][shared + d] } / total
        }
      }
      return self.product(prefix + "attn_output.weight", mixed)
    }
  }

  private func rotate(_ vector: [Double], position: Int) -> [Double] {
    let shape = self.model.shape
    var result = vector
    for head in stride(from: 0, to: vector.count, by: shape.headDimension) {
      for pair in 0..<shape.ropeDimensions / 2 {
        var frequency = pow(Double(shape.ropeBase), -2 * Double(pair) / Double(shape.ropeDimensions))
        if !self.ropeFactors.isEmpty { frequency /= self.ropeFactors[pair] }
        let angle = Double(position) / self.ropeScale * frequency
        let (a, b) = (vector[head + 2 * pair], vector[head + 2 * pair + 1])
        result[head + 2 * pair] = a * cos(angle) - b * sin(angle)
        result[head + 2 * pair + 1] = a * sin(angle) + b * cos(angle)
      }
    }
    return result
  }

  private func weight(_ name: String) -> [Double] { (self.model.weights[name] ?? []).map(Double.init) }

  private func product(_ name: String, _ vector: [Double]) -> [Double] {
    let weights = self.model.weights[name] ?? []
    let vector = self.roundsActivations ? Self.rounded(vector) : vector
    return (0..<weights.count / vector.count).map { row in
      var sum = 0.0
      for column in vector.indices { sum += Double(weights[row * vector.count + column]) * vector[column] }
      return sum
    }
  }

  /// What quantised weights are multiplied with: integers of -127...127, each 32 numbers in steps of a 127th of the largest.
  private static func rounded(_ vector: [Double]) -> [Double] {
    stride(from: 0, to: vector.count, by: 32).flatMap { start in
      let block = vector[start..<start + 32]
      let step = (block.map(abs).max() ?? 0) / 127
      return block.map { step == 0 ? 0 : ($0 / step).rounded(.toNearestOrEven) * step }
    }
  }

  private func norm(_ vector: [Double], _ name: String) -> [Double] {
    let mean = vector.reduce(0) { $0 + $1 * $1 } / Double(vector.count)
    let scale = 1 / (mean + Double(self.model.shape.epsilon)).squareRoot()
    return zip(vector, self.weight(name)).map { $0 * scale * $1 }
  }

  private static func sum(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map(+) }
}
