/// A pair of neighbours that could become one piece.
struct ScoredPair: MergeOrder {
  var score: Float
  /// Byte offset of the left neighbour in its segment.
  var left: Int32
  /// Bytes of both together.
  var length: Int32

  /// Best score first; among equals the leftmost.
  func precedes(_ other: ScoredPair) -> Bool {
    self.score > other.score || (self.score == other.score && self.left < other.left)
  }
}
