internal import Documents

/// Turns the phrases of a pack into sequences of word hashes, filling in its named lists.
///
/// A phrase is words as a text would have them; `<name>` stands for any entry of that list. A list may use lists above it.
struct PhraseReader {
  private var lists: [String: PhraseSet] = [:]
  private var positions: [(name: String, position: TextPosition)] = []
  private var used: Set<String> = []
  private var total = 0
  /// For each word the hashes of its beginnings, the whole word included.
  private(set) var spellings: [UInt64: [UInt64]] = [:]

  mutating func define(_ reader: DocumentReader) throws(DocumentError) {
    var reader = reader
    for name in reader.keys {
      let document = try reader.required(name)
      guard case .list(let entries) = document.content, !entries.isEmpty else {
        throw reader.failure(name, "a list of phrases belongs here")
      }
      self.lists[name] = try self.read(entries, path: reader.field(name))
      self.positions.append((name, document.position))
    }
    try reader.finish()
  }

  /// Refuses a list that no phrase uses: its author thought it had an effect.
  func requireAllUsed() throws(DocumentError) {
    for (name, position) in self.positions where !self.used.contains(name) {
      throw DocumentError(field: "lists.\(name)", position: position, message: "no phrase uses this list")
    }
  }

  mutating func read(_ reader: inout DocumentReader, _ key: String) throws(DocumentError) -> PhraseSet {
    guard let document = reader.document(key) else { return PhraseSet([]) }
    guard case .list(let entries) = document.content else {
      throw reader.failure(key, "a list of phrases belongs here, not \(document.kind)")
    }
    return try self.read(entries, path: reader.field(key))
  }

  mutating func read(_ entries: [Document], path: String) throws(DocumentError) -> PhraseSet {
    var phrases: [[UInt64]] = []
    var pairs: [PhraseSet: Set<[UInt64]>] = [:]
    for (index, entry) in entries.enumerated() {
      let field = "\(path)[\(index)]"
      guard case .string(let text) = entry.content else {
        throw DocumentError(field: field, position: entry.position, message: "a string belongs here, not \(entry.kind)")
      }
      let pieces = text.split(separator: " ").map(String.init)
      let failure = { DocumentError(field: field, position: entry.position, message: $0) }
      let first = try self.alternatives(pieces.first ?? "", failure)
      if pieces.count == 1 {
        phrases += try self.checked(first.phrases, failure)
        for pair in first.pairs { pairs[pair.head, default: []].formUnion(pair.tail.phrases) }
      } else if first.pairs.isEmpty, first.phrases.count >= RulePackLimits.pairedList {
        pairs[first, default: []].formUnion(try self.product(pieces.dropFirst(), failure))
      } else {
        phrases += try self.product(pieces[...], failure)
      }
    }
    return PhraseSet(phrases, pairs: pairs)
  }

  /// All phrases that a sequence of words and lists stands for.
  private mutating func product(
    _ pieces: ArraySlice<String>, _ failure: (String) -> DocumentError
  ) throws(DocumentError) -> [[UInt64]] {
    var phrases: [[UInt64]] = [[]]
    for piece in pieces {
      let alternatives = try self.alternatives(piece, failure)
      guard alternatives.pairs.isEmpty else { throw failure("'\(piece)' holds paired lists, so it can only stand alone") }
      guard phrases.count * alternatives.phrases.count <= RulePackLimits.phrases - self.total else {
        throw failure("makes more than \(RulePackLimits.phrases) phrases in the pack")
      }
      phrases = phrases.flatMap { phrase in alternatives.phrases.map { phrase + $0 } }
    }
    return try self.checked(phrases, failure)
  }

  private mutating func checked(
    _ phrases: [[UInt64]], _ failure: (String) -> DocumentError
  ) throws(DocumentError) -> [[UInt64]] {
    guard phrases.allSatisfy({ (1...RulePackLimits.wordsPerPhrase).contains($0.count) }) else {
      throw failure("a phrase must have 1 to \(RulePackLimits.wordsPerPhrase) words")
    }
    self.total += phrases.count
    guard self.total <= RulePackLimits.phrases else {
      throw failure("makes more than \(RulePackLimits.phrases) phrases in the pack")
    }
    return phrases
  }

  /// What one piece of a phrase stands for: a named list, or its words (several where it has a hyphen or the like).
  private mutating func alternatives(
    _ piece: String, _ failure: (String) -> DocumentError
  ) throws(DocumentError) -> PhraseSet {
    guard piece.hasPrefix("<") || piece.hasSuffix(">") else {
      var hashes = HashCollector()
      hashes.read(piece)
      self.spellings.merge(hashes.spellings) { first, _ in first }
      return PhraseSet([hashes.words])
    }
    let name = String(piece.dropFirst().dropLast())
    guard piece.hasPrefix("<"), piece.hasSuffix(">"), let list = self.lists[name] else {
      let known = self.lists.keys.sorted().joined(separator: ", ")
      throw failure("'\(piece)' is no list defined above; defined are: \(known)")
    }
    self.used.insert(name)
    return list
  }
}

/// The words of a text by hash, with the hashes of their beginnings.
private struct HashCollector: WordSink {
  private(set) var words: [UInt64] = []
  private(set) var spellings: [UInt64: [UInt64]] = [:]
  private var written = WordHash.empty
  private var folded = WordHash.empty
  private var writtenPrefixes: [UInt64] = []
  private var foldedPrefixes: [UInt64] = []

  mutating func letter(_ value: UInt32, folded: UInt32) {
    self.written.append(value)
    self.folded.append(folded)
    self.writtenPrefixes.append(self.written.value)
    self.foldedPrefixes.append(self.folded.value)
  }

  mutating func word(_ word: ScannedWord) {
    self.words.append(word.hash.value)
    self.spellings[word.hash.value] = word.isFolded ? self.foldedPrefixes : self.writtenPrefixes
    self.written = .empty
    self.folded = .empty
    self.writtenPrefixes = []
    self.foldedPrefixes = []
  }

  mutating func reading(_ hash: WordHash, words: Int) {}
  mutating func token(_ token: ScannedToken) {}

  mutating func read(_ text: String) {
    var scanner = WordScanner()
    for scalar in text.unicodeScalars { scanner.scan(scalar, at: 0, width: 0, into: &self) }
    scanner.finish(into: &self)
  }
}
