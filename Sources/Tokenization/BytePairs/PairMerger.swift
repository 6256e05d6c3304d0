/// Merges the symbols of one word: while any two neighbours are a pair, the pair of lowest rank is joined, the leftmost among equals.
///
/// Scratch memory is kept between words. O(n log n) for a word of n symbols.
struct PairMerger {
  private struct RankedPair: MergeOrder {
    var rank: UInt32
    var left: Int32
    var right: Int32

    func precedes(_ other: RankedPair) -> Bool {
      self.rank < other.rank || (self.rank == other.rank && self.left < other.left)
    }
  }

  private struct Symbol {
    var token: Int32
    var previous: Int32
    /// The index of the one after it; that of the end is the count.
    var next: Int32
  }

  private let pairs: PairTable
  private var symbols: [Symbol] = []
  private var queue = MergeQueue<RankedPair>()

  init(_ pairs: PairTable) { self.pairs = pairs }

  /// - Precondition: a word has less than 2^31 symbols.
  mutating func append(_ token: Int32) {
    let index = Int32(self.symbols.count)
    self.symbols.append(Symbol(token: token, previous: index - 1, next: index + 1))
    if index > 0 { self.consider(index - 1, index) }
  }

  /// Merges the word, appends its ids and begins a new one.
  mutating func finish(into tokens: inout [Int32]) {
    while let pair = self.queue.pop() { self.apply(pair) }
    var index = 0
    while index < self.symbols.count {
      tokens.append(self.symbols[index].token)
      index = Int(self.symbols[index].next)
    }
    self.symbols.removeAll(keepingCapacity: true)
  }

  private mutating func consider(_ left: Int32, _ right: Int32) {
    let pair = self.pairs.merge(self.symbols[Int(left)].token, self.symbols[Int(right)].token)
    if let pair { self.queue.push(RankedPair(rank: pair.rank, left: left, right: right)) }
  }

  /// Joins a pair, unless one of the two has been joined with another since: an absorbed symbol has the token -1.
  private mutating func apply(_ pair: RankedPair) {
    let (left, right) = (Int(pair.left), Int(pair.right))
    guard self.symbols[left].token >= 0, self.symbols[left].next == pair.right,
      let merge = self.pairs.merge(self.symbols[left].token, self.symbols[right].token), merge.rank == pair.rank
    else { return }
    self.symbols[left].token = merge.token
    self.symbols[right].token = -1
    let next = self.symbols[right].next
    self.symbols[left].next = next
    if next < self.symbols.count {
      self.symbols[Int(next)].previous = pair.left
      self.consider(pair.left, next)
    }
    if self.symbols[left].previous >= 0 { self.consider(self.symbols[left].previous, pair.left) }
  }
}
