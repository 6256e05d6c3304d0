/// The tokens of a vocabulary by their bytes, as a tree laid out in order of visit, so that a branch is skipped by one jump.
struct TokenTrie: Sendable {
  /// By node: its byte, how deep it is (the first byte is at 1), where its branch ends, and its tokens' place in `tokens`.
  private(set) var bytes: [UInt8] = []
  private(set) var depths: [Int32] = []
  private(set) var ends: [Int32] = []
  private(set) var tokenStarts: [Int32] = [0]
  private(set) var tokens: [Int32] = []
  private(set) var deepest = 0

  /// - Parameter entries: none of them empty.
  init(_ entries: [(bytes: [UInt8], token: Int32)]) {
    let sorted = entries.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    var path: [Int] = []
    var previous: [UInt8] = []
    for (bytes, token) in sorted {
      let shared = zip(previous, bytes).prefix { $0 == $1 }.count
      while path.count > shared { self.ends[path.removeLast()] = Int32(self.bytes.count) }
      for depth in shared..<bytes.count {
        path.append(self.bytes.count)
        self.bytes.append(bytes[depth])
        self.depths.append(Int32(depth + 1))
        self.ends.append(0)
        self.tokenStarts.append(Int32(self.tokens.count))
      }
      // Equal byte strings share the last node, which is the one that was added last.
      self.tokens.append(token)
      self.tokenStarts[self.bytes.count] = Int32(self.tokens.count)
      self.deepest = max(self.deepest, bytes.count)
      previous = bytes
    }
    while let node = path.popLast() { self.ends[node] = Int32(self.bytes.count) }
  }
}
