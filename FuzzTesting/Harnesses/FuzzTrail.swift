internal import Audience
internal import AuditTrail
internal import Documents
internal import GovernanceTypes

/// One fuzzing step: reads the bytes as everything that another party's log or witness may send: notes, checkpoints, proofs,
/// requests to a witness, successions of keys, a bundle's manifest. What is accepted is written again as it was read.
@discardableResult
func fuzzNote(_ bytes: [UInt8]) -> Bool {
  var accepted = 0
  if let note = try? SignedNote(bytes) {
    accepted += 1
    if let checkpoint = try? Checkpoint(text: note.text) { precondition(checkpoint.size >= 0 && !checkpoint.origin.isEmpty) }
  }
  if let proof = try? LogProof(bytes) {
    accepted += 1
    precondition(proof.bytes == bytes)
  }
  if let request = try? AddCheckpoint(bytes) {
    accepted += 1
    precondition(request.bytes == bytes)
  }
  // No signature holds here, so that no succession can be accepted.
  precondition((try? KeySuccession(bytes, digest: plainDigest, verify: { _, _, _ in false })) == nil)
  if (try? BundleManifest(bytes)) != nil { accepted += 1 }
  if let text = String(validating: bytes, as: UTF8.self) { _ = try? NoteKey(vkey: text, digest: plainDigest) }
  return accepted > 0
}

/// The bytes as a sketch of an audience, which has one form only.
@discardableResult
func fuzzSketch(_ bytes: [UInt8]) -> Bool {
  do throws(AudienceFormatError) {
    let sketch = try UserSketch(bytes: bytes)
    precondition(sketch.bytes == bytes)
    return true
  } catch {
    return false
  }
}
