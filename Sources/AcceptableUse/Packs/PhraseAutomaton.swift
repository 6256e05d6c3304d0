/// Finds all phrases in a sequence of words: Aho and Corasick's automaton (CACM 18:6, 1975) over word ids.
///
/// Words, not bytes, are its alphabet: a phrase can only match whole words, disguised words enter as another id, and the root's
/// table is the only dense one. Memory is some 40 bytes a state.
struct PhraseAutomaton: Sendable {
  /// From word hash to id, from 1.
  private let vocabulary: HashTable
  private let root: [UInt32]
  /// From `state << 32 | word` to state, for states other than the root.
  private let edges: HashTable
  private let failure: [UInt32]
  private let heldDepth: [UInt8]
  private let matchStart: [UInt32]
  private let matches: [UInt32]
  /// Words of each phrase.
  let lengths: [Int]

  /// - Parameter phrases: Different, none empty, none of more than 255 words.
  /// - Parameter isHeld: Whether the stream guard must hold back what may become this phrase; as many as there are phrases.
  init(_ phrases: [[UInt64]], isHeld: [Bool]) {
    var builder = PhraseTrie()
    for (index, phrase) in phrases.enumerated() { builder.add(phrase, index: UInt32(index), isHeld: isHeld[index]) }
    builder.link()
    self.vocabulary = HashTable(builder.vocabulary.map { (key: $0.key, value: $0.value) })
    var root = [UInt32](repeating: 0, count: builder.vocabulary.count + 1)
    for (word, child) in builder.children[0] { root[Int(word)] = child }
    self.root = root
    self.edges = HashTable(
      builder.children.enumerated().dropFirst().flatMap { state, children in
        children.map { (key: UInt64(state) << 32 | UInt64($0.key), value: $0.value) }
      })
    self.failure = builder.failure
    self.heldDepth = builder.heldDepth
    self.matchStart = builder.matches.reduce(into: [0]) { $0.append($0[$0.count - 1] + UInt32($1.count)) }
    self.matches = builder.matches.flatMap(\.self)
    self.lengths = phrases.map(\.count)
  }

  /// The id of a word; 0 if no phrase has it.
  @inline(__always)
  func word(_ hash: WordHash) -> UInt32 { self.vocabulary[hash.value] }

  /// The state after a word; the root is 0. O(depth) at worst, O(1) amortised over a text.
  func next(_ state: UInt32, _ word: UInt32) -> UInt32 {
    var state = state
    while state != 0 {
      let target = self.edges[UInt64(state) << 32 | UInt64(word)]
      if target != 0 { return target }
      state = self.failure[Int(state)]
    }
    return self.root[Int(word)]
  }

  /// How many of the last words may be the beginning of a phrase that has to be held back.
  @inline(__always)
  func heldWords(_ state: UInt32) -> Int { Int(self.heldDepth[Int(state)]) }

  /// The phrases that end in this state, as a range for ``phrase(at:)``.
  @inline(__always)
  func matches(_ state: UInt32) -> Range<Int> {
    Int(self.matchStart[Int(state)])..<Int(self.matchStart[Int(state) + 1])
  }

  @inline(__always)
  func phrase(at index: Int) -> Int { Int(self.matches[index]) }
}

/// The trie of the phrases, with failure links, before it is packed.
private struct PhraseTrie {
  private(set) var vocabulary: [UInt64: UInt32] = [:]
  private(set) var children: [[UInt32: UInt32]] = [[:]]
  private(set) var failure: [UInt32] = [0]
  private(set) var heldDepth: [UInt8] = [0]
  private(set) var matches: [[UInt32]] = [[]]
  private var depth: [UInt8] = [0]
  private var isHeld: [Bool] = [false]

  mutating func add(_ phrase: [UInt64], index: UInt32, isHeld: Bool) {
    var state = 0
    for hash in phrase {
      let word = self.vocabulary[hash] ?? UInt32(self.vocabulary.count + 1)
      self.vocabulary[hash] = word
      if let child = self.children[state][word] {
        state = Int(child)
      } else {
        let child = self.children.count
        self.children[state][word] = UInt32(child)
        self.children.append([:])
        self.failure.append(0)
        self.matches.append([])
        self.depth.append(self.depth[state] + 1)
        self.isHeld.append(false)
        self.heldDepth.append(0)
        state = child
      }
      if isHeld { self.isHeld[state] = true }
    }
    self.matches[state].append(index)
  }

  /// Sets failure links, inherited matches and held depths, breadth first.
  mutating func link() {
    var queue = self.children[0].values.sorted()
    var index = 0
    while index < queue.count {
      let state = Int(queue[index])
      index += 1
      let failure = Int(self.failure[state])
      self.matches[state] += self.matches[failure]
      self.heldDepth[state] = self.isHeld[state] ? self.depth[state] : self.heldDepth[failure]
      for (word, child) in self.children[state].sorted(by: { $0.key < $1.key }) {
        self.failure[Int(child)] = self.target(from: self.failure[state], by: word)
        queue.append(child)
      }
    }
  }

  private func target(from state: UInt32, by word: UInt32) -> UInt32 {
    var state = state
    while state != 0 {
      if let child = self.children[Int(state)][word] { return child }
      state = self.failure[Int(state)]
    }
    return self.children[0][word] ?? 0
  }
}
