import LlamaModel
import Tensors

enum Greedy {
  /// The most likely token, `count` times; the prompt in one step and then token by token.
  static func continuation(
    _ model: LlamaModel, _ prompt: [Int32], count: Int, set: InstructionSet, threads: Int
  ) throws -> [Int32] {
    let pass = ForwardPass(
      model: model, backend: try CPUBackend(threads: threads, instructionSet: set, activations: .exact),
      rowLimit: max(64, prompt.count))
    let cache = KVCache(pool: KVBlockPool(shape: model.cacheShape(), capacity: 64))
    var tokens: [Int32] = []
    var next = prompt
    while tokens.count < count {
      try pass.run([SequenceStep(tokens: next, cache: cache)])
      let token = Self.highest(pass.logits(row: 0))
      tokens.append(token)
      next = [token]
    }
    return tokens
  }

  static func highest(_ logits: [Float]) -> Int32 {
    var best = 0
    for index in logits.indices where logits[index] > logits[best] { best = index }
    return Int32(best)
  }
}
