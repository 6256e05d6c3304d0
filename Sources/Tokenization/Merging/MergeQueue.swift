/// Something that waits to be merged, in a strict order.
protocol MergeOrder {
  func precedes(_ other: Self) -> Bool
}

/// A binary heap of candidates, the first on top. O(log n) for each operation.
struct MergeQueue<Candidate: MergeOrder> {
  private var heap: [Candidate] = []

  mutating func push(_ candidate: Candidate) {
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

  mutating func pop() -> Candidate? {
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
