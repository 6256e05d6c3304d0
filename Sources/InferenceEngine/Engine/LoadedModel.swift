internal import LlamaModel
internal import ModelFiles

/// A model file opened and checked.
struct LoadedModel {
  let weights: LlamaModel

  init(path: String) throws(EngineError) {
    let file: GGUFFile
    do {
      file = try GGUFFile(path: path)
    } catch {
      throw EngineError(error)
    }
    do {
      self.weights = try LlamaModel(file: file)
    } catch {
      throw EngineError(error)
    }
  }

  func preparation(contextLength: Int) -> PromptPreparation {
    PromptPreparation(vocabulary: self.weights.vocabulary, contextLength: contextLength)
  }
}
