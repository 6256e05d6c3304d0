internal import Synchronization

/// The servers of one model, by weight.
public struct UpstreamPool: Sendable {
  public struct Member: Sendable {
    public var upstream: Upstream
    /// The name under which the server knows the model.
    public var model: String
    public var weight: Int

    public init(upstream: Upstream, model: String, weight: Int = 1) {
      self.upstream = upstream
      self.model = model
      self.weight = max(1, weight)
    }
  }

  public let members: [Member]
  private let turns: Turns

  /// How often each member was chosen: breaks ties, so that idle servers are asked in proportion to their weights.
  private final class Turns: Sendable {
    let counts: Mutex<[Int]>
    init(_ count: Int) { self.counts = Mutex(Array(repeating: 0, count: count)) }
  }

  public init(_ members: [Member]) {
    self.members = members
    self.turns = Turns(members.count)
  }

  /// Takes a place at the member with the fewest running requests for its weight, at equal load with the fewest turns for its weight.
  ///
  /// - Returns: nil where every member that is left rests or is full.
  func take(excluding tried: Set<Int>) -> Int? {
    var excluded = tried
    while excluded.count < self.members.count {
      guard let index = self.choose(excluding: excluded) else { return nil }
      // Between the look and the taking another request may have come; then the next best is asked.
      if self.members[index].upstream.take() {
        self.turns.counts.withLock { $0[index] += 1 }
        return index
      }
      excluded.insert(index)
    }
    return nil
  }

  private func choose(excluding excluded: Set<Int>) -> Int? {
    let turns = self.turns.counts.withLock { $0 }
    var best: (index: Int, load: Int, turns: Int, weight: Int)?
    for (index, member) in self.members.enumerated() where !excluded.contains(index) {
      guard let load = member.upstream.load else { continue }
      guard let current = best else {
        best = (index, load, turns[index], member.weight)
        continue
      }
      // a/w < b/v, without fractions.
      let (mine, theirs) = (load * current.weight, current.load * member.weight)
      let (myTurns, theirTurns) = ((turns[index] + 1) * current.weight, (current.turns + 1) * member.weight)
      if mine < theirs || (mine == theirs && myTurns < theirTurns) { best = (index, load, turns[index], member.weight) }
    }
    return best?.index
  }
}
