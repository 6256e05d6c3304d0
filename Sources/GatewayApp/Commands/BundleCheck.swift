internal import AuditSigning
internal import AuditTrail
public import Documents
internal import Foundation
internal import GovernanceTypes

/// Verifies an audit bundle, or the proof of one entry, for the command: offline, from files alone.
public struct BundleCheck: Sendable {
  public let isSound: Bool
  public let text: String
  public let json: JSON

  /// What is known from elsewhere.
  public struct Trust: Sendable {
    /// The log's public key as a vkey line.
    public var key: String?
    /// The path of the signer's certificate, PEM.
    public var certificate: String?
    /// Witnesses that must have cosigned, as vkey lines.
    public var witnesses: [String]
    /// The path of an earlier checkpoint of the log.
    public var checkpoint: String?

    public init(key: String? = nil, certificate: String? = nil, witnesses: [String] = [], checkpoint: String? = nil) {
      self.key = key
      self.certificate = certificate
      self.witnesses = witnesses
      self.checkpoint = checkpoint
    }
  }

  /// - Parameter path: a bundle's directory, a tar of one, which is read in place, or a file of C2SP tlog-proof.
  /// - Throws: ``StartFailure``, ``ConfigurationError`` where the call is faulty; what is wrong with the bundle is in the report.
  public static func verify(path: String, trust: Trust) throws -> BundleCheck {
    let key = try trust.key.map { try Self.key($0, use: .log, option: "--key") }
    let witnesses = try trust.witnesses.map { try Self.key($0, use: .cosignature, option: "--witness") }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw StartFailure("\(path) is not there; name a bundle's directory, a tar of one, or a proof file")
    }
    if !isDirectory.boolValue, try Self.beginsProof(path) {
      return try Self.verify(proof: try readFile(path), path: path, key: key, witnesses: witnesses)
    }
    let verifier = BundleVerifier(
      digests: .openSSL, verifySignature: Ed25519Key.verify,
      verifyManifest: { try verifyCMS($0, $1, $2) }, verifyTimestamp: { try Timestamping.verify($0, $1, $2) },
      trust: BundleVerifier.Trust(
        logKey: key, signerCertificate: try trust.certificate.map { try readFile($0) }, witnesses: witnesses,
        checkpoint: try trust.checkpoint.map { try readFile($0) }))
    let report =
      isDirectory.boolValue
      ? verifier.verify(BundleDirectory(path: path)) : verifier.verify(try BundleArchive(path: path))
    return BundleCheck(report)
  }

  private static func key(_ text: String, use: NoteKey.Use, option: String) throws -> NoteKey {
    do throws(NoteError) { return try NoteKey(vkey: text, use: use, digest: sha256) } catch {
      throw StartFailure("\(option) is no verifier key: \(error)")
    }
  }

  private static func beginsProof(_ path: String) throws -> Bool {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { file.closeFile() }
    return LogProof.begins(Array(try file.read(upToCount: 64) ?? Data()))
  }

  /// A proof has no key in it: without one that is known it proves nothing.
  private static func verify(proof bytes: [UInt8], path: String, key: NoteKey?, witnesses: [NoteKey]) throws -> BundleCheck {
    guard let key else {
      throw StartFailure("A proof is checked with the log's key: give it with --key (keys/log.vkey of a bundle).")
    }
    do throws(NoteError) {
      let proof = try LogProof(bytes)
      let checkpoint = try proof.verify(by: [key], digest: sha256, using: Ed25519Key.verify)
      let note = try SignedNote(proof.checkpoint)
      for witness in witnesses where try note.cosigned(by: witness, using: Ed25519Key.verify) == nil {
        throw NoteError(line: nil, message: "the checkpoint is not cosigned by \(witness), which you ask for")
      }
      let entry = String(decoding: proof.entry, as: UTF8.self)
      return BundleCheck(
        isSound: true, text: "verified: entry \(proof.index) of \(checkpoint.size) in the log \(checkpoint.origin)\n\(entry)",
        json: [
          "sound": true, "index": .integer(proof.index), "log_size": .integer(checkpoint.size), "entry": .string(entry),
          "findings": .array([]),
        ])
    } catch {
      let finding: JSON = [
        "file": .string(path), "line": error.line.map { .integer($0) } ?? .null, "message": .string(error.message),
      ]
      return BundleCheck(
        isSound: false, text: "\(path) \(error)\nFAILED: the proof does not hold",
        json: ["sound": false, "findings": .array([finding])])
    }
  }

  private init(isSound: Bool, text: String, json: JSON) {
    self.isSound = isSound
    self.text = text
    self.json = json
  }

  private init(_ report: BundleReport) {
    self.init(isSound: report.isSound, text: Self.text(report), json: Self.json(report))
  }

  private static func text(_ report: BundleReport) -> String {
    guard report.isSound else {
      let omitted = report.findingsOmitted > 0 ? ["... and \(report.findingsOmitted) more"] : []
      return (report.findings.map(\.description) + omitted + ["FAILED: the bundle was changed or is incomplete"]).joined(
        separator: "\n")
    }
    let size = report.checkpoint.map { "\($0.size)" } ?? "?"
    let key = report.isLogKeyTrusted ? "the key given" : "the key that the bundle carries"
    var lines = ["verified: \(report.manifest?.entries ?? 0) entries, log size \(size), signed by \(key)"]
    if report.extendsKnownCheckpoint == true { lines.append("the log extends the checkpoint given") }
    lines += report.cosigned.map { "cosigned by \($0.witness.name) at \($0.at.wholeSeconds)" }
    if let timestamp = report.timestamp { lines.append("stamped \(timestamp)") }
    lines += report.totals.map { "settled: \($0.customer) \($0.settled) in \($0.requests) requests" }
    return lines.joined(separator: "\n")
  }

  private static func json(_ report: BundleReport) -> JSON {
    [
      "sound": .bool(report.isSound), "entries": .integer(report.manifest?.entries ?? 0),
      "log_size": report.checkpoint.map { .integer($0.size) } ?? .null,
      "log_key_trusted": .bool(report.isLogKeyTrusted),
      "extends_checkpoint": report.extendsKnownCheckpoint.map { .bool($0) } ?? .null,
      "cosigned": .array(
        report.cosigned.map { ["witness": .string($0.witness.vkey), "at": .string($0.at.wholeSeconds)] }),
      "timestamp": JSON(report.timestamp), "proofs": .integer(report.proofs),
      "findings": .array(
        report.findings.map { finding in
          [
            "file": .string(finding.file), "line": finding.line.map { .integer($0) } ?? .null,
            "message": .string(finding.message),
          ]
        }),
      "findings_omitted": .integer(report.findingsOmitted),
    ]
  }
}
