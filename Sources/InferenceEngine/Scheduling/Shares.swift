/// How much of the engine's reading each key has had, so that those who had least come first.
///
/// Every key pays for the tokens that are read for it; one that comes anew, or again, begins where the least served of the others
/// stands: it has no credit from the time in which it asked for nothing.
struct Shares {
  private var served: [String: Int] = [:]

  func served(_ key: String) -> Int { self.served[key] ?? 0 }

  /// Only the keys in `active` are remembered.
  mutating func keep(_ active: Set<String>) {
    let known = self.served.filter { active.contains($0.key) }
    let least = known.values.min() ?? 0
    // Counted from the least, so that numbers stay small.
    self.served = Dictionary(uniqueKeysWithValues: active.map { ($0, (known[$0] ?? least) - least) })
  }

  mutating func charge(_ key: String, _ tokens: Int) { self.served[key, default: 0] += tokens }
}

/// How many prompt tokens a turn reads, and whose.
struct PrefillPlan {
  struct Candidate {
    var key: String
    /// Tokens still to be read, at least 1.
    var unread: Int
    /// Positions filled so far: chunks end at the borders of blocks where they can.
    var filled: Int
    /// The turn in which it was last served.
    var lastTurn: UInt64
  }

  /// The smallest chunk that is worth a turn.
  static let smallest = 32

  /// The tokens that a turn may read: all that is allowed where nobody decodes, fewer the more sequences wait for their next token beside
  /// those that wait for their first.
  static func budget(chunk: Int, prefilling: Int, decoding: Int) -> Int {
    let share = chunk * prefilling / max(1, prefilling + 7 * decoding)
    return min(chunk, max(2 * Self.smallest, share))
  }

  /// The candidates that are served in this turn, with the tokens of each: those of the least served key first, within a key those that
  /// have waited longest. Nobody reads more than what the shortest of them has left, so that a long prompt does not hold up a short one.
  static func chunks(_ candidates: [Candidate], budget: Int, shares: Shares) -> [(index: Int, tokens: Int)] {
    guard let shortest = candidates.map(\.unread).min() else { return [] }
    let most = candidates.count == 1 ? budget : max(Self.smallest, shortest)
    var shares = shares
    var left = budget
    var waiting = Array(candidates.indices)
    var chunks: [(index: Int, tokens: Int)] = []
    while left > 0 {
      let next = waiting.min {
        let (a, b) = (candidates[$0], candidates[$1])
        return (shares.served(a.key), a.lastTurn, $0) < (shares.served(b.key), b.lastTurn, $1)
      }
      guard let next else { break }
      waiting.removeAll { $0 == next }
      let tokens = Self.aligned(candidates[next], min(most, left))
      chunks.append((next, tokens))
      shares.charge(candidates[next].key, tokens)
      left -= tokens
    }
    return chunks
  }

  private static func aligned(_ candidate: Candidate, _ most: Int) -> Int {
    guard candidate.unread > most else { return candidate.unread }
    let end = (candidate.filled + most) / Self.smallest * Self.smallest
    return end > candidate.filled ? end - candidate.filled : most
  }
}
