public import Documents
internal import Foundation
internal import GovernanceTypes
internal import LicenseTerms

/// `model verify`: whether weights are those that someone vouched for, and whether their license texts lie beside them unchanged.
public struct ModelVerification: Sendable {
  private struct Check: Sendable {
    var subject: String
    var isPassed: Bool
    var finding: String
  }

  private let digest: Digest
  private let checks: [Check]

  /// - Parameters:
  ///   - sha256: what the weights' digest must be, as `model inspect` prints it; nil only prints it.
  ///   - terms: term files whose documents must lie beside the weights.
  /// - Throws: where the model, a term file or the digest given cannot be read.
  public init(model path: String, sha256: String?, terms: [String], environment: [String: String]) throws {
    self.digest = try ModelDigest.of(model: path)
    var checks: [Check] = []
    if let sha256 {
      guard let wanted = Digest(hexadecimal: sha256.lowercased()) else {
        throw StartFailure("'\(sha256)' is no SHA-256: 64 hexadecimal digits belong there")
      }
      checks.append(
        Check(
          subject: "weights", isPassed: wanted == self.digest,
          finding: wanted == self.digest ? "the digest is the one given" : "the digest is \(self.digest), not \(wanted)"))
    }
    let folder = ModelDigest.folder(ofModel: path)
    for id in terms {
      guard let directory = SharedFiles.directory("Licenses/\(id)", environment: environment), !id.contains("/") else {
        throw StartFailure(
          "there are no terms '\(id)' beside the program; name the folder that holds Licenses/ in the variable WEIGHBRIDGE_SHARE")
      }
      let file = try TermLibrary.load(file: directory + "/terms.yaml")
      for document in file.documents where !document.accepted.isEmpty {
        checks.append(try Self.check(document, of: id, in: folder))
      }
    }
    self.checks = checks
  }

  private static func check(_ document: TermDocument, of terms: String, in folder: URL) throws -> Check {
    let path = folder.appendingPathComponent(document.name).path
    let subject = "\(terms) \(document.role)"
    guard FileManager.default.fileExists(atPath: path) else {
      return Check(subject: subject, isPassed: false, finding: "\(document.name) does not lie beside the weights; put it there")
    }
    let digest = try fileDigest(path)
    let isKnown = document.matches(digest)
    return Check(
      subject: subject, isPassed: isKnown,
      finding: isKnown
        ? "\(document.name) is an accepted copy" : "\(document.name) has the SHA-256 \(digest), which no accepted copy has")
  }

  public var isPassed: Bool { self.checks.allSatisfy(\.isPassed) }

  public var json: JSON {
    [
      "sha256": .string(self.digest.hexadecimal), "passed": .bool(self.isPassed),
      "checks": .array(
        self.checks.map {
          ["subject": .string($0.subject), "passed": .bool($0.isPassed), "finding": .string($0.finding)]
        }),
    ]
  }

  public var rows: [(String, String)] {
    [("sha256", self.digest.hexadecimal)] + self.checks.map { ($0.subject, ($0.isPassed ? "ok: " : "FAILED: ") + $0.finding) }
  }
}
