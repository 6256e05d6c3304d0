internal import LlamaModel
internal import ModelFiles

/// A model opened and checked: a GGUF file, a Hugging Face folder or a Meta checkpoint.
struct LoadedModel {
  let weights: LlamaModel

  init(path: String) throws(EngineError) {
    do {
      self.weights = try LlamaModel(source: WeightSource(path: path))
    } catch {
      throw EngineError(error)
    }
  }

  func preparation(contextLength: Int) -> PromptPreparation {
    PromptPreparation(vocabulary: self.weights.vocabulary, contextLength: contextLength)
  }
}
