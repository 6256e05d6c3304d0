public import GovernanceTypes

/// What a bundle is about, apart from the entries themselves.
public struct BundleDescription: Sendable {
  /// The software that writes it, with its version.
  public var software: String
  public var created: Timestamp
  /// Must contain the `at` of every entry; the end is exclusive.
  public var period: Range<Timestamp>
  /// The tree before the first entry: its size is the first sequence number.
  public var frontier: MerkleFrontier
  /// The newest checkpoint of the previous bundle, as the signed note that was published; nil for the first bundle. Its size
  /// may be anything up to that of `checkpoint`; the bundle's entries need not begin there.
  public var previousCheckpoint: [UInt8]?
  /// From the size of `previousCheckpoint` to that of `checkpoint`; empty where there is no previous one.
  public var consistencyProof: [Digest]
  /// The signed checkpoint whose size is the sequence number after the last entry.
  public var checkpoint: [UInt8]
  /// What the rules need to know of the log before the first entry.
  public var opening: BundleOpening
  /// The keys that the log has had, and the notes by which each followed the one before, in order.
  public var logKeys: LogKeys
  public var successions: [[UInt8]]
  /// Whose cosignatures the checkpoints may bear.
  public var witnesses: [NoteKey]
  /// The certificate of the key that signs the manifest, PEM.
  public var signerCertificate: [UInt8]
  /// The timestamp authority's certificate, PEM, where one is configured.
  public var timestampCertificate: [UInt8]?

  public init(
    software: String, created: Timestamp, period: Range<Timestamp>, frontier: MerkleFrontier, previousCheckpoint: [UInt8]?,
    consistencyProof: [Digest], checkpoint: [UInt8], opening: BundleOpening, logKeys: LogKeys, successions: [[UInt8]] = [],
    witnesses: [NoteKey] = [], signerCertificate: [UInt8], timestampCertificate: [UInt8]? = nil
  ) {
    self.software = software
    self.created = created
    self.period = period
    self.frontier = frontier
    self.previousCheckpoint = previousCheckpoint
    self.consistencyProof = consistencyProof
    self.checkpoint = checkpoint
    self.opening = opening
    self.logKeys = logKeys
    self.successions = successions
    self.witnesses = witnesses
    self.signerCertificate = signerCertificate
    self.timestampCertificate = timestampCertificate
  }
}

/// Writes an audit bundle as a series of plain files, in one pass over the entries, of which it keeps the holds that are open.
///
/// A verifier finds that a usage is held again after its end, for which it remembers them all; the store, where a usage's name is
/// unique, admits no such entry.
public struct BundleWriter: Sendable {
  private let digests: DigestSuite
  private let verifySignature: SignatureVerification

  public init(digests: DigestSuite, verifySignature: @escaping SignatureVerification) {
    self.digests = digests
    self.verifySignature = verifySignature
  }

  /// Writes all files; the manifest and its signatures come last.
  ///
  /// - Parameters:
  ///   - entries: The next line without its newline, in order of sequence; nil after the last.
  ///   - contents: `usage.csv`, `focus.csv`, and the files under `terms/`. The first line of `usage.csv` names its columns, among
  ///     them `usage`, `customer`, `currency` and `amount_nano`; its rows are those of the settlements, and add up to them.
  ///   - proof: The proof of an entry in the tree of the checkpoint; asked for each customer's newest settlement, for at most
  ///     ``proofsMaximum`` of them.
  ///   - sign: The detached CMS signature (DER) over the bytes of the manifest.
  ///   - timestamp: The RFC 3161 response (DER) over the bytes of the CMS signature, where an authority is configured.
  /// - Throws: ``BundleError`` where an entry breaks a rule that a verifier would find, or the entries do not give the root of
  ///   the checkpoint: a bundle whose entries would fail is not written to its end. Whatever the closures throw.
  public func write(
    _ description: BundleDescription, entries: () throws -> [UInt8]?, contents: [BundleContent],
    to sink: inout some BundleSink, proof: ((_ sequence: Int) throws -> LogProof)? = nil,
    sign: (_ manifest: [UInt8]) throws -> [UInt8],
    timestamp: ((_ signature: [UInt8]) throws -> [UInt8])? = nil
  ) throws -> BundleManifest {
    let checkpoints = try self.checkpoints(of: description)
    try Self.check(contents)
    guard (timestamp == nil) == (description.timestampCertificate == nil) else {
      throw BundleError(file: BundlePath.timestampCertificate, message: "an authority and its certificate go together")
    }
    var files = BundleFiles(digests: self.digests)
    let written = try self.writeEntries(description, entries, checkpoints.current, &files, &sink)
    let consistency = BundleConsistency(
      frontier: description.frontier, previousSize: checkpoints.previous?.size ?? 0, proof: description.consistencyProof)
    let summary = BundleSummary(totals: written.settled, opening: description.opening, openAfter: written.open)
    try files.write(BundlePath.consistency, consistency.bytes, to: &sink)
    try files.write(BundlePath.summary, try Self.bounded(summary), to: &sink)
    try self.writeKeys(description, &files, &sink)
    if let proof { try Self.writeProofs(written, proof, &files, &sink) }
    for content in contents { try files.write(content, to: &sink) }
    let readme = BundleReadme.text(
      origin: checkpoints.current.origin, key: description.logKeys.current, period: description.period)
    try files.write(BundlePath.readme, Array(readme.utf8), to: &sink)
    try files.write(BundlePath.script, PackageResources.verify_py, to: &sink)
    try files.write(BundlePath.proofScript, PackageResources.proof_py, to: &sink)
    let manifest = BundleManifest(
      origin: checkpoints.current.origin, software: description.software, created: description.created,
      period: description.period, firstSequence: description.frontier.size, entries: written.entries,
      counts: Dictionary(uniqueKeysWithValues: written.counts.map { ($0.key.text, $0.value) }), size: checkpoints.current.size,
      previousSize: consistency.previousSize, files: files.sorted)
    let signature = try sign(manifest.bytes)
    try files.write(BundlePath.manifest, manifest.bytes, to: &sink)
    try files.write(BundlePath.signature, signature, to: &sink)
    var sums = [(BundlePath.signature, signature), (BundlePath.manifest, manifest.bytes)]
    if let timestamp {
      let response = try timestamp(signature)
      try files.write(BundlePath.timestamp, response, to: &sink)
      sums.append((BundlePath.timestamp, response))
    }
    try files.write(BundlePath.sums, sumLines(sums, digest: self.digests.digest), to: &sink)
    return manifest
  }

  /// Both checkpoints, verified, and the proof between them.
  private func checkpoints(of description: BundleDescription) throws -> (previous: Checkpoint?, current: Checkpoint) {
    let tree = MerkleTree(digest: self.digests.digest)
    let current = try self.open(description.checkpoint, BundlePath.checkpoint, [description.logKeys.current])
    guard let note = description.previousCheckpoint else {
      guard description.consistencyProof.isEmpty else {
        throw BundleError(file: BundlePath.consistency, message: "a proof needs a previous checkpoint")
      }
      return (nil, current)
    }
    let previous = try self.open(note, BundlePath.previousCheckpoint, description.logKeys.all)
    guard previous.origin == current.origin else {
      throw BundleError(file: BundlePath.previousCheckpoint, message: "is of another log, '\(previous.origin)'")
    }
    guard
      tree.verifyConsistency(
        from: (previous.size, previous.root), to: (current.size, current.root), proof: description.consistencyProof)
    else { throw BundleError(file: BundlePath.consistency, message: "the proof does not lead from the previous checkpoint") }
    return (previous, current)
  }

  private func open(_ bytes: [UInt8], _ file: String, _ keys: [NoteKey]) throws(BundleError) -> Checkpoint {
    do throws(NoteError) {
      let origin = try Checkpoint(text: try SignedNote(bytes).text).origin
      return try CheckpointVerifier(origin: origin, keys: keys, verify: self.verifySignature).open(bytes)
    } catch {
      throw BundleError(file: file, line: error.line, message: error.message)
    }
  }

  private static func check(_ contents: [BundleContent]) throws(BundleError) {
    var seen: Set<String> = []
    for content in contents {
      let isKnown =
        content.path == BundlePath.usage || content.path == BundlePath.focus || content.path.hasPrefix(BundlePath.terms)
      guard isKnown, BundlePath.isPlain(content.path), seen.insert(content.path).inserted else {
        throw BundleError(file: content.path, message: "is no file that can be put into a bundle, or is there twice")
      }
    }
    guard seen.contains(BundlePath.usage) else { throw BundleError(file: BundlePath.usage, message: "is missing") }
  }

  /// Writes the entries, their leaf hashes beside them, and the notes.
  private func writeEntries(
    _ description: BundleDescription, _ entries: () throws -> [UInt8]?, _ checkpoint: Checkpoint,
    _ files: inout BundleFiles, _ sink: inout some BundleSink
  ) throws -> EntryRules {
    let tree = MerkleTree(digest: self.digests.digest)
    var frontier = description.frontier
    var rules = EntryRules(firstSequence: frontier.size, opening: description.opening, forgetsEnded: true)
    var scanner = CanonicalLine()
    var file = try files.open(BundlePath.entries, in: &sink)
    var leaves = try files.open(BundlePath.leaves, in: &sink)
    while let line = try entries() {
      do throws(LineError) {
        guard line.count <= LogEntry.bytesMaximum else { throw LineError("is longer than \(LogEntry.bytesMaximum) bytes") }
        try scanner.scan(line, from: 0)
        try rules.admit(try EntryRecord(scanner, in: line), in: line)
      } catch {
        let line = frontier.size - description.frontier.size + 1
        throw BundleError(file: BundlePath.entries, line: line, message: error.message)
      }
      let hash = tree.leafHash(line)
      frontier.append(hash, in: tree)
      try leaves.appendLine(hash, to: &sink)
      try file.append(line, to: &sink)
      try file.append([0x0A], to: &sink)
    }
    try files.close(file, in: &sink)
    try files.close(leaves, in: &sink)
    try Self.check(rules, description.period)
    guard frontier.size == checkpoint.size, frontier.root(in: tree) == checkpoint.root else {
      throw BundleError(
        file: BundlePath.checkpoint, message: "of size \(checkpoint.size) is not the root of the \(frontier.size) entries given")
    }
    try files.write(BundlePath.checkpoint, description.checkpoint, to: &sink)
    if let note = description.previousCheckpoint { try files.write(BundlePath.previousCheckpoint, note, to: &sink) }
    return rules
  }

  private static func check(_ rules: EntryRules, _ period: Range<Timestamp>) throws(BundleError) {
    guard let problem = periodProblem(rules, period) else { return }
    throw BundleError(file: BundlePath.entries, line: problem.isFirst ? 1 : rules.entries, message: problem.message)
  }

  private func writeKeys(
    _ description: BundleDescription, _ files: inout BundleFiles, _ sink: inout some BundleSink
  ) throws {
    let key = description.logKeys.current
    try files.write(BundlePath.logKey, Array((key.vkey + "\n").utf8), to: &sink)
    try files.write(BundlePath.logKeyPEM, Array(key.pem.utf8), to: &sink)
    for (index, note) in description.successions.enumerated() {
      try files.write("\(BundlePath.succession)\(index + 1)", note, to: &sink)
    }
    if !description.witnesses.isEmpty {
      let lines = description.witnesses.map { $0.vkey + "\n" }.joined()
      try files.write(BundlePath.witnessKeys, Array(lines.utf8), to: &sink)
    }
    try files.write(BundlePath.signerCertificate, description.signerCertificate, to: &sink)
    if let certificate = description.timestampCertificate {
      try files.write(BundlePath.timestampCertificate, certificate, to: &sink)
    }
  }
}

extension BundleWriter {
  /// The most proofs of single entries in a bundle.
  public static let proofsMaximum = 1000

  private static func bounded(_ summary: BundleSummary) throws(BundleError) -> [UInt8] {
    let opening = summary.opening
    // A verifier counts the values of the file, so that no bundle exhausts its memory; these are upper bounds of them.
    let nodes = 8 * (summary.totals.count + opening.openHolds.count + summary.openAfter.count) + 3 * opening.customers.count
    let bytes = summary.bytes
    guard nodes + 1024 <= BundleSummary.nodesMaximum, bytes.count <= BundleSummary.bytesMaximum else {
      throw BundleError(
        file: BundlePath.summary, message: "has more customers and open holds than one bundle may; take a shorter period")
    }
    return bytes
  }

  /// Each customer's newest settlement, so that it can be handed to it without the rest.
  private static func writeProofs(
    _ rules: EntryRules, _ proof: (Int) throws -> LogProof, _ files: inout BundleFiles, _ sink: inout some BundleSink
  ) throws {
    var newest: [UInt128: (sequence: Int, usage: UInt128)] = [:]
    for account in rules.accounts {
      guard let settlement = account.newest, settlement.sequence > newest[account.key.customer]?.sequence ?? -1 else { continue }
      newest[account.key.customer] = settlement
    }
    for settlement in newest.values.sorted(by: { $0.sequence > $1.sequence }).prefix(Self.proofsMaximum) {
      let path = "\(BundlePath.proofs)\(UsageID(settlement.usage)).tlog-proof"
      try files.write(path, try proof(settlement.sequence).bytes, to: &sink)
    }
  }
}

/// Lines of `sha256sum`, by name in the order of bytes.
func sumLines(_ files: [(path: String, bytes: [UInt8])], digest: DigestFunction) -> [UInt8] {
  let lines = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }.map {
    "\(digest($0.bytes).hexadecimal)  \($0.path)\n"
  }
  return Array(lines.joined().utf8)
}

/// Whether the first or the last entry lies outside the period; as `at` never decreases, no other can unless one of them does.
func periodProblem(_ rules: EntryRules, _ period: Range<Timestamp>) -> (isFirst: Bool, message: String)? {
  guard rules.entries > 0 else { return nil }
  let (from, to) = (Array(period.lowerBound.description.utf8), Array(period.upperBound.description.utf8))
  if rules.firstAt.lexicographicallyPrecedes(from) { return (true, "lies before the period, which begins \(period.lowerBound)") }
  if !rules.lastAt.lexicographicallyPrecedes(to) { return (false, "lies after the period, which ends \(period.upperBound)") }
  return nil
}
