internal import AuditSigning
internal import GovernanceTypes

/// What the private keys on disk are encrypted with: a passphrase from the environment, or the content of a key file.
struct KeyPassphrase: Sendable {
  static let variable = "WEIGHBRIDGE_KEY_PASSPHRASE"
  /// Nil where keys are not encrypted.
  let text: String?

  /// - Parameter file: a file of at least 16 bytes, mode 0600; its SHA-256 is the passphrase.
  /// - Throws: ``StartFailure`` where both are given, or the passphrase is shorter than 12 characters; `KeyFileError`.
  init(file: String?, environment: [String: String]) throws {
    let given = environment[Self.variable].flatMap { $0.isEmpty ? nil : $0 }
    guard let file else {
      if let given, given.utf8.count < 12 || given.utf8.contains(0) {
        throw StartFailure("\(Self.variable) is too short: at least 12 characters protect the keys.")
      }
      self.text = given
      return
    }
    guard given == nil else { throw StartFailure("Both \(Self.variable) and data.key_file are set; the keys have one lock.") }
    let bytes = try KeyFile.read(file)
    guard bytes.count >= 16 else {
      throw StartFailure("\(file) has \(bytes.count) bytes; a key file has at least 16 random ones.")
    }
    self.text = sha256(bytes).hexadecimal
  }
}
