internal import GovernanceTypes

extension BundleVerification {
  /// The keys that the log has had, from the notes of succession and `keys/log.vkey`; nil, with findings, where they cannot be told.
  mutating func logKeys(_ manifest: BundleManifest) -> LogKeys? {
    guard let key = self.logKey() else { return nil }
    var successions: [KeySuccession] = []
    while self.has("\(BundlePath.succession)\(successions.count + 1)") {
      let path = "\(BundlePath.succession)\(successions.count + 1)"
      guard successions.count < 1000, let bytes = self.bytes(of: path) else { return nil }
      do throws(NoteError) {
        successions.append(
          try KeySuccession(bytes, digest: self.verifier.digests.digest, verify: self.verifier.verifySignature))
      } catch {
        self.report.add(path, line: error.line, error.message)
        return nil
      }
    }
    do throws(NoteError) {
      let keys = try LogKeys(current: key, origin: manifest.origin, successions: successions)
      if let trusted = self.verifier.trust.logKey {
        self.report.isLogKeyTrusted = keys.all.contains(trusted)
        if !self.report.isLogKeyTrusted { self.report.add(BundlePath.logKey, "is not the key that you trust, \(trusted)") }
      }
      self.checkCertificate(keys)
      return keys
    } catch {
      self.report.add(BundlePath.logKey, error.message)
      return nil
    }
  }

  /// The newest succession names the certificate that signs manifests.
  private mutating func checkCertificate(_ keys: LogKeys) {
    guard let named = keys.successions.last?.certificate, let given = self.signerDigest, named != given else { return }
    self.report.add(BundlePath.signerCertificate, "is not the certificate that the newest succession of keys names")
  }

  /// The witnesses that the bundle names, and those that the caller asks for.
  mutating func checkCosignatures(_ note: SignedNote) throws(NoteError) {
    var witnesses: [NoteKey] = []
    if self.has(BundlePath.witnessKeys), let bytes = self.bytes(of: BundlePath.witnessKeys) {
      for (index, line) in String(decoding: bytes, as: UTF8.self).split(separator: "\n").enumerated() {
        do throws(NoteError) {
          witnesses.append(try NoteKey(vkey: String(line), use: .cosignature, digest: self.verifier.digests.digest))
        } catch {
          self.report.add(BundlePath.witnessKeys, line: index + 1, error.message)
        }
      }
    }
    let asked = self.verifier.trust.witnesses
    for witness in witnesses + asked.filter({ !witnesses.contains($0) }) {
      if let time = try note.cosigned(by: witness, using: self.verifier.verifySignature) {
        self.report.cosigned.append((witness, time))
      } else if asked.contains(witness) {
        self.report.add(BundlePath.checkpoint, "is not cosigned by \(witness), which you ask for")
      }
    }
  }

  /// The checkpoint that the caller has from elsewhere.
  mutating func knownCheckpoint(_ keys: LogKeys?, _ manifest: BundleManifest) -> Checkpoint? {
    guard let bytes = self.verifier.trust.checkpoint, let keys else { return nil }
    do throws(NoteError) {
      return try CheckpointVerifier(origin: manifest.origin, keys: keys.all, verify: self.verifier.verifySignature).open(bytes)
    } catch {
      self.report.add("the checkpoint given", line: error.line, error.message)
      return nil
    }
  }

  /// Whether the log extends the checkpoint that the caller has.
  mutating func conclude(_ known: Checkpoint, _ pass: EntryPass, previous: Checkpoint?) {
    let isPassed = pass.isKnownPassed ?? previous.flatMap { $0.size == known.size ? $0.root == known.root : nil }
    self.report.extendsKnownCheckpoint = isPassed ?? false
    if isPassed == true { return }
    let size = self.report.manifest?.size ?? pass.lines
    var message =
      "cannot be compared with the checkpoint of size \(known.size) that you have; ask for a bundle that begins before"
    if isPassed == false {
      message = "is of another log than the checkpoint of size \(known.size) that you have: the log was rewritten"
    } else if known.size > size {
      message =
        "has \(size) entries; the checkpoint that you have has \(known.size): the log was rolled back, or the bundle is older"
    }
    self.report.add(BundlePath.checkpoint, message)
  }

  /// Each proof is of an entry in the tree of the checkpoint.
  mutating func checkProofs(_ keys: LogKeys?, _ current: Checkpoint?) {
    for path in self.unreadPaths(below: BundlePath.proofs) {
      guard let bytes = self.bytes(of: path), let keys, let current else { continue }
      do throws(NoteError) {
        let checkpoint = try LogProof(bytes).verify(
          by: [keys.current], digest: self.verifier.digests.digest, using: self.verifier.verifySignature)
        guard checkpoint.size == current.size, checkpoint.root == current.root else {
          throw NoteError(line: nil, message: "is in another tree than that of \(BundlePath.checkpoint)")
        }
        self.report.proofs += 1
      } catch {
        self.report.add(path, line: error.line, error.message)
      }
    }
  }
}
