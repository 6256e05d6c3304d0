import EngineFixtures
import LlamaModel
import ModelFiles
import Tensors
import Testing

/// Logits and continuations against those that PyTorch and transformers computed from the same numbers.
@Suite(.enabled(if: SharedData.hasOracle, "reference data in shared/data/oracle is absent"))
struct OracleTests {
  static let sets = InstructionSet.allCases.filter(\.isAvailable)

  /// Ways to cut a sequence into steps.
  enum Cut: String, CaseIterable, CustomTestStringConvertible {
    case tokenByToken, chunked, whole
    var testDescription: String { self.rawValue }
  }

  @Test("logits of every position", arguments: ["f32", "f16"], Self.sets)
  func logits(type: String, set: InstructionSet) throws {
    let model = try LlamaModel(file: GGUFFile(path: SharedData.oraclePath("model-\(type).gguf")))
    let reference = try OracleReference.load()
    for cut in Cut.allCases {
      for (index, example) in reference.cases.enumerated() {
        let wanted = try OracleReference.logits(index)
        let got = try Self.logits(model, example.prompt, cut, set)
        try #require(got.count == wanted.count)
        let worst = zip(got, wanted).reduce(Float(0)) { worst, rows in
          zip(rows.0, rows.1).reduce(worst) { max($0, abs($1.0 - $1.1)) }
        }
        #expect(worst <= 1e-4, "\(type) \(set) \(cut) case \(index): \(worst)")
      }
    }
  }

  @Test("greedy continuation", arguments: ["f32", "f16"], Self.sets)
  func greedy(type: String, set: InstructionSet) throws {
    let model = try LlamaModel(file: GGUFFile(path: SharedData.oraclePath("model-\(type).gguf")))
    for example in try OracleReference.load().cases {
      let got = try Greedy.continuation(model, example.prompt, count: example.greedy.count, set: set, threads: 2)
      #expect(got == example.greedy)
    }
  }

  @Test("greedy continuation of quantised files", arguments: ["Q8_0", "Q4_0"], Self.sets)
  func quantised(type: String, set: InstructionSet) throws {
    let model = try LlamaModel(file: GGUFFile(path: SharedData.oraclePath("model-\(type).gguf")))
    let golden = try #require(QuantisedGolden.continuations[type])
    for (example, wanted) in zip(try OracleReference.load().cases, golden) {
      #expect(try Greedy.continuation(model, example.prompt, count: wanted.count, set: set, threads: 2) == wanted)
    }
  }

  static func logits(
    _ model: LlamaModel, _ tokens: [Int32], _ cut: Cut, _ set: InstructionSet, _ activations: ActivationPrecision = .exact
  ) throws -> [[Float]] {
    let pass = ForwardPass(
      model: model, backend: try CPUBackend(threads: 2, instructionSet: set, activations: activations), rowLimit: 64)
    let cache = KVCache(pool: KVBlockPool(shape: model.cacheShape(), capacity: 16))
    let length =
      switch cut {
      case .tokenByToken: 1
      case .chunked: 7
      case .whole: tokens.count
      }
    var rows: [[Float]] = []
    for start in stride(from: 0, to: tokens.count, by: length) {
      let chunk = Array(tokens[start..<min(start + length, tokens.count)])
      let count = try pass.run([SequenceStep(tokens: chunk, cache: cache, logits: .all)])
      for row in 0..<count { rows.append(pass.logits(row: row)) }
    }
    return rows
  }
}
