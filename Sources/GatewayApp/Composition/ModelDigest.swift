internal import AuditSigning
internal import Foundation
internal import GovernanceTypes
internal import InferenceEngine

/// The SHA-256 that stands for a model's weights, and the folder beside which its license texts lie.
enum ModelDigest {
  /// One file: its own SHA-256. Several: that of their lines as `sha256sum` prints them in the order of their names, so that
  /// `sha256sum *.safetensors | sha256sum` in the folder gives the same.
  static func of(model path: String) throws -> Digest {
    let files = try ModelInspection.weightFiles(model: path)
    if files.count == 1, let file = files.first { return try fileDigest(file) }
    let lines = try files.map { (name: URL(fileURLWithPath: $0).lastPathComponent, digest: try fileDigest($0)) }
      .sorted { $0.name < $1.name }.map { "\($0.digest.hexadecimal)  \($0.name)\n" }
    return sha256(Array(lines.joined().utf8))
  }

  static func folder(ofModel path: String) -> URL {
    var isFolder: ObjCBool = false
    let url = URL(fileURLWithPath: path)
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
      ? url : url.deletingLastPathComponent()
  }
}
