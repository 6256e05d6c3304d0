public import Documents
internal import Foundation
internal import GovernanceTypes
internal import InferenceEngine
internal import LlamaModel

/// `model inspect`: what a model's files say and hold.
public struct ModelReport: Sendable {
  private let inspection: ModelInspection
  private let digest: Digest

  /// - Throws: why the files cannot be run, or not be read.
  public init(model path: String) throws {
    self.inspection = try ModelInspection(model: path)
    self.digest = try ModelDigest.of(model: path)
  }

  public var json: JSON {
    let (model, sizes) = (self.inspection.description, self.inspection.parameters)
    return [
      "layout": .string(self.inspection.layout), "architecture": .string(model.architecture), "name": JSON(model.name),
      "sha256": .string(self.digest.hexadecimal), "parameters": .integer(model.parameterCount),
      "files": .array(
        self.inspection.files.map { ["name": .string(Self.name($0.path)), "bytes": .integer($0.byteCount)] }),
      "license": ["id": JSON(model.license), "name": JSON(model.licenseName), "link": JSON(model.licenseLink)],
      "lineage": .array(
        self.inspection.lineage.map {
          ["name": JSON($0.name), "organization": JSON($0.organization), "url": JSON($0.url)]
        }),
      "sizes": [
        "context_length": .integer(sizes.contextLength), "embedding_length": .integer(sizes.embeddingLength),
        "layers": .integer(sizes.layerCount), "feed_forward_length": .integer(sizes.feedForwardLength),
        "heads": .integer(sizes.headCount), "key_value_heads": .integer(sizes.keyValueHeadCount),
        "head_dimension": .integer(sizes.headDimension), "sliding_window": sizes.slidingWindow.map(JSON.integer) ?? .null,
        "vocabulary": .integer(model.vocabularySize),
      ],
      "tensor_types": .object(model.tensorTypes.sorted { $0.key < $1.key }.map { JSONMember($0.key, .integer($0.value)) }),
      "memory": self.memory,
      "tensors": .array(
        self.inspection.tensors.map {
          [
            "name": .string($0.name), "stored_name": .string($0.storedName), "type": .string($0.type),
            "dimensions": .array($0.dimensions.map(JSON.integer)), "bytes": .integer($0.byteCount),
          ]
        }),
    ]
  }

  private var memory: JSON {
    let need = self.inspection.memory
    return [
      "total_bytes": .integer(need.total), "mapped_bytes": .integer(need.mappedBytes), "copied_bytes": .integer(need.copiedBytes),
      "cache_bytes": .integer(need.cacheBytes), "work_bytes": .integer(need.workBytes),
    ]
  }

  public var rows: [(String, String)] {
    let (model, sizes, need) = (self.inspection.description, self.inspection.parameters, self.inspection.memory)
    let mebibytes = { (bytes: Int) in "\(bytes >> 20) MiB" }
    let bases = self.inspection.lineage.map { [$0.organization, $0.name, $0.url].compactMap { $0 }.joined(separator: " ") }
    let license = [model.license, model.licenseName, model.licenseLink].compactMap { $0 }.joined(separator: " ")
    return [
      ("layout", "\(self.inspection.layout), \(self.inspection.files.count) file(s), \(mebibytes(model.byteCount))"),
      ("name", model.name ?? "not stated"), ("architecture", model.architecture),
      ("lineage", bases.isEmpty ? "not stated" : bases.joined(separator: "; ")),
      ("license", license.isEmpty ? "not stated" : license),
      ("sha256", self.digest.hexadecimal), ("parameters", "\(model.parameterCount)"),
      (
        "sizes",
        "\(sizes.layerCount) layers of \(sizes.embeddingLength), hidden \(sizes.feedForwardLength), \(sizes.headCount) heads of "
          + "\(sizes.headDimension), \(sizes.keyValueHeadCount) for keys and values"
      ),
      ("context", "\(sizes.contextLength)" + (sizes.slidingWindow.map { ", window \($0)" } ?? "")),
      ("vocabulary", "\(model.vocabularySize)"),
      ("types", model.tensorTypes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")),
      (
        "memory",
        "\(mebibytes(need.total)): weights \(mebibytes(need.mappedBytes + need.copiedBytes)), keys and values of one sequence "
          + "\(mebibytes(need.cacheBytes)), work \(mebibytes(need.workBytes))"
      ),
    ]
  }

  /// One line a tensor.
  public var tensorLines: [String] {
    self.inspection.tensors.map { tensor in
      "\(tensor.type)\t\(tensor.dimensions.map { String($0) }.joined(separator: " x "))\t\(tensor.name)"
    }
  }

  private static func name(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }
}
