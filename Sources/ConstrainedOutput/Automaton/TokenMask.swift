/// Which tokens may come next: one bit a token.
public struct TokenMask: Sendable, Equatable {
  public internal(set) var words: [UInt64]

  public func contains(_ token: Int) -> Bool {
    self.words[token >> 6] >> UInt64(token & 63) & 1 == 1
  }

  public var isEmpty: Bool { self.words.allSatisfy { $0 == 0 } }

  mutating func insert(_ token: Int32) { self.words[Int(token) >> 6] |= 1 << UInt64(token & 63) }
}

/// Computes and keeps the masks of an automaton's states.
struct MaskCache {
  /// Masks kept at once; each is an eighth of a byte a token of the vocabulary.
  static let limit = 256

  private var masks: [Int32: TokenMask] = [:]
  /// By depth in a trie: the state there.
  private var path: [Int32] = []

  mutating func mask(_ state: Int32, _ automaton: Automaton, _ vocabulary: TokenVocabulary) -> TokenMask {
    if let known = self.masks[state] { return known }
    var mask = TokenMask(words: [UInt64](repeating: 0, count: (vocabulary.count + 63) / 64))
    if let capacity = automaton.textCapacity(state) {
      mask.words = vocabulary.plainMasks[min(capacity, TokenVocabulary.countedCharacters + 1)]
      if capacity <= TokenVocabulary.countedCharacters { mask.words = vocabulary.plainMasks[capacity] }
      self.walk(vocabulary.plain, automaton.withoutText(state), automaton, &mask)
    } else {
      self.walk(vocabulary.plain, state, automaton, &mask)
    }
    self.walk(vocabulary.other, state, automaton, &mask)
    if automaton.states[Int(state)].isComplete { for token in vocabulary.ends { mask.insert(token) } }
    if self.masks.count >= Self.limit { self.masks.removeAll(keepingCapacity: true) }
    self.masks[state] = mask
    return mask
  }

  mutating func removeAll() { self.masks.removeAll(keepingCapacity: true) }

  /// Adds every token of the trie whose bytes can be read from the state on. O(nodes that are reached).
  private mutating func walk(_ trie: TokenTrie, _ state: Int32, _ automaton: Automaton, _ mask: inout TokenMask) {
    if self.path.count <= trie.deepest { self.path = [Int32](repeating: 0, count: trie.deepest + 1) }
    self.path[0] = state
    var node = 0
    while node < trie.bytes.count {
      let depth = Int(trie.depths[node])
      let reached = automaton.step(self.path[depth - 1], trie.bytes[node])
      guard reached != Automaton.dead else {
        node = Int(trie.ends[node])
        continue
      }
      self.path[depth] = reached
      for index in Int(trie.tokenStarts[node])..<Int(trie.tokenStarts[node + 1]) { mask.insert(trie.tokens[index]) }
      node += 1
    }
  }
}
