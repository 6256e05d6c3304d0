/// A checkpoint as `torch.save` writes it: a zip archive with a pickle that names tensors and one entry for each run of numbers.
///
/// The pickle is read by ``PickleReader``, which can make tensors and nothing else. The tensor data stays in the file.
public struct TorchCheckpoint: Sendable {
  static let tensorLimit = 1 << 16

  public let file: MappedFile
  /// In the order of the pickle. Two may share bytes: tied weights are saved once.
  public let tensors: [TensorInfo]

  /// - Throws: every fault of archive, pickle and tensors, named.
  public init(path: String) throws(ModelFileError) { try self.init(file: MappedFile(path: path)) }

  public init(file: MappedFile) throws(ModelFileError) {
    let archive = try ZipArchive(file: file)
    let pickles = archive.entries.values.filter { $0.name.hasSuffix("/data.pkl") }
    guard pickles.count == 1, let pickle = pickles.first else {
      throw ModelFileError(
        .wrongFormat, path: file.path, field: "data.pkl", message: "The archive has \(pickles.count) such entries, not one.")
    }
    let root = String(pickle.name.dropLast("data.pkl".count))
    if let order = archive.entries[root + "byteorder"], !archive.bytes(of: order).elementsEqual("little".utf8) {
      throw ModelFileError(
        .unsupportedVersion, path: file.path, field: "byteorder", message: "Only little-endian checkpoints can be read.")
    }
    var reader = try PickleReader(archive.bytes(of: pickle), path: file.path)
    guard case .dictionary(let index) = try reader.read() else {
      throw reader.error("The checkpoint is no dictionary of tensors.")
    }
    let members = reader.dictionaries[index]
    guard members.count <= Self.tensorLimit else { throw reader.error("There are \(members.count) tensors.", .limitExceeded) }
    var tensors: [TensorInfo] = []
    var names: Set<String> = []
    for (key, value) in members {
      guard let name = key.text, !name.isEmpty, name.utf8.count <= GGUFLimits.tensorNameBytes, case .tensor(let tensor) = value
      else { throw reader.error("The member '\(key.text ?? "?")' of the checkpoint is not a named tensor.") }
      guard names.insert(name).inserted else {
        throw ModelFileError(.duplicate, path: file.path, field: name, message: "The tensor occurs twice; save it again.")
      }
      tensors.append(try Self.place(name, tensor, archive.entries[root + "data/" + tensor.storage.key], file))
    }
    self.file = file
    self.tensors = tensors
  }

  private static func place(
    _ name: String, _ tensor: PickleValue.Tensor, _ entry: ZipArchive.Entry?, _ file: MappedFile
  ) throws(ModelFileError) -> TensorInfo {
    let size = tensor.storage.type.blockBytes
    // The reader has checked that offset and shape lie inside the storage.
    let (bytes, overflow) = tensor.storage.count.multipliedReportingOverflow(by: size)
    guard let entry, !overflow, bytes <= entry.data.count else {
      throw ModelFileError(
        .truncated, path: file.path, field: name,
        message: "The archive lacks entry data/\(tensor.storage.key) with \(tensor.storage.count) numbers; download it again.")
    }
    return TensorInfo(
      name: name, type: tensor.storage.type, dimensions: tensor.shape.reversed(),
      byteOffset: entry.data.lowerBound + tensor.offset * size, byteCount: tensor.shape.reduce(1, *) * size)
  }
}
