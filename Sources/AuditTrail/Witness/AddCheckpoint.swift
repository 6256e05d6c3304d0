public import GovernanceTypes

/// What a log sends to a witness: a checkpoint, and the proof that it extends the one of `oldSize` (C2SP tlog-witness).
public struct AddCheckpoint: Hashable, Sendable {
  /// The most bytes of a request: 63 hashes and a note.
  public static let bytesMaximum = 1 << 17
  static let proofMaximum = 63

  /// The size of the newest checkpoint that the witness is thought to have; 0 where there is none, or it is not known.
  public let oldSize: Int
  public let proof: [Digest]
  /// The signed note.
  public let checkpoint: [UInt8]

  public init(oldSize: Int, proof: [Digest], checkpoint: [UInt8]) {
    self.oldSize = oldSize
    self.proof = proof
    self.checkpoint = checkpoint
  }

  public var bytes: [UInt8] {
    let lines = ["old \(self.oldSize)"] + self.proof.map { Base64.encode($0.bytes) }
    return Array((lines.joined(separator: "\n") + "\n\n").utf8) + self.checkpoint
  }

  /// Reads a request strictly.
  ///
  /// - Throws: ``NoteError`` with the line at fault.
  public init(_ bytes: [UInt8]) throws(NoteError) {
    guard bytes.count <= Self.bytesMaximum else {
      throw NoteError(line: nil, message: "the request has \(bytes.count) bytes; at most \(Self.bytesMaximum) are read")
    }
    var lines: [String] = []
    var rest = bytes[...]
    while true {
      guard let end = rest.firstIndex(of: 0x0A), let line = String(validating: rest[..<end], as: UTF8.self),
        lines.count <= Self.proofMaximum + 1
      else { throw NoteError(line: lines.count + 1, message: "an empty line and a checkpoint belong below at most 63 hashes") }
      rest = rest[(end + 1)...]
      if line.isEmpty { break }
      lines.append(line)
    }
    guard let first = lines.first, first.hasPrefix("old "), let old = Int(first.dropFirst(4)), old >= 0, first == "old \(old)"
    else { throw NoteError(line: 1, message: "'old' and a size belong here") }
    guard lines.count <= Self.proofMaximum + 1 else { throw NoteError(line: 65, message: "a proof has at most 63 hashes") }
    var proof: [Digest] = []
    for (index, line) in lines.dropFirst().enumerated() {
      guard let bytes = Base64.decode(line), let hash = Digest(bytes) else {
        throw NoteError(line: index + 2, message: "a hash in base 64 belongs here")
      }
      proof.append(hash)
    }
    self.init(oldSize: old, proof: proof, checkpoint: Array(rest))
  }
}
