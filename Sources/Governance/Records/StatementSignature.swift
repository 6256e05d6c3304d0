internal import Documents
internal import GovernanceTypes

/// A signature that came with a statement, as sent: over the canonical JSON (RFC 8785) of the statement without it.
public struct StatementSignature: Sendable, Equatable {
  public enum Algorithm: String, Sendable, CaseIterable {
    /// `public_key`: 32 bytes; `value`: 64 bytes.
    case ed25519
    /// `certificate`: PEM; `value`: a detached CMS signature in DER.
    case cms
  }

  public var algorithm: Algorithm
  /// Base64 of the public key, or the certificate as PEM.
  public var signer: String
  /// Base64.
  public var value: String

  private var signerField: String { self.algorithm == .cms ? "certificate" : "public_key" }

  var json: JSON {
    .object([
      JSONMember("algorithm", .string(self.algorithm.rawValue)), JSONMember(self.signerField, .string(self.signer)),
      JSONMember("value", .string(self.value)),
    ])
  }

  init(_ document: Document, path: String) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    self.algorithm = try reader.choice("algorithm")
    self.signer = ""
    self.value = ""
    self.signer = try reader.string(self.signerField)
    self.value = try reader.string("value")
    guard self.signer.utf8.count <= 16_384 else { throw reader.failure(self.signerField, "at most 16 KiB belong here") }
    guard self.value.utf8.count <= 65_536 else { throw reader.failure("value", "at most 64 KiB belong here") }
    try reader.finish()
  }
}

/// A statement whose signature was checked: the statement as signed, and who the signature says has signed it.
struct VerifiedSignature: Sendable {
  var signature: StatementSignature
  /// The digest of the bytes that were signed.
  var signed: Digest
  /// The fingerprint of the key, or the subject of the certificate with its fingerprint.
  var signer: String
}
