internal import Documents

/// The safetensors files of one folder: `model.safetensors`, or those that `model.safetensors.index.json` names.
public struct SafetensorsDirectory: Sendable {
  static let shardLimit = 1_000

  public let files: [SafetensorsFile]

  /// - Throws: every fault of any file; also an index that names a file elsewhere, or places a tensor where it is not.
  public init(path: String) throws(ModelFileError) {
    let index = path + "/model.safetensors.index.json"
    guard FileName.exists(index) else {
      self.files = [try SafetensorsFile(path: path + "/model.safetensors")]
      return
    }
    let text = try JSONFile(path: index)
    guard let map = text.document["weight_map"]?.members else {
      throw text.error(.missingKey, "weight_map", "The index has no weight_map; download it again.")
    }
    var places: [String: String] = [:]
    for member in map {
      guard let name = member.value.text, FileName.isPlain(name) else {
        throw text.error(
          .invalidValue, "weight_map." + member.key, "A file name without folders belongs here; download the index again.")
      }
      places[member.key] = name
    }
    let names = Set(places.values).sorted()
    guard names.count <= Self.shardLimit else {
      throw text.error(.limitExceeded, "weight_map", "\(names.count) files are named; at most \(Self.shardLimit) are read.")
    }
    var files: [SafetensorsFile] = []
    for name in names {
      let file = try SafetensorsFile(path: path + "/" + name)
      for tensor in file.tensors {
        guard places.removeValue(forKey: tensor.name) == name else {
          throw text.error(
            .invalidValue, "weight_map." + tensor.name, "\(name) holds this tensor and the index does not place it there.")
        }
      }
      files.append(file)
    }
    if let missing = places.min(by: { $0.key < $1.key }) {
      throw text.error(
        .truncated, "weight_map." + missing.key, "\(missing.value) does not hold this tensor; download that file again.")
    }
    self.files = files
  }
}
