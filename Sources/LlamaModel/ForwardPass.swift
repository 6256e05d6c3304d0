public import Tensors

/// Which positions of a step the caller wants logits for.
public enum LogitsWanted: Sendable { case none, last, all }

/// The next tokens of one sequence: they follow what its cache holds.
public struct SequenceStep {
  public var tokens: [Int32]
  public var cache: KVCache
  public var logits: LogitsWanted

  public init(tokens: [Int32], cache: KVCache, logits: LogitsWanted = .last) {
    self.tokens = tokens
    self.cache = cache
    self.logits = logits
  }
}

/// Runs a model over steps of many sequences at once, in memory that is allocated once.
///
/// The logits of a sequence are bit for bit those it would have alone, however its tokens are cut into steps and on any number of
/// threads. In the steady state of decoding nothing is allocated but the caller's array of steps.
public final class ForwardPass {
  public let model: LlamaModel
  public let backend: CPUBackend
  /// The most tokens of one ``run(_:)``.
  public let rowLimit: Int
  private let state: FloatBuffer
  private let normed: FloatBuffer
  private let queryKeyValue: FloatBuffer
  private let attended: FloatBuffer
  private let gateUp: FloatBuffer
  private let projected: FloatBuffer
  private let rotation: Rotation
  private let plan = AttentionPlan()
  /// For the layers before those with a window, where there are such.
  private let widePlan: AttentionPlan?
  private var logits: FloatBuffer
  private var logitRows = 0
  private let hiddenRow: FloatBuffer
  /// Tokens of the latest run.
  public private(set) var rowCount = 0
  /// Where given, it adds up what each part of the runs takes.
  public var profile: PassProfile?

  /// - Precondition: `rowLimit` is at least 1.
  public init(model: LlamaModel, backend: CPUBackend, rowLimit: Int) {
    precondition(rowLimit >= 1)
    let parameters = model.hyperparameters
    self.model = model
    self.backend = backend
    self.rowLimit = rowLimit
    model.pack(backend)
    self.state = FloatBuffer(count: rowLimit * parameters.embeddingLength)
    self.normed = FloatBuffer(count: rowLimit * parameters.embeddingLength)
    self.queryKeyValue = FloatBuffer(count: rowLimit * (parameters.queryLength + 2 * parameters.keyValueLength))
    self.attended = FloatBuffer(count: rowLimit * parameters.queryLength)
    self.gateUp = FloatBuffer(count: rowLimit * 2 * parameters.feedForwardLength)
    self.projected = FloatBuffer(count: rowLimit * parameters.embeddingLength)
    self.widePlan = parameters.slidingWindow != nil && parameters.firstWindowedLayer > 0 ? AttentionPlan() : nil
    self.hiddenRow = FloatBuffer(count: parameters.embeddingLength)
    self.rotation = Rotation(parameters, factors: model.ropeFactors, order: model.rotaryOrder, rowLimit: rowLimit)
    self.logits = FloatBuffer(count: model.vocabulary.size)
  }

  /// Bytes of weights that each run reads.
  public var weightBytes: Int { self.model.projections.joined().reduce(0) { $0 + $1.packedBytes } }

  /// Reads all weights as a run does and computes nothing: the bound of decoding.
  public func readWeights() {
    let all = self.model.projections.flatMap(\.self)
    for (index, projection) in all.enumerated() {
      self.backend.readPacked(projection, before: index + 1 < all.count ? all[index + 1] : nil)
    }
  }

  public var vocabularySize: Int { self.model.vocabulary.size }

  /// Computes the steps; afterwards their caches hold the new positions and the logits asked for stand in rows, step by step.
  ///
  /// - Returns: how many rows of logits there are, each ``vocabularySize`` long; they stay until the next run.
  /// - Throws: `cacheExhausted`; nothing has been computed then.
  /// - Precondition: no step is empty, all together have at most ``rowLimit`` tokens, ids are in the vocabulary, no cache occurs
  ///   twice and none grows beyond the model's context.
  @discardableResult
  public func run(_ steps: [SequenceStep]) throws(TensorError) -> Int {
    let rows = try self.place(steps)
    self.rowCount = rows
    for layer in self.model.layers.indices { self.run(layer: layer, rows: rows) }
    self.backend.add(self.projected, count: rows * self.model.hyperparameters.embeddingLength, to: self.state)
    for step in steps { step.cache.commit(count: step.cache.count + step.tokens.count) }
    self.plan.removeAll()
    self.widePlan?.removeAll()
    self.project(steps)
    return self.logitRows
  }

  /// Lends one row of logits.
  public func withLogits<Result>(row: Int, _ body: (Span<Float>) -> Result) -> Result {
    precondition(row >= 0 && row < self.logitRows)
    return self.logits.withSpan(row * self.vocabularySize..<(row + 1) * self.vocabularySize, body)
  }

  /// A copy of one row of logits.
  public func logits(row: Int) -> [Float] {
    precondition(row >= 0 && row < self.logitRows)
    return self.logits.array(row * self.vocabularySize..<(row + 1) * self.vocabularySize)
  }

  /// The hidden state of a token of the latest run after the last norm: (embeddingLength,). Rows count all tokens, step by step.
  public func hidden(row: Int) -> [Float] {
    precondition(row >= 0 && row < self.rowCount)
    self.backend.rmsNorm(
      row: row, of: self.state, weight: self.model.outputNorm, epsilon: self.model.hyperparameters.epsilon, intoRow: 0,
      of: self.hiddenRow)
    return self.hiddenRow.array(0..<self.hiddenRow.count)
  }

  /// Embeds all tokens and plans their attention; the number of rows.
  private func place(_ steps: [SequenceStep]) throws(TensorError) -> Int {
    for step in steps { try step.cache.reserve(positions: step.cache.count + step.tokens.count) }
    self.plan.removeAll()
    self.widePlan?.removeAll()
    var row = 0
    for step in steps {
      precondition(!step.tokens.isEmpty && row + step.tokens.count <= self.rowLimit, "The steps have more tokens than rows.")
      let first = step.cache.count
      precondition(first + step.tokens.count <= self.model.hyperparameters.contextLength, "A sequence would leave its context.")
      self.backend.embed(step.tokens, from: self.model.embedding, into: self.state, firstRow: row)
      for index in step.tokens.indices {
        self.rotation.set(row: row + index, position: first + index)
        self.plan.append(
          step.cache, positions: first + index + 1, window: self.model.hyperparameters.slidingWindow ?? .max)
        self.widePlan?.append(step.cache, positions: first + index + 1)
      }
      row += step.tokens.count
    }
    return row
  }

  /// What the layer adds to the state is left in `projected`, for the next norm to take in.
  private func run(layer index: Int, rows: Int) {
    let parameters = self.model.hyperparameters
    let layer = self.model.layers[index]
    let width = parameters.embeddingLength
    self.measure(.norms) {
      self.backend.rmsNorm(
        self.state, adding: index == 0 ? nil : self.projected, rows: rows, weight: layer.attentionNorm,
        epsilon: parameters.epsilon, into: self.normed)
    }
    self.attend(layer, index, rows: rows)
    self.measure(.norms) {
      self.backend.rmsNorm(
        self.state, adding: self.projected, rows: rows, weight: layer.feedForwardNorm, epsilon: parameters.epsilon,
        into: self.normed)
    }
    let hidden = Activations(self.gateUp, stride: 2 * parameters.feedForwardLength)
    self.multiply(
      .gateUp, layer.gateUp, Activations(self.normed, stride: width), rows: rows, into: hidden, before: layer.down)
    self.measure(.activation) {
      self.backend.siluMultiply(self.gateUp, rows: rows, width: parameters.feedForwardLength)
    }
    let next = index + 1 < self.model.layers.count ? self.model.layers[index + 1].queryKeyValue : self.model.output
    self.multiply(
      .down, layer.down, hidden, rows: rows, into: Activations(self.projected, stride: width), before: next)
  }

  /// projected = attention of `normed`.
  private func attend(_ layer: LlamaModel.Layer, _ index: Int, rows: Int) {
    let parameters = self.model.hyperparameters
    let (width, query, keyValue) = (parameters.embeddingLength, parameters.queryLength, parameters.keyValueLength)
    let queries = Activations(self.queryKeyValue, stride: query + 2 * keyValue)
    self.multiply(
      .queryKeyValue, layer.queryKeyValue, Activations(self.normed, stride: width), rows: rows, into: queries,
      before: layer.attentionOutput)
    self.measure(.rotation) {
      if let bias = layer.bias { self.backend.add(bias: bias, to: self.queryKeyValue, count: rows, stride: queries.stride) }
      for row in 0..<rows {
        let start = row * queries.stride
        // Query and key heads stand side by side and are turned by the same angles.
        self.rotation.apply(
          row: row, to: self.queryKeyValue, offset: start, heads: parameters.headCount + parameters.keyValueHeadCount,
          self.backend)
      }
    }
    let attended = Activations(self.attended, stride: query)
    self.measure(.attention) {
      let plan = index < parameters.firstWindowedLayer ? self.widePlan ?? self.plan : self.plan
      self.backend.store(queries, plan: plan, layer: index, keys: query, values: query + keyValue)
      self.backend.attend(
        queries, plan: plan, layer: index, group: parameters.headCount / parameters.keyValueHeadCount,
        scale: 1 / Float(parameters.headDimension).squareRoot(), into: attended)
    }
    self.multiply(
      .attentionOutput, layer.attentionOutput, attended, rows: rows, into: Activations(self.projected, stride: width),
      before: layer.gateUp)
  }

  private func multiply(
    _ part: PassProfile.Part, _ weights: Projection, _ input: Activations, rows: Int, into output: Activations,
    before next: Projection? = nil
  ) {
    self.measure(part, weightBytes: weights.packedBytes, operations: 2 * weights.rows * weights.columns * rows) {
      self.backend.multiply(weights, input, rows: rows, into: output, before: next)
    }
  }

  private func measure(_ part: PassProfile.Part, weightBytes: Int = 0, operations: Int = 0, _ body: () -> Void) {
    guard let profile = self.profile else { return body() }
    profile.measure(part, weightBytes: weightBytes, operations: operations, body)
  }

  /// Normalises the rows whose logits are wanted, side by side, and multiplies them with the output matrix.
  private func project(_ steps: [SequenceStep]) {
    self.logitRows = 0
    var row = 0
    for step in steps {
      let last = row + step.tokens.count - 1
      switch step.logits {
      case .none: break
      case .last: self.collect(row: last)
      case .all: for wanted in row...last { self.collect(row: wanted) }
      }
      row = last + 1
    }
    let width = self.model.hyperparameters.embeddingLength
    if self.logits.count < self.logitRows * self.vocabularySize {
      self.logits = FloatBuffer(count: self.logitRows * self.vocabularySize)
    }
    self.multiply(
      .output, self.model.output, Activations(self.normed, stride: width), rows: self.logitRows,
      into: Activations(self.logits, stride: self.vocabularySize))
  }

  private func collect(row: Int) {
    self.backend.rmsNorm(
      row: row, of: self.state, weight: self.model.outputNorm, epsilon: self.model.hyperparameters.epsilon,
      intoRow: self.logitRows, of: self.normed)
    self.logitRows += 1
  }
}
