internal import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import YAMLDocuments

/// One fuzzing step: reads the bytes as JSON, strictly.
@discardableResult
func fuzzJSON(_ bytes: [UInt8]) -> Bool {
  isRead { () throws(DocumentError) in _ = try Document.parseJSON(bytes, limits: smallJSON) }
}

/// The same for YAML.
@discardableResult
func fuzzYAML(_ bytes: [UInt8]) -> Bool { isRead { () throws(DocumentError) in _ = try Document.parseYAML(bytes) } }

/// The bytes as a term file: read, and where it is accepted, every clause has what a decision cites.
@discardableResult
func fuzzTermFile(_ bytes: [UInt8]) -> Bool {
  isRead { () throws(DocumentError) in
    let file = try TermFile(try Document.parseYAML(bytes), digest: plainDigest(bytes), sha256: plainDigest)
    precondition(file.clauses.allSatisfy { !$0.id.isEmpty && !$0.ref.isEmpty })
  }
}

let smallJSON = JSONLimits(bytes: 1 << 16, depth: 64, nodes: 1 << 14)

/// Whether a text is accepted; a refusal must say why.
func isRead(_ read: () throws(DocumentError) -> Void) -> Bool {
  do throws(DocumentError) {
    try read()
    return true
  } catch {
    precondition(!error.description.isEmpty)
    return false
  }
}

/// Any digest serves where only its place in the text is of interest; this one is no cryptography.
let plainDigest: DigestFunction = { bytes in
  var words: [UInt64] = [14_695_981_039_346_656_037, 1, 2, 3]
  for byte in bytes {
    for index in words.indices { words[index] = (words[index] ^ UInt64(byte)) &* 1_099_511_628_211 }
  }
  let digest = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) } }
  guard let result = Digest(digest) else { preconditionFailure("thirty-two bytes are a digest") }
  return result
}
