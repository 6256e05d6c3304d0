/// Byte-pair merging of one segment of text: while any two neighbours form a piece, the best-scoring pair is joined.
///
/// Scratch memory is kept between segments: 8 bytes a byte of the longest segment, and 12 a pending pair, of which there
/// are at most two a character. O(n log n) for a segment of n bytes, as no piece is longer than a fixed bound.
struct SegmentMerger {
  private let vocabulary: SentencePieceVocabulary
  /// The bytes of the segment that is being gathered, spaces already replaced.
  private var text: [UInt8] = []
  /// By the byte offset at which a symbol begins: its length; 0 for an offset inside one. The next symbol begins where it ends.
  private var lengths: [Int32] = []
  /// By the byte offset at which a symbol begins: where the one before it begins; -1 for the first.
  private var previous: [Int32] = []
  private var queue = MergeQueue<ScoredPair>()
  /// For each unused piece that came up, how long its left part was: such a piece is taken apart again at the end.
  private var splits: [Int32: Int] = [:]
  /// By the offset at which it begins: the user-defined piece found there, which is never merged.
  private var whole: [Int: Int32] = [:]

  init(_ vocabulary: SentencePieceVocabulary) {
    self.vocabulary = vocabulary
  }

  var isEmpty: Bool { self.text.isEmpty }
  var count: Int { self.text.count }
  var endsWithSpace: Bool { self.text.suffix(3).elementsEqual(SentencePieceVocabulary.spaceMark) }

  /// Adds a byte of text to the segment; a space becomes U+2581.
  mutating func append(_ byte: UInt8) {
    if byte == 0x20 { self.text.append(contentsOf: SentencePieceVocabulary.spaceMark) } else { self.text.append(byte) }
  }

  /// Merges the segment, appends its ids and begins a new one.
  ///
  /// - Precondition: the segment is shorter than 2^31 bytes.
  mutating func finish(into tokens: inout [Int32]) {
    self.splitIntoCharacters()
    while let candidate = self.queue.pop() { self.apply(candidate) }
    var start = 0
    while start < self.text.count {
      let length = Int(self.lengths[start])
      self.emit(start, length, into: &tokens)
      start += length
    }
    self.text.removeAll(keepingCapacity: true)
  }

  private mutating func splitIntoCharacters() {
    let count = self.text.count
    if self.lengths.count < count {
      self.lengths = [Int32](repeating: 0, count: count)
      self.previous = [Int32](repeating: -1, count: count)
    }
    var start = 0
    var before: Int32 = -1
    self.whole.removeAll(keepingCapacity: true)
    while start < count {
      var length = UTF8Scan.characterLength(self.text, at: start)
      if let marker = self.vocabulary.markers.match(self.text, at: start) {
        self.whole[start] = marker.id
        length = marker.length
      }
      self.lengths[start] = Int32(length)
      for inner in 1..<max(length, 1) { self.lengths[start + inner] = 0 }
      self.previous[start] = before
      if before >= 0 { self.consider(Int(before)) }
      before = Int32(start)
      start += length
    }
  }

  /// Queues the symbol at `left` and the one after it, if they form a piece.
  private mutating func consider(_ left: Int) {
    let leftLength = Int(self.lengths[left])
    let right = left + leftLength
    guard right < self.text.count, self.whole.isEmpty || (self.whole[left] == nil && self.whole[right] == nil) else { return }
    let length = leftLength + Int(self.lengths[right])
    guard let piece = self.vocabulary.mergeable.id(of: self.text, left, length) else { return }
    if self.vocabulary.kinds[Int(piece)] == .unused { self.splits[piece] = leftLength }
    self.queue.push(
      ScoredPair(score: self.vocabulary.scores[Int(piece)], left: Int32(left), length: Int32(length)))
  }

  /// Joins a pair, unless one of the two has been joined with another since: then their lengths no longer add up.
  private mutating func apply(_ candidate: ScoredPair) {
    let left = Int(candidate.left)
    let leftLength = Int(self.lengths[left])
    let right = left + leftLength
    guard leftLength > 0, right < self.text.count, leftLength + Int(self.lengths[right]) == Int(candidate.length) else { return }
    self.lengths[left] = candidate.length
    self.lengths[right] = 0
    let next = left + Int(candidate.length)
    if next < self.text.count {
      self.previous[next] = candidate.left
      self.consider(left)
    }
    let before = self.previous[left]
    if before >= 0 { self.consider(Int(before)) }
  }

  private func emit(_ start: Int, _ length: Int, into tokens: inout [Int32]) {
    if let marker = self.whole[start] {
      tokens.append(marker)
      return
    }
    guard let piece = self.vocabulary.mergeable.id(of: self.text, start, length) else {
      self.vocabulary.appendFallback(self.text[start..<start + length], to: &tokens)
      return
    }
    guard self.vocabulary.kinds[Int(piece)] == .unused, let leftLength = self.splits[piece] else {
      tokens.append(piece)
      return
    }
    self.emit(start, leftLength, into: &tokens)
    self.emit(start + leftLength, length - leftLength, into: &tokens)
  }
}
