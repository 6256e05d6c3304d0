internal import GovernanceTypes

/// The one pass over `entries.jsonl`, line by line beside `leaves.txt`.
struct EntryPass {
  let manifest: BundleManifest
  let checkpoint: Checkpoint?
  let tree: MerkleTree
  /// Nil where `consistency.json` could not be read: no root can be computed then.
  var frontier: MerkleFrontier?
  var rules: EntryRules
  /// Lines of `entries.jsonl` read so far.
  var lines = 0
  /// The first line whose leaf hash is not the one in `leaves.txt`.
  var firstDifference: Int?
  var differences = 0
  /// Lines of `entries.jsonl` beside which `leaves.txt` had ended.
  var leavesMissing = 0
  /// A checkpoint of the same log that the caller has from elsewhere, and whether the tree at its size has its root; nil until then.
  let known: Checkpoint?
  private(set) var isKnownPassed: Bool?
  private var scanner = CanonicalLine()

  init(
    manifest: BundleManifest, frontier: MerkleFrontier?, checkpoint: Checkpoint?, opening: BundleOpening, tree: MerkleTree,
    known: Checkpoint? = nil, usagesMaximum: Int = .max
  ) {
    self.manifest = manifest
    self.checkpoint = checkpoint
    self.tree = tree
    self.frontier = frontier
    self.known = known
    self.rules = EntryRules(firstSequence: manifest.firstSequence, opening: opening, usagesMaximum: usagesMaximum)
    self.compareKnown()
  }

  /// How many lines there must be: by the signed checkpoint where there is one, else by the manifest.
  var expectedLines: Int { max(0, self.checkpoint.map { $0.size - self.manifest.firstSequence } ?? self.manifest.entries) }

  /// Takes the next line.
  ///
  /// - Parameters:
  ///   - bytes: A zero byte and the line, which is what the leaf hash covers.
  ///   - leaf: The line of `leaves.txt` beside it; nil where that has ended.
  /// - Throws: ``LineError`` with the first rule that the line breaks.
  mutating func take(_ bytes: [UInt8], leaf: [UInt8]?) throws(LineError) {
    self.lines += 1
    let hash = self.tree.hash(prefixedLeaf: bytes)
    self.frontier?.append(hash, in: self.tree)
    self.compareKnown()
    if let leaf, !isHexadecimal(leaf, of: hash) {
      self.differences += 1
      if self.firstDifference == nil { self.firstDifference = self.lines }
    }
    do throws(LineError) {
      try self.scanner.scan(bytes, from: 1)
      let record = try EntryRecord(self.scanner, in: bytes)
      try self.rules.admit(record, in: bytes)
    } catch {
      if self.rules.entries < self.lines { self.rules.skip() }
      throw error
    }
  }
}

extension EntryPass {
  private mutating func compareKnown() {
    guard let known = self.known, known.size == self.frontier?.size else { return }
    self.isKnownPassed = self.frontier?.root(in: self.tree) == known.root
  }
}

/// Whether `text` is the 64 lower-case hexadecimal digits of `digest`.
private func isHexadecimal(_ text: [UInt8], of digest: Digest) -> Bool {
  guard text.count == 64 else { return false }
  let (bytes, digits) = (digest.bytes, hexadecimalDigits)
  for index in bytes.indices {
    guard text[2 * index] == digits[Int(bytes[index] >> 4)], text[2 * index + 1] == digits[Int(bytes[index] & 15)] else {
      return false
    }
  }
  return true
}

private let hexadecimalDigits = Array("0123456789abcdef".utf8)

extension BundleVerification {
  mutating func readEntries(_ pass: inout EntryPass) {
    guard var entries = self.lines(of: BundlePath.entries) else { return }
    var leaves = self.lines(of: BundlePath.leaves)
    do {
      try self.walk(&pass, &entries, &leaves)
      self.conclude(pass)
      try self.finish(entries)
      if let leaves { try self.finish(leaves) }
    } catch {
      self.report.add(BundlePath.entries, line: pass.lines + 1, "or the line of \(BundlePath.leaves) cannot be read: \(error)")
    }
  }

  private mutating func walk(_ pass: inout EntryPass, _ entries: inout LineReader, _ leaves: inout LineReader?) throws {
    var line: [UInt8] = []
    var leaf: [UInt8] = []
    while true {
      line.removeAll(keepingCapacity: true)
      line.append(0)
      leaf.removeAll(keepingCapacity: true)
      let outcome = try entries.next(into: &line, limit: LogEntry.bytesMaximum)
      let hasLeaf = try leaves?.next(into: &leaf, limit: 64) == .line
      guard outcome == .line, pass.lines < pass.expectedLines else {
        self.reportEnd(pass, outcome, leaves == nil ? nil : hasLeaf)
        break
      }
      if leaves != nil, !hasLeaf { pass.leavesMissing += 1 }
      do throws(LineError) { try pass.take(line, leaf: hasLeaf ? leaf : nil) } catch {
        self.report.add(BundlePath.entries, line: pass.lines, error.message)
      }
    }
    if entries.endsInsideLine { self.report.add(BundlePath.entries, line: pass.lines, "does not end in a newline") }
  }

  /// What is to be said of the line after the last one taken.
  private mutating func reportEnd(_ pass: EntryPass, _ outcome: LineReader.Outcome, _ hasLeaf: Bool?) {
    let line = pass.lines + 1
    if outcome == .tooLong {
      self.report.add(BundlePath.entries, line: line, "is longer than \(LogEntry.bytesMaximum) bytes")
    } else if outcome == .line {
      self.report.add(BundlePath.entries, line: line, "is one too many: the log has \(pass.expectedLines) entries here")
    } else if pass.lines < pass.expectedLines {
      self.report.add(
        BundlePath.entries, line: line, "is missing: the file ends, and the log has \(pass.expectedLines) entries here")
    } else if hasLeaf == true {
      self.report.add(BundlePath.leaves, line: line, "is one too many: there are \(pass.lines) entries")
    }
  }

  /// What the pass shows as a whole. The root decides which of the two files is wrong where they differ.
  private mutating func conclude(_ pass: EntryPass) {
    let isRootSound = pass.frontier.map { $0.root(in: pass.tree) == pass.checkpoint?.root } ?? false
    if let line = pass.firstDifference {
      if isRootSound {
        self.report.add(BundlePath.leaves, line: line, "is not the leaf hash of \(BundlePath.entries) line \(line)")
      } else {
        self.report.add(
          BundlePath.entries, line: line,
          "was changed, or a line was dropped, added or moved here: its hash is not that of \(BundlePath.leaves) line \(line)"
            + (pass.differences > 1 ? " (as for \(pass.differences - 1) lines after it)" : ""))
      }
    } else if !isRootSound, pass.lines == pass.expectedLines, pass.frontier != nil, pass.checkpoint != nil {
      self.report.add(
        BundlePath.entries,
        "lines 1 to \(pass.lines), after the tree in \(BundlePath.consistency), do not give the root of "
          + "\(BundlePath.checkpoint); \(BundlePath.leaves) agrees with them, so that no single line can be named")
    }
    if pass.leavesMissing > 0 {
      self.report.add(BundlePath.leaves, line: pass.lines - pass.leavesMissing + 1, "is missing")
    }
    if let checkpoint = pass.checkpoint, checkpoint.size != pass.manifest.size {
      self.report.add(
        BundlePath.manifest, "says that the log has \(pass.manifest.size) entries, the checkpoint \(checkpoint.size)")
    }
    self.concludeCounts(pass)
  }

  private mutating func concludeCounts(_ pass: EntryPass) {
    let counts = Dictionary(uniqueKeysWithValues: pass.rules.counts.map { ($0.key.text, $0.value) })
    let manifest = pass.manifest
    let size = manifest.firstSequence + manifest.entries
    if manifest.entries != pass.lines || manifest.counts != counts || manifest.size != size {
      self.report.add(BundlePath.manifest, "counts other entries than \(BundlePath.entries) has")
    }
    if let problem = periodProblem(pass.rules, manifest.period) {
      self.report.add(BundlePath.entries, line: problem.isFirst ? 1 : pass.lines, problem.message)
    }
  }
}
