internal import GovernanceTypes

/// Reads a file line by line from its pieces, and hashes all of it on the way.
struct LineReader {
  enum Outcome { case line, end, tooLong }

  let path: String
  private let pull: () throws -> [UInt8]?
  private var hasher: any StreamingDigest
  private var piece: [UInt8] = []
  private var index = 0
  /// Bytes read so far.
  private(set) var size = 0
  /// Whether the file's last line has no newline; known once the end is reached.
  private(set) var endsInsideLine = false

  init(path: String, _ pull: @escaping () throws -> [UInt8]?, digests: DigestSuite) {
    self.path = path
    self.pull = pull
    self.hasher = digests.streaming()
  }

  /// Appends the next line, without its newline, to `line`.
  ///
  /// After ``Outcome/tooLong`` the rest of the file can only be drained with ``finish()``.
  mutating func next(into line: inout [UInt8], limit: Int) throws -> Outcome {
    let start = line.count
    while true {
      if self.index == self.piece.count {
        guard try self.refill() else {
          if line.count > start { self.endsInsideLine = true }
          return line.count > start ? .line : .end
        }
      }
      let end = newline(in: self.piece, from: self.index)
      guard line.count - start + (end - self.index) <= limit else { return .tooLong }
      line.append(contentsOf: self.piece[self.index..<end])
      self.index = min(end + 1, self.piece.count)
      if end < self.piece.count { return .line }
    }
  }

  /// Reads what is left; the SHA-256 of the whole file.
  mutating func finish() throws -> Digest {
    while try self.refill() {}
    return self.hasher.finish()
  }

  private mutating func refill() throws -> Bool {
    while let piece = try self.pull() {
      guard !piece.isEmpty else { continue }
      self.hasher.update(piece.span)
      self.size += piece.count
      self.piece = piece
      self.index = 0
      return true
    }
    return false
  }
}

/// The index of the next newline, or the count of `bytes`. Eight bytes at a time.
private func newline(in bytes: [UInt8], from start: Int) -> Int {
  let span = bytes.span.bytes
  var index = start
  while index + 8 <= bytes.count {
    let word = span.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) ^ 0x0A0A_0A0A_0A0A_0A0A
    // A byte of `word` is zero where a newline stands; the lowest marked byte is exact.
    let marks = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    if marks != 0 { return index + marks.trailingZeroBitCount / 8 }
    index += 8
  }
  while index < bytes.count, bytes[index] != 0x0A { index += 1 }
  return index
}
