internal import AuditSigning
internal import Foundation
internal import Governance
internal import GovernanceTypes

/// Checks the signatures that statements came with, by the system's libcrypto.
enum StatementSignatures {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Who the signature says has signed: the key's fingerprint, or the certificate's subject and fingerprint. Whether that is the person
  /// named is for people to compare: the gateway knows no keys of customers.
  static func verify(_ signature: StatementSignature, _ content: [UInt8]) throws -> String {
    guard let value = Data(base64Encoded: signature.value) else { throw Failure(description: "'value' is no base64") }
    switch signature.algorithm {
    case .ed25519:
      guard let key = Data(base64Encoded: signature.signer), key.count == 32, value.count == 64 else {
        throw Failure(description: "an Ed25519 public key has 32 bytes and a signature 64, both in base64")
      }
      guard Ed25519Key.verify(Array(key), content, Array(value)) else {
        throw Failure(description: "the Ed25519 signature is wrong")
      }
      return "ed25519:\(sha256(Array(key)).hexadecimal)"
    case .cms:
      let certificate = Array(signature.signer.utf8)
      let subject = try verifyCMS(content, Array(value), certificate)
      return "\(subject) (certificate sha256:\(sha256(certificate).hexadecimal))"
    }
  }
}
