internal import AuditSigning
internal import AuditTrail
internal import Foundation
internal import GovernanceTypes

/// The keys of a gateway: one signs the log, one signs bundles, one keys the tags by which texts and users are recognised.
struct KeyMaterial: Sendable {
  let log: CheckpointSigner
  let manifest: SigningCertificate
  let tagKey: [UInt8]
  let origin: String

  /// Loads the keys of a directory, or makes them at the first start; every private file has mode 0600.
  ///
  /// - Parameter entries: How many the log has. Keys are made for an empty log only: another key could not speak for what is there.
  static func loadOrCreate(directory: String, operatorName: String, entries: Int) throws -> KeyMaterial {
    if entries > 0 {
      for name in ["log.pem", "manifest-key.pem", "origin", "tag.key"]
      where !FileManager.default.fileExists(atPath: "\(directory)/\(name)") {
        throw StartFailure("\(directory)/\(name) is missing, but the log has \(entries) entries. Restore it from the backup.")
      }
    }
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let logPath = directory + "/log.pem"
    if !FileManager.default.fileExists(atPath: logPath) { try Ed25519Key.generate().save(path: logPath) }
    let key = try Ed25519Key(path: logPath)
    let origin = try self.origin(directory: directory, key: key)
    return KeyMaterial(
      log: try CheckpointSigner(name: origin, key: key),
      manifest: try self.certificate(directory: directory, operatorName: operatorName),
      tagKey: try self.tagKey(directory: directory),
      origin: origin)
  }

  private static func certificate(directory: String, operatorName: String) throws -> SigningCertificate {
    let (keyPath, certificatePath) = (directory + "/manifest-key.pem", directory + "/manifest.pem")
    if !FileManager.default.fileExists(atPath: keyPath) {
      let name = "\(operatorName.prefix(40)) audit manifest"
      try SigningCertificate.generate(commonName: name, from: wallClock()).save(
        keyPath: keyPath, certificatePath: certificatePath)
    }
    return try SigningCertificate(keyPath: keyPath, certificatePath: certificatePath)
  }

  /// The log's name, fixed at the first start: checkpoints are only comparable under one name.
  private static func origin(directory: String, key: Ed25519Key) throws -> String {
    let path = directory + "/origin"
    if let data = FileManager.default.contents(atPath: path) {
      return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let origin = "weighbridge/\(sha256(key.publicKey).hexadecimal.prefix(16))"
    try Data((origin + "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    return origin
  }

  private static func tagKey(directory: String) throws -> [UInt8] {
    let path = directory + "/tag.key"
    if !FileManager.default.fileExists(atPath: path) {
      let key = try secureRandomBytes(32)
      guard FileManager.default.createFile(atPath: path, contents: Data(key), attributes: [.posixPermissions: 0o600]) else {
        throw StartFailure("\(path) cannot be written")
      }
    }
    guard let data = FileManager.default.contents(atPath: path), data.count == 32 else {
      throw StartFailure("\(path) does not hold 32 bytes. Restore it from a backup: without it no earlier tag can be recognised.")
    }
    return Array(data)
  }
}
