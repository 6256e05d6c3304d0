import EngineFixtures
import LlamaModel
import ModelFiles
import Tensors
import Testing

/// Folders of every kind and architecture against what transformers computed from the same numbers.
struct ArchitectureFixtureTests {
  static let sets = InstructionSet.allCases.filter(\.isAvailable)

  static func load(_ name: String) throws -> LlamaModel { try LlamaModel(source: WeightSource(path: EngineFiles.path(name))) }

  @Test("logits of every position, in every cut", arguments: EngineFiles.models, Self.sets)
  func logits(name: String, set: InstructionSet) throws {
    let model = try Self.load(name)
    let (cases, wanted) = try EngineFiles.reference(name)
    for cut in OracleTests.Cut.allCases {
      let got = try OracleTests.logits(model, cases[0].prompt, cut, set)
      let worst = ForwardPassTests.worst(got, wanted.map { $0.map(Double.init) })
      #expect(worst <= 1e-4, "\(cut): \(worst)")
    }
  }

  @Test("64 greedy tokens", arguments: EngineFiles.models, Self.sets)
  func greedy(name: String, set: InstructionSet) throws {
    let model = try Self.load(name)
    for (number, example) in try EngineFiles.reference(name).cases.enumerated() {
      try #require(example.greedy.count == 64)
      let got = try Greedy.continuation(model, example.prompt, count: 64, set: set, threads: 1 + number)
      #expect(got == example.greedy)
    }
  }

  @Test("the same bits alone and among sixteen others, on one thread and on two", arguments: EngineFiles.models, Self.sets)
  func company(name: String, set: InstructionSet) throws {
    let model = try Self.load(name)
    let prompt = try EngineFiles.reference(name).cases[0].prompt
    let read = { (threads: Int, others: Int) throws -> [[Float]] in
      let pass = ForwardPass(model: model, backend: try CPUBackend(threads: threads, instructionSet: set), rowLimit: 128)
      let caches = (0...others).map { _ in KVCache(pool: KVBlockPool(shape: model.cacheShape(), capacity: 16)) }
      var rows: [[Float]] = []
      for (position, token) in prompt.enumerated() {
        let steps = caches.enumerated().map { index, cache in
          SequenceStep(tokens: [index == 0 ? token : Int32(3 + (position * 31 + index * 7) % 280)], cache: cache)
        }
        try pass.run(steps)
        rows.append(pass.logits(row: 0))
      }
      return rows
    }
    let alone = try read(1, 0)
    #expect(try read(2, 0) == alone)
    #expect(try read(1, 16) == alone)
    #expect(try read(2, 16) == alone)
  }

  @Test("what the folders say of themselves")
  func description() throws {
    let qwen = try Self.load("qwen2")
    #expect(qwen.description.architecture == "qwen2" && qwen.description.tensorTypes == ["BF16": 26])
    #expect(try Self.load("mistral").hyperparameters.slidingWindow == 7)
    let meta = try WeightSource(path: EngineFiles.path("llama-2-meta"))
    #expect(meta.kind == .meta && meta.files.count == 2 && meta.rotaryOrder == .adjacent)
    #expect(meta.tensor(named: "blk.1.ffn_down.weight")?.dimensions == [64, 32])
    // Side by side in the files, so copied: the embedding, and two matrices of each layer.
    #expect(meta.copiedByteCount == 2 * (288 * 32 + 2 * (32 * 32 + 32 * 64)))
    #expect(try WeightSource(path: EngineFiles.path("llama-2")).files.count == 3)
  }
}
