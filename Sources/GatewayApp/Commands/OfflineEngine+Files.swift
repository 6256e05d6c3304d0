public import Documents
internal import InferenceEngine
internal import LlamaModel

extension OfflineEngine {
  /// The names that `engine quantize --type` takes.
  public static var quantizationTypes: [String] { QuantizationRecipe.allCases.map(\.rawValue) }

  /// Writes the model as one GGUF file.
  ///
  /// - Parameter progress: gets the share done, 0 to 1, and the tensor in work.
  /// - Throws: where the type is unknown, the model unfit or the file cannot be written; nothing is left then.
  public func quantize(to output: String, type: String, progress: (Double, String) -> Void) throws {
    guard let recipe = QuantizationRecipe(rawValue: type) else {
      throw StartFailure("'\(type)' is no type to store a model in: \(Self.quantizationTypes.joined(separator: ", "))")
    }
    try ModelQuantization(model: self.model, recipe: recipe).write(to: output, threads: self.threads) {
      progress(Double($0.done) / Double(max(1, $0.total)), $0.tensor)
    }
  }

  /// How well the model foretells a text.
  public func perplexity(_ text: String, window: Int?) throws -> JSON {
    let session = try self.session(isExact: true)
    let result = try session.perplexity(session.tokenize(text), window: window)
    return [
      "perplexity": .number("\(result.perplexity)"),
      "mean_negative_log_likelihood": .number("\(result.meanNegativeLogLikelihood)"),
      "predicted_tokens": .integer(result.predictedTokens),
    ]
  }

  /// A text's embedding, of length 1.
  public func embedding(_ text: String, pooling: String) throws -> [Float] {
    guard let pooling = Pooling(rawValue: pooling) else {
      throw StartFailure("'\(pooling)' is no pooling: \(Pooling.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let session = try self.session(isExact: true)
    return try session.embedding(session.tokenize(text), pooling: pooling)
  }
}
