internal import Documents
internal import GovernanceTypes

/// One run over one bundle. Its steps stand in ``run()`` in their order.
struct BundleVerification<Source: BundleSource> {
  let verifier: BundleVerifier
  private let source: Source
  var report = BundleReport()
  /// SHA-256 of `keys/signer.pem`, once that was read.
  var signerDigest: Digest?
  /// The manifest's files that are there and have not been read yet.
  private var unread: [String: BundleManifest.File] = [:]
  private var missing: Set<String> = []

  init(verifier: BundleVerifier, source: Source) {
    self.verifier = verifier
    self.source = source
  }

  mutating func run() {
    guard let bytes = self.bytes(of: BundlePath.manifest, atMost: BundleManifest.bytesMaximum),
      let manifest = self.manifest(bytes)
    else { return }
    self.checkFileSet(manifest)
    self.checkManifestSignature(bytes)
    let keys = self.logKeys(manifest)
    let current = self.checkpoint(BundlePath.checkpoint, keys.map { [$0.current] }, manifest)
    let previous = self.previousCheckpoint(keys, manifest)
    let known = self.knownCheckpoint(keys, manifest)
    let consistency = self.consistency(manifest, previous: previous, current: current)
    let summary = self.summary()
    var pass = EntryPass(
      manifest: manifest, frontier: consistency?.frontier, checkpoint: current, opening: summary?.opening ?? BundleOpening(),
      tree: MerkleTree(digest: self.verifier.digests.digest), known: known, usagesMaximum: self.verifier.usagesMaximum)
    self.readEntries(&pass)
    self.readUsage(&pass.rules)
    if let summary { self.compare(summary, pass.rules) }
    self.checkProofs(keys, current)
    if let known { self.conclude(known, pass, previous: previous) }
    for path in self.unread.keys.sorted() { self.drain(path) }
    self.report.checkpoint = current
    self.report.openBefore = summary?.opening.openHolds ?? []
    self.report.totals = pass.rules.settled
    self.report.openAfter = pass.rules.open
  }

  private mutating func manifest(_ bytes: [UInt8]) -> BundleManifest? {
    do {
      let manifest = try BundleManifest(bytes)
      self.report.manifest = manifest
      return manifest
    } catch {
      self.report.add(BundlePath.manifest, error.description)
      return nil
    }
  }

  /// The bundle must have the files of the manifest, the manifest with its signatures, and no other.
  private mutating func checkFileSet(_ manifest: BundleManifest) {
    let outside = [BundlePath.manifest, BundlePath.signature, BundlePath.timestamp, BundlePath.sums]
    for file in manifest.files where outside.contains(file.path) {
      self.report.add(BundlePath.manifest, "lists \(file.path), which cannot be listed in it")
    }
    let listed = Dictionary(manifest.files.map { ($0.path, $0) }) { first, _ in first }
    for path in requiredPaths where listed[path] == nil { self.report.add(BundlePath.manifest, "does not list \(path)") }
    let found: Set<String>
    do { found = Set(try self.source.paths()) } catch {
      self.report.add(BundlePath.manifest, "the files beside it cannot be listed: \(error)")
      return
    }
    var expected = Set(listed.keys).union([BundlePath.manifest, BundlePath.signature, BundlePath.sums])
    if listed[BundlePath.timestampCertificate] != nil { expected.insert(BundlePath.timestamp) }
    self.missing = expected.subtracting(found)
    for path in self.missing.sorted() { self.report.add(path, "is missing") }
    for path in found.subtracting(expected).sorted() {
      self.report.add(String(path.prefix(200)), "is not in the manifest, and has no place in the bundle")
    }
    self.unread = listed.filter { found.contains($0.key) && !outside.contains($0.key) }
  }

  /// Whether a file is listed in the manifest or belongs to it, and is there.
  func has(_ path: String) -> Bool { self.unread[path] != nil }

  /// The files below a folder that have not been read yet, in order.
  func unreadPaths(below folder: String) -> [String] { self.unread.keys.filter { $0.hasPrefix(folder) }.sorted() }

  /// A whole file, checked against the manifest if that lists it; nil, with a finding, where it cannot be read or is larger than
  /// such a file can be.
  mutating func bytes(of path: String, atMost maximum: Int = 1 << 20) -> [UInt8]? {
    guard !self.missing.contains(path) else { return nil }
    let listed = self.unread.removeValue(forKey: path)
    do {
      let pull = try self.source.open(path)
      var bytes: [UInt8] = []
      while let piece = try pull() {
        bytes.append(contentsOf: piece)
        guard bytes.count <= maximum else {
          self.report.add(path, "is larger than \(maximum) bytes")
          return nil
        }
      }
      if let listed { self.compare(listed, self.verifier.digests.digest(bytes), bytes.count) }
      return bytes
    } catch {
      self.report.add(path, "cannot be read: \(error)")
      return nil
    }
  }

  /// A file to be read line by line; nil, with a finding, where it cannot be opened.
  mutating func lines(of path: String) -> LineReader? {
    guard !self.missing.contains(path) else { return nil }
    do {
      return LineReader(path: path, try self.source.open(path), digests: self.verifier.digests)
    } catch {
      self.report.add(path, "cannot be read: \(error)")
      return nil
    }
  }

  /// Reads what is left of a file, and checks the whole of it against the manifest.
  mutating func finish(_ reader: LineReader) throws {
    var reader = reader
    let digest = try reader.finish()
    if let listed = self.unread.removeValue(forKey: reader.path) { self.compare(listed, digest, reader.size) }
  }

  /// Reads a file only to check it against the manifest.
  private mutating func drain(_ path: String) {
    guard let reader = self.lines(of: path) else { return }
    do { try self.finish(reader) } catch { self.report.add(path, "cannot be read: \(error)") }
  }

  private mutating func compare(_ listed: BundleManifest.File, _ digest: Digest, _ size: Int) {
    guard digest != listed.sha256 || size != listed.size else { return }
    self.report.add(
      listed.path,
      "is not the file that the manifest lists: SHA-256 \(digest) of \(size) bytes instead of \(listed.sha256) of \(listed.size)")
  }
}

/// What every bundle has.
private let requiredPaths = [
  BundlePath.entries, BundlePath.leaves, BundlePath.checkpoint, BundlePath.consistency, BundlePath.summary, BundlePath.usage,
  BundlePath.logKey, BundlePath.logKeyPEM, BundlePath.signerCertificate, BundlePath.readme, BundlePath.script,
  BundlePath.proofScript,
]
