public import LlamaModel
internal import ModelFiles

/// What a model's files say and hold, without running it: for people, records and decisions about loading.
public struct ModelInspection: Sendable {
  public struct Tensor: Sendable {
    public let name: String
    public let storedName: String
    public let type: String
    /// Innermost first.
    public let dimensions: [Int]
    public let byteCount: Int
  }

  public struct File: Sendable {
    public let path: String
    public let byteCount: Int
  }

  /// A model that this one was made from, as the files claim.
  public struct Base: Sendable {
    public let name: String?
    public let organization: String?
    public let url: String?
  }

  public let layout: String
  public let description: ModelDescription
  public let parameters: Hyperparameters
  public let files: [File]
  public let lineage: [Base]
  public let tensors: [Tensor]
  /// For one sequence at full length.
  public let memory: MemoryNeed

  /// - Throws: ``EngineError`` with what makes the files unfit to run.
  public init(model path: String) throws(EngineError) {
    do {
      let source = try WeightSource(path: path)
      let model = try LlamaModel(source: source)
      self.layout = source.kind.rawValue
      self.description = model.description
      self.parameters = model.hyperparameters
      self.files = source.files.map { File(path: $0.path, byteCount: $0.byteCount) }
      self.lineage = Self.lineage(source.metadata)
      self.tensors = source.tensors.map {
        Tensor(
          name: $0.name, storedName: $0.storedName, type: $0.type.name, dimensions: $0.dimensions, byteCount: $0.byteCount)
      }
      self.memory = try MemoryNeed(of: source)
    } catch {
      throw EngineError(error)
    }
  }

  private static func lineage(_ metadata: GGUFMetadata) -> [Base] {
    let count = min(metadata.unsigned("general.base_model.count") ?? 0, 64)
    return (0..<count).map { number in
      let prefix = "general.base_model.\(number)."
      return Base(
        name: metadata.string(prefix + "name"), organization: metadata.string(prefix + "organization"),
        url: metadata.string(prefix + "repo_url"))
    }
  }

  /// The files with weights under a path, in the order in which their digests are combined.
  ///
  /// - Throws: ``EngineError`` where they cannot be opened.
  public static func weightFiles(model path: String) throws(EngineError) -> [String] {
    do {
      return try WeightSource(path: path).files.map(\.path)
    } catch {
      throw EngineError(error)
    }
  }
}
