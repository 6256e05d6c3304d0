public import GovernanceTypes

/// An immutable set of rules for one policy, as read from a pack file.
public struct RulePack: Sendable {
  public let id: String
  public let version: String
  /// The term file whose prohibited uses the rules name.
  public let policy: TermFileID
  /// SHA-256 of the pack's canonical JSON: names this very set of rules in every record.
  public let digest: Digest
  /// In the order of the file.
  public let rules: [Rule]
  /// For each word of a phrase the hashes of its beginnings.
  let spellings: [UInt64: [UInt64]]

  /// All uses that some rule names.
  public var uses: Set<ProhibitedUseID> { Set(self.rules.flatMap(\.uses)) }

  public struct Rule: Sendable {
    public let id: String
    public let uses: [ProhibitedUseID]
    public let severity: FindingSeverity
    public let mode: RuleMode
    public let directions: Set<TextDirection>
    /// How sure a match is, from 1 to 1000.
    public let score: Int

    let phrases: PhraseSet
    let windows: [Window]
    let allowed: PhraseSet
    /// How far before or after a match an allowed context counts, in words.
    let allowedWithin: Int
    let examples: Examples
  }

  /// Parts that have to occur together.
  struct Window: Sendable {
    var parts: [PhraseSet]
    /// From the last word of the part that comes first to the first word of the part that comes last; 1 if one follows directly.
    var words: Int
    /// Whether the parts have to come in the order given, without overlap.
    var isOrdered: Bool
  }

  struct Examples: Sendable {
    var match: [String]
    var clear: [String]
  }
}

/// Alternatives: sequences of word hashes, and pairs of sets of which any two phrases in a row are one.
///
/// Pairs keep "how to" × "make" × … from being multiplied out. All is sorted, so that equal sets are one set.
struct PhraseSet: Sendable, Hashable {
  let phrases: [[UInt64]]
  let pairs: [Pair]

  /// Both without pairs of their own.
  struct Pair: Sendable, Hashable {
    var head: PhraseSet
    var tail: PhraseSet
  }

  init(_ phrases: some Sequence<[UInt64]>, pairs: [PhraseSet: Set<[UInt64]>] = [:]) {
    self.phrases = Set(phrases).sorted { $0.lexicographicallyPrecedes($1) }
    self.pairs = pairs.map { Pair(head: $0.key, tail: PhraseSet($0.value)) }.sorted { first, second in
      first.head.phrases.lexicographicallyPrecedes(second.head.phrases) { $0.lexicographicallyPrecedes($1) }
    }
  }

  var isEmpty: Bool { self.phrases.isEmpty && self.pairs.isEmpty }
  /// Words of the longest phrase.
  var longest: Int {
    let paired = self.pairs.lazy.map { $0.head.longest + $0.tail.longest }.max() ?? 0
    return max(self.phrases.lazy.map(\.count).max() ?? 0, paired)
  }
}

/// What a pack may cost; one beyond any of these is refused while it is read.
enum RulePackLimits {
  static let rules = 2000
  /// Phrases after lists are filled in, over the whole pack.
  static let phrases = 100_000
  static let wordsPerPhrase = 16
  /// Words from part to part of a window; bounds, with the parts, how far a stream's guard looks back.
  static let windowWords = 32
  /// A list of at least so many entries at the beginning of a phrase is paired with the rest instead of multiplied by it.
  static let pairedList = 8
  static let parts = 4
  static let usesPerRule = 8
  static let nameBytes = 64
}
