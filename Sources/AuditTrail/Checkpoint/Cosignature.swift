public import GovernanceTypes

/// A witness's statement that at a time a checkpoint was the largest one that it had seen of its log, consistent with all before
/// (C2SP tlog-cosignature, Ed25519).
public enum Cosignature {
  /// What is signed: a header, the time in seconds since 1970, and the checkpoint's text.
  static func message(_ text: String, seconds: UInt64) -> [UInt8] { Array("cosignature/v1\ntime \(seconds)\n\(text)".utf8) }

  /// The signature line of a witness.
  ///
  /// It is the witness's duty to have checked that the checkpoint extends every one that it signed before.
  /// - Parameter sign: The Ed25519 signature of a message under the private half of `key`.
  public static func sign(
    _ text: String, at time: Timestamp, by key: NoteKey, sign: (_ message: [UInt8]) throws -> [UInt8]
  ) throws -> NoteSignature {
    let seconds = UInt64(clamping: time.seconds)
    let stamp = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: seconds >> UInt64($0)) }
    return NoteSignature(
      name: key.name, keyID: key.id, signature: stamp + (try sign(Self.message(text, seconds: seconds))))
  }
}

extension SignedNote {
  /// When a witness cosigned the text; nil where it did not.
  ///
  /// - Throws: ``NoteError`` where a signature names the witness's key and is wrong.
  public func cosigned(by key: NoteKey, using verify: SignatureVerification) throws(NoteError) -> Timestamp? {
    var newest: Int64?
    for signature in self.signatures where signature.name == key.name && signature.keyID == key.id {
      let seconds = signature.signature.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      // Later times than the year 2200 are no times of ours, and would overflow nanoseconds.
      guard key.use == .cosignature, signature.signature.count == 72, seconds < 7_258_118_400,
        verify(key.publicKey, Cosignature.message(self.text, seconds: seconds), Array(signature.signature.dropFirst(8)))
      else { throw NoteError(line: nil, message: "the cosignature by \(key.name) with key id \(key.idText) is wrong") }
      newest = max(newest ?? 0, Int64(seconds))
    }
    return newest.map { Timestamp(seconds: $0) }
  }
}
