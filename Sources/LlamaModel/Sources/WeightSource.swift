public import ModelFiles
public import Tensors
public import Tokenization

/// A model as some publisher lays it out, in one form: keys as GGUF names them, tensors as GGUF names them, weights where they lie.
///
/// A GGUF file (in one piece or split), a Hugging Face folder of safetensors, or a folder of a Meta checkpoint. Opening reads headers
/// and vocabularies; no weight is touched or copied.
public struct WeightSource: Sendable {
  public enum Kind: String, Sendable {
    case gguf = "GGUF"
    case huggingFace = "Hugging Face"
    case meta = "Meta checkpoint"
  }

  public let kind: Kind
  /// As the caller named it: a file or a folder.
  public let path: String
  public let metadata: GGUFMetadata
  /// The tokenizer, where `metadata` does not hold it.
  public let vocabulary: VocabularySource?
  public let tensors: [StoredTensor]
  /// The order of the rows of query and key matrices.
  public let rotaryOrder: RotaryOrder
  /// The files with weights, for digests and sizes.
  public let files: [MappedFile]
  private let positions: [String: Int]

  init(
    _ kind: Kind, path: String, metadata: GGUFMetadata, vocabulary: VocabularySource? = nil, tensors: [StoredTensor],
    rotaryOrder: RotaryOrder, files: [MappedFile]
  ) {
    self.kind = kind
    self.path = path
    self.metadata = metadata
    self.vocabulary = vocabulary
    self.tensors = tensors
    self.rotaryOrder = rotaryOrder
    self.files = files
    self.positions = Dictionary(tensors.enumerated().map { ($1.name, $0) }) { first, _ in first }
  }

  /// Finds out what lies under `path` and opens it.
  ///
  /// - Throws: ``LlamaModelError`` with the file, the field or tensor and the remedy.
  public init(path: String) throws(LlamaModelError) {
    do throws(ModelFileError) {
      guard FileName.isDirectory(path) else {
        self = Self(try GGUFModel(path: path), path: path)
        return
      }
      if FileName.exists(path + "/params.json") {
        self = try MetaFolder(path: path).source()
      } else if FileName.exists(path + "/config.json") {
        self = try HuggingFaceFolder(path: path).source()
      } else {
        throw ModelFileError(
          .wrongFormat, path: path,
          message: "The folder has neither config.json (Hugging Face) nor params.json (Meta); name a GGUF file itself.")
      }
    } catch {
      throw LlamaModelError(error)
    }
  }

  /// A GGUF file that is open already.
  public init(_ file: GGUFFile) { self.init(GGUFModel(file), path: file.file.path) }

  private init(_ model: GGUFModel, path: String) {
    // Converters of this architecture put the rows in pairs, those of all others leave them in halves.
    let isPaired = model.metadata.string("general.architecture") == "llama"
    self.init(
      .gguf, path: path, metadata: model.metadata, tensors: model.tensors, rotaryOrder: isPaired ? .adjacent : .halves,
      files: model.files)
  }

  public func tensor(named name: String) -> StoredTensor? { self.positions[name].map { self.tensors[$0] } }

  /// Bytes of all files with weights.
  public var fileByteCount: Int { self.files.reduce(0) { $0 + $1.byteCount } }
  /// Bytes that must be copied to memory of their own before the model can run.
  public var copiedByteCount: Int { self.tensors.reduce(0) { $0 + $1.copiedByteCount } }
}
