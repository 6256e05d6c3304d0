/// A pair of neighbours that could become one piece.
struct MergeCandidate {
  var score: Float
  /// Byte offset of the left neighbour in its segment.
  var left: Int32
  /// Bytes of both together.
  var length: Int32

  /// Best score first; among equals the leftmost.
  func precedes(_ other: MergeCandidate) -> Bool {
    self.score > other.score || (self.score == other.score && self.left < other.left)
  }
}

/// A binary heap of candidates, the best on top.
struct MergeQueue {
  private var heap: [MergeCandidate] = []

  mutating func push(_ candidate: MergeCandidate) {
    var child = self.heap.count
    self.heap.append(candidate)
    while child > 0 {
      let parent = (child - 1) / 2
      guard candidate.precedes(self.heap[parent]) else { break }
      self.heap[child] = self.heap[parent]
      child = parent
    }
    self.heap[child] = candidate
  }

  mutating func pop() -> MergeCandidate? {
    guard let best = self.heap.first, let last = self.heap.popLast() else { return nil }
    let count = self.heap.count
    guard count > 0 else { return best }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < count else { break }
      if child + 1 < count, self.heap[child + 1].precedes(self.heap[child]) { child += 1 }
      guard self.heap[child].precedes(last) else { break }
      self.heap[parent] = self.heap[child]
      parent = child
    }
    self.heap[parent] = last
    return best
  }
}
