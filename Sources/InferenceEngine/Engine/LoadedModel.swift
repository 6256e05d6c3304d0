internal import LlamaModel
internal import ModelFiles
internal import Tensors

/// A model opened and checked: a GGUF file, a Hugging Face folder or a Meta checkpoint.
struct LoadedModel {
  let weights: LlamaModel
  /// How keys and values are stored where the options do not say.
  let kvType: KVType

  /// - Throws: `machine` where the model needs more memory than the options allow; nothing has been loaded then.
  ///
  /// - Parameter isOffline: keys and values are kept exact where the options do not say otherwise.
  init(path: String, options: EngineOptions, isOffline: Bool = false) throws(EngineError) {
    do {
      let source = try WeightSource(path: path)
      // Weights that are not rounded deserve keys and values that are not.
      let isExact = source.tensor(named: "token_embd.weight")?.type == .f32
      let kvType = options.kvType ?? (isExact || isOffline ? .f32 : .f16)
      let need = try MemoryNeed(
        of: source, contextLength: options.contextLimit, sequences: options.maximumSequences, rows: options.rowLimit,
        kvType: kvType, cacheBytes: options.kvMemory)
      if let limit = options.memoryLimit, need.total > limit { throw EngineError(need, limit: limit, path: path) }
      self.weights = try LlamaModel(source: source)
      self.kvType = kvType
    } catch let error as LlamaModelError {
      throw EngineError(error)
    } catch let error as EngineError {
      throw error
    } catch {
      throw EngineError(.machine, "\(error)")
    }
  }

  func preparation(contextLength: Int) -> PromptPreparation {
    PromptPreparation(vocabulary: self.weights.vocabulary, contextLength: contextLength)
  }
}

extension EngineError {
  fileprivate init(_ need: MemoryNeed, limit: Int, path: String) {
    let mebibytes = { (bytes: Int) in "\(bytes >> 20) MiB" }
    self.init(
      .machine,
      "\(path): the model needs \(mebibytes(need.total)) and \(mebibytes(limit)) are allowed: weights "
        + "\(mebibytes(need.mappedBytes + need.copiedBytes)), keys and values \(mebibytes(need.cacheBytes)), work "
        + "\(mebibytes(need.workBytes)). Raise the limit, or lower the context or the number of sequences.")
  }
}
