internal import AuditSigning
internal import AuditTrail
public import Documents
internal import GovernanceTypes

/// Verifies an audit bundle for the command: offline, from its files alone.
public struct BundleCheck: Sendable {
  private let report: BundleReport

  /// - Parameter key: The log's public key as a vkey line, where it is known from elsewhere.
  public static func verify(directory: String, key: String?) throws -> BundleCheck {
    let trusted = try key.map { text throws(StartFailure) in
      do throws(NoteError) { return try NoteKey(vkey: text, digest: sha256) } catch {
        throw StartFailure("--key is no verifier key: \(error)")
      }
    }
    let verifier = BundleVerifier(
      digests: .openSSL, verifySignature: Ed25519Key.verify,
      verifyManifest: { try verifyCMS($0, $1, $2) }, verifyTimestamp: { try Timestamping.verify($0, $1, $2) },
      trust: BundleVerifier.Trust(logKey: trusted))
    return BundleCheck(report: verifier.verify(BundleDirectory(path: directory)))
  }

  public var isSound: Bool { self.report.isSound }

  public var text: String {
    guard self.isSound else {
      return (self.report.findings.map(\.description) + ["FAILED: the bundle was changed or is incomplete"]).joined(
        separator: "\n")
    }
    let size = self.report.checkpoint.map { "\($0.size)" } ?? "?"
    let key = self.report.isLogKeyTrusted ? "the key given" : "the key that the bundle carries"
    var lines = ["verified: \(self.report.manifest?.entries ?? 0) entries, log size \(size), signed by \(key)"]
    lines += self.report.totals.map { "settled: \($0.customer) \($0.settled) in \($0.requests) requests" }
    return lines.joined(separator: "\n")
  }

  public var json: JSON {
    [
      "sound": .bool(self.isSound), "entries": .integer(self.report.manifest?.entries ?? 0),
      "log_size": self.report.checkpoint.map { .integer($0.size) } ?? .null,
      "log_key_trusted": .bool(self.report.isLogKeyTrusted),
      "findings": .array(
        self.report.findings.map { finding in
          [
            "file": .string(finding.file), "line": finding.line.map { .integer($0) } ?? .null,
            "message": .string(finding.message),
          ]
        }),
      "findings_omitted": .integer(self.report.findingsOmitted),
    ]
  }
}
