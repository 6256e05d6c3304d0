internal import AuditSigning
internal import AuditTrail
internal import Foundation
internal import GovernanceTypes

/// The change from one pair of keys to the next: prepared by a command while the gateway stands still, carried out at its next start.
///
/// Each step can be repeated: the new keys are there, then the note that both keys have signed, then the new files take the place of
/// the old ones, whose private keys are gone then.
public struct KeyRotation: Sendable {
  private let directory: String
  private let origin: String
  private let passphrase: String?

  init(directory: String, origin: String, passphrase: String?) {
    self.directory = directory
    self.origin = origin
    self.passphrase = passphrase
  }

  private static let nextLog = "log.next.pem"
  private static let nextKey = "manifest-key.next.pem"
  private static let nextCertificate = "manifest.next.pem"

  /// Makes new keys beside those in use.
  ///
  /// - Returns: the verifier key that will be in force.
  /// - Throws: ``StartFailure`` where there are no keys yet, or new ones already.
  public static func prepare(
    dataDirectory: String, keyFile: String?, operatorName: String, environment: [String: String]
  ) throws -> String {
    let directory = dataDirectory + "/keys"
    let passphrase = try KeyPassphrase(file: keyFile, environment: environment).text
    guard let data = FileManager.default.contents(atPath: directory + "/origin") else {
      throw StartFailure("\(directory) has no keys to change; they are made at the first start.")
    }
    try KeyFile.requirePrivate(directory: directory)
    // Whoever cannot open the key in use is not to make the next one.
    _ = try Ed25519Key(path: directory + "/log.pem", passphrase: passphrase)
    guard !FileManager.default.fileExists(atPath: directory + "/" + Self.nextLog) else {
      throw StartFailure("\(directory)/\(Self.nextLog) is there already: start the gateway, which takes it into use.")
    }
    let origin = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    if !FileManager.default.fileExists(atPath: directory + "/" + Self.nextKey) {
      try KeyMaterial.newCertificate(operatorName).save(
        keyPath: directory + "/" + Self.nextKey, certificatePath: directory + "/" + Self.nextCertificate, passphrase: passphrase)
    }
    let key = try Ed25519Key.generate()
    // The key of the log comes last: where it is, all is.
    try key.save(path: directory + "/" + Self.nextLog, passphrase: passphrase)
    return try CheckpointSigner(name: origin, key: key).key.vkey
  }

  /// Carries out a change that was prepared; nothing where there is none.
  func finish() throws {
    let next = "\(self.directory)/\(Self.nextLog)"
    guard FileManager.default.fileExists(atPath: next) else { return }
    let new = try CheckpointSigner(name: self.origin, key: try Ed25519Key(path: next, passphrase: self.passphrase))
    let known = try Self.successions(directory: self.directory)
    let last = try known.last.map { try KeySuccession($0, digest: sha256, verify: Ed25519Key.verify) }
    if last?.new != new.key {
      let old = try CheckpointSigner(
        name: self.origin, key: try Ed25519Key(path: "\(self.directory)/log.pem", passphrase: self.passphrase))
      let certificate = try KeyFile.read("\(self.directory)/\(Self.nextCertificate)", isPrivate: false)
      let succession = KeySuccession(
        origin: self.origin, number: known.count + 1, old: old.key, new: new.key, certificate: sha256(certificate))
      try KeyFile.create(
        "\(self.directory)/succession-\(known.count + 1)", try succession.signed(byOld: old, byNew: new), mode: 0o644)
    }
    for (from, to) in [(Self.nextCertificate, "manifest.pem"), (Self.nextKey, "manifest-key.pem"), (Self.nextLog, "log.pem")] {
      let path = "\(self.directory)/\(from)"
      if FileManager.default.fileExists(atPath: path) { try KeyFile.move(path, to: "\(self.directory)/\(to)") }
    }
  }

  /// The notes of all changes so far, in order.
  static func successions(directory: String) throws -> [[UInt8]] {
    var notes: [[UInt8]] = []
    while FileManager.default.fileExists(atPath: "\(directory)/succession-\(notes.count + 1)") {
      notes.append(try KeyFile.read("\(directory)/succession-\(notes.count + 1)", isPrivate: false))
    }
    return notes
  }
}
