internal import AuditSigning
internal import Foundation
internal import Governance
internal import GovernanceTypes
internal import LicenseTerms

/// Verbatim license texts that the operator imported, as files below the data directory.
///
/// The repository holds none. A text is taken in only if its SHA-256, or that of its normalised form, is one that the term file was
/// read from, and is checked again whenever it is handed out.
struct LicenseLibrary: Sendable {
  let directory: String
  let gate: Gate

  func take(_ terms: TermFileID, role: String, text: [UInt8]) throws {
    let document = try self.document(terms, role)
    guard document.accepts(text) else {
      let normalized = document.knowsNormalized ? NormalizedText.digest(text) : nil
      throw Refusal(
        .invalidRequest,
        "The text has the SHA-256 \(sha256(text))\(normalized.map { ", normalised \($0)" } ?? ""), which is none of the"
          + " \(document.accepted.count) copies that the terms '\(terms)' were read from."
      )
    }
    let path = self.path(terms, role)
    try FileManager.default.createDirectory(
      atPath: "\(self.directory)/\(terms)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try Data(text).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  /// Nil where the text has not been imported.
  func text(of terms: TermFileID, role: String) throws -> [UInt8]? {
    let document = try self.document(terms, role)
    guard let data = FileManager.default.contents(atPath: self.path(terms, role)) else { return nil }
    let text = Array(data)
    guard document.accepts(text) else {
      throw Refusal(
        .storeUnavailable, "The imported text of '\(role)' no longer has an accepted digest. Import it again.",
        context: self.path(terms, role))
    }
    return text
  }

  private func document(_ terms: TermFileID, _ role: String) throws -> TermDocument {
    guard let file = self.gate.termFile(terms), let document = file.documents.first(where: { $0.role == role }) else {
      throw Refusal(.notFound, "There is no document '\(role)' of terms '\(terms)'.")
    }
    return document
  }

  /// Both names were found in a term file that is in force, so they are plain.
  private func path(_ terms: TermFileID, _ role: String) -> String { "\(self.directory)/\(terms)/\(role)" }
}

extension TermDocument {
  /// Whether the digests of normalised copies are those that this program makes.
  var knowsNormalized: Bool { self.normalizer == NormalizedText.name && !self.normalizedDigests.isEmpty }

  /// The digest by which a text is an accepted copy: its own or that of its normalised form; nil where it is none.
  func acceptedDigest(of text: [UInt8]) -> Digest? {
    let digest = sha256(text)
    if self.accepted.contains(where: { $0.digest == digest }) { return digest }
    guard self.knowsNormalized, let normalized = NormalizedText.digest(text) else { return nil }
    return self.normalizedDigests.contains(normalized) ? normalized : nil
  }

  func accepts(_ text: [UInt8]) -> Bool { self.acceptedDigest(of: text) != nil }
}
