internal import AuditSigning
internal import AuditTrail
internal import Foundation
internal import GatewayHTTP
internal import GovernanceTypes

/// The witness that this process is to other logs: what it has cosigned is on disk before it answers.
///
/// One file for each log holds the newest checkpoint, by the SHA-256 of the log's origin.
actor WitnessBook {
  nonisolated let key: NoteKey
  private let signing: Ed25519Key
  private let directory: String
  private var logs: WitnessedLogs

  /// - Parameters:
  ///   - directory: made where it is missing, mode 0700.
  ///   - name: what the key signs under; kept at the first start.
  ///   - keys: of the logs that are witnessed, as verifier keys.
  init(directory: String, name: String?, keys: [String], passphrase: String?) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try KeyFile.requirePrivate(directory: directory)
    let path = directory + "/witness.pem"
    if !FileManager.default.fileExists(atPath: path) { try Ed25519Key.generate().save(path: path, passphrase: passphrase) }
    self.signing = try Ed25519Key(path: path, passphrase: passphrase)
    self.directory = directory
    self.key = try NoteKey(
      name: try Self.name(directory, name, self.signing), publicKey: self.signing.publicKey, use: .cosignature, digest: sha256)
    var logs = WitnessedLogs(tree: MerkleTree(digest: sha256), verify: Ed25519Key.verify)
    for (index, text) in keys.enumerated() {
      do throws(NoteError) { logs.watch(try NoteKey(vkey: text, digest: sha256)) } catch {
        throw StartFailure("The key of log \(index + 1) is no verifier key: \(error)")
      }
    }
    for origin in logs.origins {
      guard let note = FileManager.default.contents(atPath: Self.path(directory, origin)) else { continue }
      do throws(NoteError) { try logs.restore(Array(note)) } catch {
        throw StartFailure("\(Self.path(directory, origin)) cannot be read: \(error). Restore it from the backup.")
      }
    }
    self.logs = logs
  }

  private static func name(_ directory: String, _ name: String?, _ key: Ed25519Key) throws -> String {
    let path = directory + "/name"
    if let data = FileManager.default.contents(atPath: path) {
      let kept = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      guard name == nil || name == kept else {
        throw StartFailure(
          "The witness in \(directory) is named \(kept), and keeps that name; another name needs another directory.")
      }
      return kept
    }
    let chosen = name ?? "weighbridge-witness/\(sha256(key.publicKey).hexadecimal.prefix(16))"
    try KeyFile.create(path, Array((chosen + "\n").utf8), mode: 0o644)
    return chosen
  }

  private static func path(_ directory: String, _ origin: String) -> String {
    "\(directory)/\(sha256(Array(origin.utf8)).hexadecimal).checkpoint"
  }

  /// The logs that are witnessed, with the size of the newest checkpoint of each.
  var sizes: [(origin: String, size: Int)] { self.logs.origins.map { ($0, self.logs.newest(of: $0)?.size ?? 0) } }

  /// Judges a request and cosigns where it holds. Checking and keeping are one step: the actor does not suspend in between.
  func answer(_ request: [UInt8]) throws -> WitnessReply {
    let text = "text/plain; charset=utf-8"
    switch self.logs.judge(request) {
    case .cosign(let checkpoint, let note):
      let signed = try AddCheckpoint(request).checkpoint
      try KeyFile.replace(Self.path(self.directory, checkpoint.origin), signed, mode: 0o644)
      self.logs.keep(checkpoint)
      let signature = try Cosignature.sign(note, at: wallClock(), by: self.key, sign: { try self.signing.sign($0) })
      return WitnessReply(status: 200, contentType: text, body: signature.line)
    case .conflict(let size): return WitnessReply(status: 409, contentType: "text/x.tlog.size", body: "\(size)\n")
    case .malformed(let reason): return WitnessReply(status: 400, contentType: text, body: "\(reason)\n")
    case .notSigned(let reason): return WitnessReply(status: 403, contentType: text, body: "\(reason)\n")
    case .unknownLog(let origin):
      return WitnessReply(status: 404, contentType: text, body: "the log '\(origin)' is not witnessed here\n")
    case .inconsistent(let reason): return WitnessReply(status: 422, contentType: text, body: "\(reason)\n")
    }
  }
}
