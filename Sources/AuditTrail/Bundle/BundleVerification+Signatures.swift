internal import Documents
internal import GovernanceTypes

extension BundleVerification {
  /// The CMS signature over the manifest, and the timestamp over that.
  mutating func checkManifestSignature(_ manifest: [UInt8]) {
    let isStamped = self.has(BundlePath.timestampCertificate)
    guard let certificate = self.bytes(of: BundlePath.signerCertificate) else { return }
    self.signerDigest = self.verifier.digests.digest(certificate)
    if let trusted = self.verifier.trust.signerCertificate {
      self.report.isSignerTrusted = trusted == certificate
      if trusted != certificate { self.report.add(BundlePath.signerCertificate, "is not the certificate that you trust") }
    }
    guard let signature = self.bytes(of: BundlePath.signature) else { return }
    do { self.report.signer = try self.verifier.verifyManifest(manifest, signature, certificate) } catch {
      self.report.add(BundlePath.signature, "does not sign \(BundlePath.manifest) with \(BundlePath.signerCertificate): \(error)")
    }
    let response = isStamped ? self.bytes(of: BundlePath.timestamp) : nil
    self.checkSums(manifest, signature, response)
    guard let response, let authority = self.bytes(of: BundlePath.timestampCertificate) else { return }
    do { self.report.timestamp = try self.verifier.verifyTimestamp(signature, response, authority) } catch {
      self.report.add(BundlePath.timestamp, "is no timestamp of \(BundlePath.signature): \(error)")
    }
  }

  /// The key that the checkpoints must be signed with; nil, with findings, where it cannot be told.
  mutating func logKey() -> NoteKey? {
    let pem = self.bytes(of: BundlePath.logKeyPEM)
    guard let bytes = self.bytes(of: BundlePath.logKey) else { return nil }
    do throws(NoteError) {
      guard bytes.last == 0x0A, let text = String(validating: bytes.dropLast(), as: UTF8.self) else {
        throw NoteError(line: nil, message: "is not one line of text")
      }
      let key = try NoteKey(vkey: text, digest: self.verifier.digests.digest)
      if let pem, pem != Array(key.pem.utf8) { self.report.add(BundlePath.logKeyPEM, "is not the key of \(BundlePath.logKey)") }
      self.report.logKey = key
      return key
    } catch {
      self.report.add(BundlePath.logKey, error.description)
      return nil
    }
  }

  /// The checkpoint in a file; nil, with a finding, where it is not one of this log, signed by its key.
  mutating func checkpoint(_ path: String, _ keys: [NoteKey]?, _ manifest: BundleManifest) -> Checkpoint? {
    guard let bytes = self.bytes(of: path), let keys else { return nil }
    do throws(NoteError) {
      let verifier = CheckpointVerifier(origin: manifest.origin, keys: keys, verify: self.verifier.verifySignature)
      let checkpoint = try verifier.open(bytes)
      if path == BundlePath.checkpoint { try self.checkCosignatures(try SignedNote(bytes)) }
      return checkpoint
    } catch {
      self.report.add(path, line: error.line, error.message)
      return nil
    }
  }

  mutating func previousCheckpoint(_ keys: LogKeys?, _ manifest: BundleManifest) -> Checkpoint? {
    guard self.has(BundlePath.previousCheckpoint) else {
      if manifest.previousSize != 0 {
        self.report.add(
          BundlePath.previousCheckpoint, "is missing, and the manifest says that it is of size \(manifest.previousSize)")
      }
      return nil
    }
    let checkpoint = self.checkpoint(BundlePath.previousCheckpoint, keys?.all, manifest)
    if let checkpoint, checkpoint.size != manifest.previousSize {
      self.report.add(BundlePath.previousCheckpoint, "is of size \(checkpoint.size), the manifest says \(manifest.previousSize)")
    }
    return checkpoint
  }

  /// The tree before the entries, and the proof from the previous checkpoint to the current one.
  mutating func consistency(_ manifest: BundleManifest, previous: Checkpoint?, current: Checkpoint?) -> BundleConsistency? {
    guard let bytes = self.bytes(of: BundlePath.consistency) else { return nil }
    let consistency: BundleConsistency
    do { consistency = try BundleConsistency(bytes) } catch {
      self.report.add(BundlePath.consistency, error.description)
      return nil
    }
    if consistency.bytes != bytes { self.report.add(BundlePath.consistency, "is not canonical JSON and a newline") }
    if consistency.frontier.size != manifest.firstSequence || consistency.previousSize != manifest.previousSize {
      self.report.add(BundlePath.consistency, "has other sizes than the manifest")
    }
    let tree = MerkleTree(digest: self.verifier.digests.digest)
    if let previous, let current {
      let proves = tree.verifyConsistency(
        from: (previous.size, previous.root), to: (current.size, current.root), proof: consistency.proof)
      if !proves {
        self.report.add(
          BundlePath.consistency, "does not prove that \(BundlePath.checkpoint) extends \(BundlePath.previousCheckpoint)")
      }
    } else if manifest.previousSize == 0, !consistency.proof.isEmpty {
      self.report.add(BundlePath.consistency, "has a proof without a previous checkpoint")
    }
    if let previous, previous.size == consistency.frontier.size, consistency.frontier.root(in: tree) != previous.root {
      self.report.add(BundlePath.consistency, "the frontier does not give the root of \(BundlePath.previousCheckpoint)")
    }
    return consistency
  }

  mutating func summary() -> BundleSummary? {
    guard let bytes = self.bytes(of: BundlePath.summary, atMost: BundleSummary.bytesMaximum) else { return nil }
    do {
      let summary = try BundleSummary(bytes)
      if summary.bytes != bytes { self.report.add(BundlePath.summary, "is not canonical JSON and a newline") }
      return summary
    } catch {
      self.report.add(BundlePath.summary, error.description)
      return nil
    }
  }

  /// `manifest.sha256` is exactly what `sha256sum` would write of the manifest and its signatures.
  private mutating func checkSums(_ manifest: [UInt8], _ signature: [UInt8], _ response: [UInt8]?) {
    var files = [(path: BundlePath.manifest, bytes: manifest), (path: BundlePath.signature, bytes: signature)]
    if let response { files.append((BundlePath.timestamp, response)) }
    guard let sums = self.bytes(of: BundlePath.sums) else { return }
    if sums != sumLines(files, digest: self.verifier.digests.digest) {
      self.report.add(
        BundlePath.sums, "has not the SHA-256 of \(files.map(\.path).sorted().joined(separator: ", ")): one of these was changed")
    }
  }

  /// The summary against what the entries add up to.
  mutating func compare(_ summary: BundleSummary, _ rules: EntryRules) {
    let first = self.report.manifest?.firstSequence ?? 0
    if first == 0, summary.opening != BundleOpening() {
      self.report.add(BundlePath.summary, "tells of something before the first entry of the log")
    }
    for hold in summary.opening.openHolds where hold.sequence >= first {
      self.report.add(BundlePath.summary, "open_before lists \(hold.usage), whose hold is entry \(hold.sequence) of this bundle")
    }
    if Set(summary.opening.openHolds.map(\.usage)).count != summary.opening.openHolds.count {
      self.report.add(BundlePath.summary, "open_before lists a usage twice")
    }
    let (totals, open) = (rules.settled, rules.open)
    if summary.totals != totals {
      let wrong = Set(summary.totals).symmetricDifference(totals).map { "\($0.customer) in \($0.settled.currency)" }.min()
      self.report.add(
        BundlePath.summary, "totals are not those of the entries\(wrong.map { ", first for \($0)" } ?? ": out of order")")
    }
    if summary.openAfter != open {
      let wrong = Set(summary.openAfter).symmetricDifference(open).map(\.usage.description).min()
      self.report.add(
        BundlePath.summary, "open_after is not what the entries leave open\(wrong.map { ", first \($0)" } ?? ": out of order")")
    }
  }
}
