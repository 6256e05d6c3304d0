import EngineFixtures
import LlamaModel
import ModelFiles
import Tensors
import Testing

/// The forward pass on models made on the spot, against the definition.
struct ForwardPassTests {
  static let sets = InstructionSet.allCases.filter(\.isAvailable)
  static let prompt: [Int32] = [1] + (0..<39).map { Int32(3 + ($0 * 37 + 11) % 290) }

  static func load(_ tiny: TinyLlama) throws -> LlamaModel {
    try LlamaModel(file: GGUFFile(bytes: tiny.bytes(), name: "tiny"))
  }

  static func pass(_ model: LlamaModel, _ set: InstructionSet = .widest, threads: Int = 2) throws -> ForwardPass {
    ForwardPass(model: model, backend: try CPUBackend(threads: threads, instructionSet: set), rowLimit: 64)
  }

  static func cache(_ model: LlamaModel) -> KVCache {
    KVCache(pool: KVBlockPool(shape: model.cacheShape(), capacity: 16))
  }

  static func worst(_ got: [[Float]], _ wanted: [[Double]]) -> Double {
    guard got.count == wanted.count else { return .infinity }
    return zip(got, wanted).reduce(0) { worst, rows in
      zip(rows.0, rows.1).reduce(worst) { max($0, abs(Double($1.0) - $1.1)) }
    }
  }

  static func check(_ tiny: TinyLlama, _ naive: NaiveLlama, _ set: InstructionSet = .widest) throws {
    let model = try Self.load(tiny)
    let wanted = naive.logits(Self.prompt)
    for cut in OracleTests.Cut.allCases {
      let worst = Self.worst(try OracleTests.logits(model, Self.prompt, cut, set), wanted)
      #expect(worst <= 1e-4, "\(cut): \(worst)")
    }
  }

  @Test("rounded activations: the definition with the same rounding", arguments: [WeightFormat.q8_0, .q4_0, .q6_K], Self.sets)
  func rounded(format: WeightFormat, set: InstructionSet) throws {
    var shape = TinyLlama.Shape()
    if format == .q6_K { (shape.width, shape.hidden, shape.layers) = (256, 256, 1) }
    let tiny = TinyLlama(shape, format: format)
    let model = try Self.load(tiny)
    let wanted = NaiveLlama(model: tiny, roundsActivations: true).logits(Self.prompt)
    let plain = NaiveLlama(model: tiny).logits(Self.prompt)
    for cut in OracleTests.Cut.allCases {
      let got = try OracleTests.logits(model, Self.prompt, cut, set, .fast)
      let worst = zip(got, wanted).map { Self.worst([$0], [$1]) }.sorted()
      try #require(worst.count == wanted.count)
      // One activation that lies between two integers may go the other way, and shows in few positions.
      #expect(worst[worst.count / 2] <= 1e-4 && worst[worst.count - 1] <= 0.05, "\(cut): \(worst)")
      // What the rounding itself changes, of logits that spread over some ten units.
      let change = Self.worst(got, plain)
      #expect(change > 1e-3 && change <= 0.5, "\(cut): \(change)")
    }
  }

  @Test("logits of every position and cut", arguments: WeightFormat.allCases, Self.sets)
  func logits(format: WeightFormat, set: InstructionSet) throws {
    var shape = TinyLlama.Shape()
    if format == .q6_K { (shape.width, shape.hidden, shape.layers) = (256, 256, 1) }
    let tiny = TinyLlama(shape, format: format)
    try Self.check(tiny, NaiveLlama(model: tiny), set)
  }

  @Test("heads that share, heads that do not, one head for all", arguments: [1, 2, 4])
  func grouping(keyValueHeads: Int) throws {
    var shape = TinyLlama.Shape()
    shape.keyValueHeads = keyValueHeads
    let tiny = TinyLlama(shape, seed: 2)
    try Self.check(tiny, NaiveLlama(model: tiny))
  }

  @Test("an output matrix that is the embedding")
  func tied() throws {
    var shape = TinyLlama.Shape()
    shape.isTied = true
    let tiny = TinyLlama(shape, seed: 3)
    try Self.check(tiny, NaiveLlama(model: tiny))
  }

  @Test("heads that are rotated in part, another base")
  func partialRotation() throws {
    var shape = TinyLlama.Shape()
    (shape.ropeDimensions, shape.ropeBase, shape.epsilon) = (6, 500_000, 1e-3)
    let tiny = TinyLlama(shape, seed: 4)
    try Self.check(tiny, NaiveLlama(model: tiny))
  }

  @Test("linear scaling divides positions")
  func linearScaling() throws {
    var tiny = TinyLlama(seed: 5)
    tiny.writer.set("llama.rope.scaling.type", .string("linear"))
    tiny.writer.set("llama.rope.scaling.factor", .float(4))
    try Self.check(tiny, NaiveLlama(model: tiny, ropeScale: 4))
  }

  @Test("frequency factors divide frequencies")
  func frequencyFactors() throws {
    var tiny = TinyLlama(seed: 6)
    let factors: [Float] = [1, 1, 1.5, 2, 3, 8, 8, 8]
    tiny.writer.tensors.append(
      GGUFWriter.Tensor(name: "rope_freqs.weight", type: 0, dimensions: [8], bytes: WeightFormat.f32.encode(factors).bytes))
    try Self.check(tiny, NaiveLlama(model: tiny, ropeFactors: factors.map(Double.init)))
  }

  @Test("a sequence in company has the same bits as alone", arguments: Self.sets)
  func company(set: InstructionSet) throws {
    let model = try Self.load(TinyLlama(format: .q8_0, seed: 7))
    let prompts: [[Int32]] = [[1], [1, 70, 80, 90, 100], Array(Self.prompt.prefix(20)), [1, 9]]
    let alone = try prompts.map { prompt in
      let pass = try Self.pass(model, set, threads: 1)
      let cache = Self.cache(model)
      var rows: [[Float]] = []
      for token in prompt {
        try pass.run([SequenceStep(tokens: [token], cache: cache)])
        rows.append(pass.logits(row: 0))
      }
      return rows
    }
    let pass = try Self.pass(model, set, threads: 3)
    let steps = prompts.map { SequenceStep(tokens: $0, cache: Self.cache(model), logits: .all) }
    let count = try pass.run(steps)
    #expect((0..<count).map { pass.logits(row: $0) } == alone.flatMap { $0 })
  }

  @Test("the number of threads changes no bit", arguments: Self.sets)
  func threads(set: InstructionSet) throws {
    let model = try Self.load(TinyLlama(format: .q4_0, seed: 8))
    let results = try [1, 2, 5].map { threads in
      let pass = try Self.pass(model, set, threads: threads)
      try pass.run([SequenceStep(tokens: Self.prompt, cache: Self.cache(model))])
      return pass.logits(row: 0)
    }
    #expect(results[0] == results[1] && results[1] == results[2])
  }

  @Test("only the logits asked for are computed, in the order of the steps")
  func wanted() throws {
    let model = try Self.load(TinyLlama(seed: 9))
    let pass = try Self.pass(model)
    let step = { (wanted: LogitsWanted) in
      SequenceStep(tokens: [1, 70, 80], cache: Self.cache(model), logits: wanted)
    }
    #expect(try pass.run([step(.none)]) == 0)
    #expect(try pass.run([step(.last), step(.none), step(.all)]) == 4)
    #expect(pass.logits(row: 0) == pass.logits(row: 3))
    #expect(pass.logits(row: 1) != pass.logits(row: 3))
  }

  @Test("a cache without room fails before anything is computed")
  func exhausted() throws {
    let model = try Self.load(TinyLlama(seed: 10))
    let cache = KVCache(pool: KVBlockPool(shape: model.cacheShape(), capacity: 1))
    let pass = try Self.pass(model)
    #expect(throws: TensorError.self) { try pass.run([SequenceStep(tokens: Self.prompt, cache: cache)]) }
    #expect(cache.count == 0)
    try pass.run([SequenceStep(tokens: Array(Self.prompt.prefix(32)), cache: cache)])
    #expect(cache.count == 32)
  }
}
