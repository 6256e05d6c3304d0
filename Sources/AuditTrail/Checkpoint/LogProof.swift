public import GovernanceTypes

/// That one entry is in a log, for someone who has nothing but this file and the log's key (C2SP tlog-proof).
///
/// `extra`, which the format leaves to the application, is the entry's line: the proof is of its leaf hash.
public struct LogProof: Hashable, Sendable {
  static let header = "c2sp.org/tlog-proof@v1"
  static let bytesMaximum = 1 << 18

  /// The entry's line without its newline.
  public let entry: [UInt8]
  /// The entry's sequence number.
  public let index: Int
  /// From the leaf's sibling up (RFC 9162 section 2.1.3).
  public let path: [Digest]
  /// The signed note, as published.
  public let checkpoint: [UInt8]

  public init(entry: [UInt8], index: Int, path: [Digest], checkpoint: [UInt8]) {
    self.entry = entry
    self.index = index
    self.path = path
    self.checkpoint = checkpoint
  }

  /// The file.
  public var bytes: [UInt8] {
    let lines =
      [Self.header, "extra \(Base64.encode(self.entry))", "index \(self.index)"] + self.path.map { Base64.encode($0.bytes) }
    return Array((lines.joined(separator: "\n") + "\n\n").utf8) + self.checkpoint
  }

  /// Whether a file begins as a proof does.
  public static func begins(_ bytes: [UInt8]) -> Bool { bytes.starts(with: Array(Self.header.utf8)) }

  /// Reads a proof; it proves nothing before ``verify(by:origin:digest:using:)``.
  ///
  /// - Throws: ``NoteError`` with the line at fault.
  public init(_ bytes: [UInt8]) throws(NoteError) {
    guard bytes.count <= Self.bytesMaximum else {
      throw NoteError(line: nil, message: "the proof has \(bytes.count) bytes; at most \(Self.bytesMaximum) are read")
    }
    var rest = bytes[...]
    var number = 0
    func next() throws(NoteError) -> String {
      number += 1
      guard let end = rest.firstIndex(of: 0x0A), let line = String(validating: rest[..<end], as: UTF8.self) else {
        throw NoteError(line: number, message: "the proof ends here, or the line is not UTF-8")
      }
      rest = rest[(end + 1)...]
      return line
    }
    guard try next() == Self.header else { throw NoteError(line: 1, message: "a proof begins with '\(Self.header)'") }
    var line = try next()
    guard line.hasPrefix("extra "), let entry = Base64.decode(line.dropFirst(6)), entry.count <= LogEntry.bytesMaximum else {
      throw NoteError(line: 2, message: "'extra' and base 64 of the entry's line belong here")
    }
    line = try next()
    guard line.hasPrefix("index "), let index = Int(line.dropFirst(6)), index >= 0, line == "index \(index)" else {
      throw NoteError(line: 3, message: "'index' and the entry's number belong here")
    }
    var path: [Digest] = []
    line = try next()
    while !line.isEmpty {
      guard path.count < 63, let bytes = Base64.decode(line), let hash = Digest(bytes) else {
        throw NoteError(line: number, message: "at most 63 hashes in base 64, one a line, belong here")
      }
      path.append(hash)
      line = try next()
    }
    self.init(entry: entry, index: index, path: path, checkpoint: Array(rest))
  }

  /// The checkpoint whose tree has the entry.
  ///
  /// - Throws: ``NoteError`` where the checkpoint is not signed by one of `keys`, the path does not lead to its root, or the entry
  ///   names another place than the proof.
  public func verify(
    by keys: [NoteKey], digest: @escaping DigestFunction, using verify: @escaping SignatureVerification
  ) throws(NoteError) -> Checkpoint {
    let note = try SignedNote(self.checkpoint)
    let origin = try Checkpoint(text: note.text).origin
    let named = keys.filter { $0.name == origin }
    guard !named.isEmpty else {
      throw NoteError(line: nil, message: "the checkpoint is of '\(origin)', and none of the keys given is of that log")
    }
    let checkpoint = try CheckpointVerifier(origin: origin, keys: named, verify: verify).open(self.checkpoint)
    let tree = MerkleTree(digest: digest)
    guard
      tree.verifyInclusion(
        of: tree.leafHash(self.entry), index: self.index, size: checkpoint.size, proof: self.path, root: checkpoint.root)
    else {
      throw NoteError(
        line: nil, message: "the path does not lead from the entry to the root in the checkpoint: it is not this entry")
    }
    var scanner = CanonicalLine()
    do throws(LineError) {
      try scanner.scan(self.entry, from: 0)
      let record = try EntryRecord(scanner, in: self.entry)
      guard record.sequence == self.index else { throw LineError("has seq \(record.sequence), not \(self.index)") }
    } catch {
      throw NoteError(line: 2, message: "the entry \(error.message)")
    }
    return checkpoint
  }
}
