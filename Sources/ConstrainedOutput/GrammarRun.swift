/// The automata of the grammars in use and their masks over one vocabulary. For one thread.
public final class GrammarRoom {
  /// Grammars kept at once; the one that was not used for the longest time goes first.
  static let limit = 8

  fileprivate final class Entry {
    var automaton: Automaton
    var masks = MaskCache()
    init(_ automaton: Automaton) { self.automaton = automaton }
  }

  fileprivate let vocabulary: TokenVocabulary
  private var entries: [(key: String, entry: Entry)] = []

  public init(_ vocabulary: TokenVocabulary) { self.vocabulary = vocabulary }

  /// Begins a text.
  ///
  /// - Parameter leadingSpace: one space may stand before it, which the reader drops.
  public func begin(_ grammar: Grammar, leadingSpace: Bool = false) -> GrammarRun {
    let entry: Entry
    if let index = self.entries.firstIndex(where: { $0.key == grammar.key }) {
      let known = self.entries.remove(at: index)
      entry = known.entry
    } else {
      entry = Entry(Automaton(grammar.program))
      if self.entries.count >= Self.limit { self.entries.removeFirst() }
    }
    self.entries.append((grammar.key, entry))
    return GrammarRun(self, entry, leadingSpace: leadingSpace)
  }
}

/// One text on its way through a grammar.
public struct GrammarRun {
  private let room: GrammarRoom
  private var entry: GrammarRoom.Entry
  private var automaton: Automaton
  private var state: Int32

  fileprivate init(_ room: GrammarRoom, _ entry: GrammarRoom.Entry, leadingSpace: Bool) {
    self.room = room
    self.entry = entry
    self.automaton = entry.automaton
    self.state = entry.automaton.start(leadingSpace: leadingSpace)
  }

  /// Whether the text may end here.
  public var isComplete: Bool { self.automaton.states[Int(self.state)].isComplete }

  /// Whether the text is complete and nothing can follow.
  public var isFinished: Bool { self.isComplete && self.automaton.states[Int(self.state)].places.isEmpty }

  /// The tokens that may come next, those that end the text among them where it may end. The first time in a state this walks
  /// those tokens that could fit; after that it is a look-up.
  public mutating func mask() -> TokenMask {
    self.renew()
    return self.entry.masks.mask(self.state, self.automaton, self.room.vocabulary)
  }

  /// Takes note of a token; false where it does not fit, and then nothing changes.
  public mutating func accept(_ token: Int32) -> Bool {
    self.renew()
    let surface = self.room.vocabulary.surface(token)
    guard !surface.isEmpty else { return false }
    var state = self.state
    for byte in surface {
      state = self.automaton.step(state, byte)
      guard state != Automaton.dead else { return false }
    }
    self.state = state
    return true
  }

  /// Moves on to a fresh automaton where this one has grown to its limit, or another text has done so.
  private mutating func renew() {
    while self.automaton.isFull || self.automaton !== self.entry.automaton {
      let (next, state) = self.automaton.moved(self.state)
      if self.automaton === self.entry.automaton {
        self.entry.automaton = next
        self.entry.masks.removeAll()
      }
      (self.automaton, self.state) = (next, state)
    }
  }
}
