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
  /// The keys that the log has had, and the notes by which each followed the one before.
  let logKeys: LogKeys
  let successions: [[UInt8]]

  private static let names = (
    log: "log.pem", manifestKey: "manifest-key.pem", manifest: "manifest.pem", tag: "tag.key", sealedTag: "tag.pem"
  )

  /// Opens the checkpoints that any of the log's keys has signed.
  var checkpointVerifier: CheckpointVerifier {
    CheckpointVerifier(origin: self.origin, keys: self.logKeys.all, verify: Ed25519Key.verify)
  }

  /// Whether a checkpoint bears the signature of the key in force.
  func isCurrent(_ note: String) -> Bool {
    let verifier = CheckpointVerifier(origin: self.origin, key: self.log.key, verify: Ed25519Key.verify)
    do throws(NoteError) {
      _ = try verifier.open(Array(note.utf8))
      return true
    } catch { return false }
  }

  /// Loads the keys of a directory, or makes them at the first start; private files have mode 0600, and are encrypted where there is
  /// a passphrase. A rotation that was prepared is carried out.
  ///
  /// - Parameter entries: How many the log has. Keys are made for an empty log only: another key could not speak for what is there.
  static func loadOrCreate(directory: String, operatorName: String, entries: Int, passphrase: String?) throws -> KeyMaterial {
    if entries > 0 {
      for name in [Self.names.log, Self.names.manifestKey, "origin", Self.names.tag] where !Self.exists("\(directory)/\(name)") {
        if name == Self.names.tag, Self.exists("\(directory)/\(Self.names.sealedTag)") { continue }
        throw StartFailure("\(directory)/\(name) is missing, but the log has \(entries) entries. Restore it from the backup.")
      }
    }
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try KeyFile.requirePrivate(directory: directory)
    let logPath = "\(directory)/\(Self.names.log)"
    if !Self.exists(logPath) { try Ed25519Key.generate().save(path: logPath, passphrase: passphrase) }
    let origin = try self.origin(directory: directory) { try Ed25519Key(path: logPath, passphrase: passphrase) }
    try KeyRotation(directory: directory, origin: origin, passphrase: passphrase).finish()
    let key = try Ed25519Key(path: logPath, passphrase: passphrase)
    let signer = try CheckpointSigner(name: origin, key: key)
    let successions = try KeyRotation.successions(directory: directory)
    return KeyMaterial(
      log: signer, manifest: try self.certificate(directory, operatorName: operatorName, passphrase: passphrase),
      tagKey: try self.tagKey(directory: directory, passphrase: passphrase), origin: origin,
      logKeys: try LogKeys(
        current: signer.key, origin: origin,
        successions: successions.map { try KeySuccession($0, digest: sha256, verify: Ed25519Key.verify) }),
      successions: successions)
  }

  private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  private static func certificate(
    _ directory: String, operatorName: String, passphrase: String?
  ) throws -> SigningCertificate {
    let (keyPath, certificatePath) = ("\(directory)/\(Self.names.manifestKey)", "\(directory)/\(Self.names.manifest)")
    if !Self.exists(keyPath) {
      try Self.newCertificate(operatorName).save(keyPath: keyPath, certificatePath: certificatePath, passphrase: passphrase)
    }
    return try SigningCertificate(keyPath: keyPath, certificatePath: certificatePath, passphrase: passphrase)
  }

  static func newCertificate(_ operatorName: String) throws -> SigningCertificate {
    try SigningCertificate.generate(commonName: "\(operatorName.prefix(40)) audit manifest", from: wallClock())
  }

  /// The log's name, fixed at the first start: checkpoints are only comparable under one name.
  private static func origin(directory: String, key: () throws -> Ed25519Key) throws -> String {
    let path = directory + "/origin"
    if let data = FileManager.default.contents(atPath: path) {
      return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let origin = "weighbridge/\(sha256(try key().publicKey).hexadecimal.prefix(16))"
    try KeyFile.create(path, Array((origin + "\n").utf8), mode: 0o644)
    return origin
  }

  /// 32 bytes as they are, or, encrypted, as the private key of a PEM file, so that one lock is on all keys.
  private static func tagKey(directory: String, passphrase: String?) throws -> [UInt8] {
    let (plain, sealed) = ("\(directory)/\(Self.names.tag)", "\(directory)/\(Self.names.sealedTag)")
    if !Self.exists(plain), !Self.exists(sealed) {
      let key = try Ed25519Key.generate()
      if passphrase == nil { try KeyFile.create(plain, key.seed) } else { try key.save(path: sealed, passphrase: passphrase) }
    }
    guard Self.exists(plain) else { return try Ed25519Key(path: sealed, passphrase: passphrase).seed }
    let bytes = try KeyFile.read(plain)
    guard bytes.count == 32 else {
      throw StartFailure(
        "\(plain) does not hold 32 bytes. Restore it from a backup: without it no earlier tag can be recognised.")
    }
    guard passphrase != nil else { return bytes }
    if !Self.exists(sealed) { try Ed25519Key(seed: bytes).save(path: sealed, passphrase: passphrase) }
    guard try Ed25519Key(path: sealed, passphrase: passphrase).seed == bytes else {
      throw StartFailure("\(plain) and \(sealed) hold different keys; remove the one that is not in use.")
    }
    try KeyFile.remove(plain)
    return bytes
  }
}
