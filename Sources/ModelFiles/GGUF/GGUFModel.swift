/// A model in one GGUF file, or in several that were split: `name-00001-of-00003.gguf` and so on, named by the first.
public struct GGUFModel: Sendable {
  public let metadata: GGUFMetadata
  public let files: [MappedFile]
  /// In the order of the files.
  public let tensors: [StoredTensor]

  /// - Throws: every fault of any file; also a part that is missing, out of order, of another model, or a tensor that occurs twice.
  public init(path: String) throws(ModelFileError) {
    let first = try GGUFFile(path: path)
    let count = try first.metadata.requireUnsigned("split.count", ifAbsent: 1)
    guard count > 1 else {
      self.init(first)
      return
    }
    let files = try Self.parts(first, count: count)
    var tensors: [StoredTensor] = []
    var names: Set<String> = []
    for file in files {
      for tensor in file.tensors {
        guard names.insert(tensor.name).inserted else {
          throw ModelFileError(
            .duplicate, path: file.file.path, field: tensor.name,
            message: "Another part of the model has a tensor of this name too; split the model again.")
        }
        tensors.append(StoredTensor(tensor, name: tensor.name, in: file.file))
      }
    }
    let announced = try first.metadata.requireUnsigned("split.tensors.count", ifAbsent: UInt64(tensors.count))
    guard announced == tensors.count else {
      throw ModelFileError(
        .truncated, path: path, field: "split.tensors.count",
        message: "\(announced) tensors are announced and the \(count) parts have \(tensors.count); download the model again.")
    }
    self.init(metadata: first.metadata, files: files.map(\.file), tensors: tensors)
  }

  public init(_ file: GGUFFile) {
    let tensors = file.tensors.map { StoredTensor($0, name: $0.name, in: file.file) }
    self.init(metadata: file.metadata, files: [file.file], tensors: tensors)
  }

  private init(metadata: GGUFMetadata, files: [MappedFile], tensors: [StoredTensor]) {
    self.metadata = metadata
    self.files = files
    self.tensors = tensors
  }

  private static func parts(_ first: GGUFFile, count: UInt64) throws(ModelFileError) -> [GGUFFile] {
    let path = first.file.path
    guard count <= UInt64(GGUFLimits.splits), let number = first.metadata.unsigned("split.no") else {
      throw ModelFileError(
        .invalidValue, path: path, field: "split.count",
        message: "The model is split into \(count) parts, but its own number is missing or there are more than "
          + "\(GGUFLimits.splits); download it again.")
    }
    let total = Int(count)
    let ending = "-" + Self.fiveDigits(1) + "-of-" + Self.fiveDigits(total) + ".gguf"
    guard number == 0, path.hasSuffix(ending) else {
      throw ModelFileError(
        .invalidValue, path: path, field: "split.no",
        message: "This is part \(number) (counted from 0) of \(total); name the first part, which ends in \(ending).")
    }
    let stem = path.dropLast(ending.count)
    var files = [first]
    for index in 1..<total {
      let file = try GGUFFile(path: stem + "-" + Self.fiveDigits(index + 1) + "-of-" + Self.fiveDigits(total) + ".gguf")
      let (own, parts) = (try file.metadata.requireUnsigned("split.no"), try file.metadata.requireUnsigned("split.count"))
      guard own == index, parts == count else {
        throw ModelFileError(
          .invalidValue, path: file.file.path, field: "split.no",
          message: "The file calls itself part \(own) of \(parts), not part \(index) of \(count); download it again.")
      }
      files.append(file)
    }
    return files
  }

  private static func fiveDigits(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }
}
