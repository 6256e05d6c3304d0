import EngineFixtures
import Foundation
import InferenceEngine
import LlamaModel
import Tensors
import Testing

/// Memory before loading; perplexity and embeddings by their definitions.
struct ReadingTests {
  @Test("a model beyond the memory limit is refused before it is loaded")
  func memory() throws {
    let path = try TinyEngine.path.get()
    let need = try MemoryNeed(of: WeightSource(path: path), contextLength: 64, sequences: 3, rows: 512 + 3 + 8)
    // Two layers of keys and values with two heads of sixteen, 64 positions, three sequences.
    #expect(need.cacheBytes == 2 * 2 * 2 * 16 * 64 * 4 * 3 && need.copiedBytes == 0)
    let fits = EngineOptions(maximumSequences: 3, contextLimit: 64, memoryLimit: need.total)
    _ = try ModelSession(path: path, options: fits)
    var tight = fits
    tight.memoryLimit = need.total - 1
    let error = #expect(throws: EngineError.self) { try ModelSession(path: path, options: tight) }
    tight.kvType = .f16
    _ = try ModelSession(path: path, options: tight)
    tight.kvType = .f32
    #expect(error?.code == .machine && error?.message.contains("needs") == true)
    #expect(throws: EngineError.self) { try EmbeddedEngine(path: path, options: tight) }
    for hostile in [EngineOptions(maximumSequences: .max, memoryLimit: 1), EngineOptions(contextLimit: .max, memoryLimit: 1)] {
      #expect(throws: EngineError.self) { try ModelSession(path: path, options: hostile) }
    }
  }

  @Test("perplexity is what the logits say", arguments: [2, 7, 40, 128])
  func perplexity(window: Int) throws {
    let session = try ModelSession(path: TinyEngine.path.get(), options: EngineOptions(prefillChunk: 16))
    let tokens: [Int32] = [1] + (0..<60).map { Int32(3 + $0 * 7 % 280) }
    var (sum, count) = (0.0, 0)
    for start in stride(from: 0, to: tokens.count, by: window) {
      let part = Array(tokens[start..<min(start + window, tokens.count)])
      guard part.count > 1 else { continue }
      for (row, token) in zip(try session.logits(part), part.dropFirst()) {
        let total = row.reduce(0.0) { $0 + exp(Double($1)) }
        sum += log(total) - Double(row[Int(token)])
        count += 1
      }
    }
    let result = try session.perplexity(tokens, window: window)
    #expect(result.predictedTokens == count)
    #expect(abs(result.perplexity / exp(sum / Double(count)) - 1) < 1e-5)
    #expect(throws: EngineError.self) { try session.perplexity([1], window: window) }
    #expect(throws: EngineError.self) { try session.perplexity(tokens, window: 129) }
  }

  /// Hidden states times the output matrix are the logits; so a pooled hidden state times it is the pooled logits.
  @Test("an embedding is the pooled hidden state, of length 1, in any chunks", arguments: Pooling.allCases)
  func embedding(pooling: Pooling) throws {
    let tiny = TinyLlama(seed: 9)
    let path = try tiny.write()
    let tokens: [Int32] = [1] + (0..<50).map { Int32(3 + $0 * 11 % 280) }
    let session = try ModelSession(path: path, options: EngineOptions(prefillChunk: 128))
    let embedding = try session.embedding(tokens, pooling: pooling)
    #expect(abs(embedding.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    let output = try #require(tiny.weights["output.weight"])
    let logits = try session.logits(tokens)
    let rows = pooling == .last ? logits.suffix(1) : logits[...]
    let pooled = (0..<TinyLlama.vocabularySize).map { index in rows.reduce(0.0) { $0 + Double($1[index]) } }
    let projected = (0..<TinyLlama.vocabularySize).map { row in
      zip(output[row * 64..<(row + 1) * 64], embedding).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    }
    let dot = zip(pooled, projected).reduce(0) { $0 + $1.0 * $1.1 }
    let lengths = [pooled, projected].map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    #expect(dot / (lengths[0] * lengths[1]) > 1 - 1e-6)
    for chunk in [1, 7] {
      let other = try ModelSession(path: path, options: EngineOptions(maximumSequences: 1, prefillChunk: chunk))
      #expect(zip(try other.embedding(tokens, pooling: pooling), embedding).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    #expect(throws: EngineError.self) { try session.embedding([], pooling: pooling) }
  }
}
