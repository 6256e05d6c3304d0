internal import LlamaModel
internal import ModelFiles

/// A model opened and checked: a GGUF file, a Hugging Face folder or a Meta checkpoint.
struct LoadedModel {
  let weights: LlamaModel

  /// - Throws: `machine` where the model needs more memory than the options allow; nothing has been loaded then.
  init(path: String, options: EngineOptions) throws(EngineError) {
    do {
      let source = try WeightSource(path: path)
      let need = try MemoryNeed(
        of: source, contextLength: options.contextLimit, sequences: options.maximumSequences,
        rows: max(options.prefillChunk, options.maximumSequences))
      if let limit = options.memoryLimit, need.total > limit { throw EngineError(need, limit: limit, path: path) }
      self.weights = try LlamaModel(source: source)
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
