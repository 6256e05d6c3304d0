internal import GovernanceTypes

/// The rules of several packs for one direction, ready to run: one automaton, and what each of its phrases stands for.
///
/// A *group* is a set of alternatives, shared by all rules that name the same set.
final class CompiledRules: Sendable {
  struct Rule: Sendable {
    var packID: String
    var packDigest: Digest
    var id: String
    var uses: [ProhibitedUseID]
    var severity: FindingSeverity
    var score: Int
    /// The group of contexts that clear a match.
    var allowed: Int?
    var allowedWithin: Int
  }

  struct Window: Sendable {
    var rule: Int
    var groups: [Int]
    var words: Int
    var isOrdered: Bool
  }

  /// What a match of a group's phrase leads to.
  enum Trigger: Sendable {
    case rule(Int)
    case window(Int)
    /// The context clears matches of this rule.
    case clear(Int)
    /// Directly after a phrase of group `head` it is a match of group `whole`.
    case compose(head: Int, whole: Int)
  }

  let automaton: PhraseAutomaton
  let rules: [Rule]
  /// Modes as the packs set them.
  let modes: [RuleMode]
  let windows: [Window]
  /// Of a group.
  let triggers: FlatLists<Trigger>
  /// The groups that a phrase belongs to.
  let groupsOfPhrase: FlatLists<Int>
  /// For each group how many words after it may still make it part of a match of an enforced rule; 0 for none.
  let waits: [Int]
  /// What a word in progress may become: 1 the rest of some enforced phrase, 2 also the first word of one. Other strings: 0.
  let prefixes: HashTable

  init(_ packs: [RulePack], direction: TextDirection) {
    var builder = RuleCompiler()
    for pack in packs {
      for rule in pack.rules where !rule.directions.isDisjoint(with: direction.read) { builder.add(rule, of: pack) }
    }
    self.rules = builder.rules
    self.modes = builder.modes
    self.windows = builder.windows
    self.triggers = FlatLists(builder.triggers)
    self.waits = builder.waits
    self.groupsOfPhrase = FlatLists(builder.groupsOfPhrase)
    self.automaton = PhraseAutomaton(builder.phrases, isHeld: builder.isHeld)
    self.prefixes = HashTable(builder.heldPrefixes(packs.map(\.spellings)))
  }
}

/// Lists one behind the other in one block of memory.
struct FlatLists<Element: Sendable>: Sendable {
  private let starts: [Int]
  private let elements: [Element]

  init(_ lists: [[Element]]) {
    self.starts = lists.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    self.elements = lists.flatMap(\.self)
  }

  var count: Int { self.starts.count - 1 }

  /// The places of a list's elements.
  @inline(__always)
  func places(_ list: Int) -> Range<Int> { self.starts[list]..<self.starts[list + 1] }

  @inline(__always)
  func element(at place: Int) -> Element { self.elements[place] }
}

private struct RuleCompiler {
  private(set) var rules: [CompiledRules.Rule] = []
  private(set) var modes: [RuleMode] = []
  private(set) var windows: [CompiledRules.Window] = []
  private(set) var triggers: [[CompiledRules.Trigger]] = []
  private(set) var waits: [Int] = []
  private(set) var phrases: [[UInt64]] = []
  private(set) var isHeld: [Bool] = []
  private(set) var groupsOfPhrase: [[Int]] = []
  private var groups: [PhraseSet: Int] = [:]
  private var phraseIndex: [[UInt64]: Int] = [:]

  mutating func add(_ rule: RulePack.Rule, of pack: RulePack) {
    let index = self.rules.count
    let isEnforced = rule.mode == .enforce
    if !rule.phrases.isEmpty {
      self.triggers[self.group(rule.phrases, isHeld: isEnforced)].append(.rule(index))
    }
    for window in rule.windows { self.add(window, rule: index, isEnforced: isEnforced) }
    var allowed: Int?
    if !rule.allowed.isEmpty {
      let group = self.group(rule.allowed, isHeld: false)
      self.triggers[group].append(.clear(index))
      allowed = group
    }
    self.modes.append(rule.mode)
    self.rules.append(
      CompiledRules.Rule(
        packID: pack.id, packDigest: pack.digest, id: rule.id, uses: rule.uses, severity: rule.severity, score: rule.score,
        allowed: allowed, allowedWithin: rule.allowedWithin))
  }

  private mutating func add(_ window: RulePack.Window, rule: Int, isEnforced: Bool) {
    let groups = window.parts.map { self.group($0, isHeld: isEnforced) }
    let wait = window.words + (window.parts.lazy.map(\.longest).max() ?? 0)
    for (position, group) in groups.enumerated() {
      // An ordered window is decided by its last part alone, and that part opens nothing.
      let isLast = position == groups.count - 1
      if isLast || !window.isOrdered { self.triggers[group].append(.window(self.windows.count)) }
      if isEnforced, !isLast || !window.isOrdered { self.waits[group] = max(self.waits[group], wait) }
    }
    self.windows.append(CompiledRules.Window(rule: rule, groups: groups, words: window.words, isOrdered: window.isOrdered))
  }

  private mutating func group(_ set: PhraseSet, isHeld: Bool) -> Int {
    let index = self.groups[set] ?? self.triggers.count
    let isNew = self.groups.updateValue(index, forKey: set) == nil
    if isNew {
      self.triggers.append([])
      self.waits.append(0)
      for phrase in set.phrases { self.groupsOfPhrase[self.phrase(phrase)].append(index) }
    }
    if isHeld { for phrase in set.phrases { self.isHeld[self.phrase(phrase)] = true } }
    for pair in set.pairs {
      let head = self.group(pair.head, isHeld: isHeld)
      let tail = self.group(pair.tail, isHeld: isHeld)
      if isNew { self.triggers[tail].append(.compose(head: head, whole: index)) }
      if isHeld { self.waits[head] = max(self.waits[head], pair.tail.longest) }
    }
    return index
  }

  private mutating func phrase(_ words: [UInt64]) -> Int {
    if let index = self.phraseIndex[words] { return index }
    let index = self.phrases.count
    self.phraseIndex[words] = index
    self.phrases.append(words)
    self.isHeld.append(false)
    self.groupsOfPhrase.append([])
    return index
  }

  /// See ``CompiledRules/prefixes``.
  func heldPrefixes(_ spellings: [[UInt64: [UInt64]]]) -> [(key: UInt64, value: UInt32)] {
    var values: [UInt64: UInt32] = [:]
    for (index, phrase) in self.phrases.enumerated() where self.isHeld[index] {
      for (position, word) in phrase.enumerated() {
        guard let prefixes = spellings.lazy.compactMap({ $0[word] }).first else { continue }
        for prefix in prefixes { values[prefix] = max(values[prefix] ?? 1, position == 0 ? 2 : 1) }
      }
    }
    return values.map { (key: $0.key, value: $0.value) }
  }
}
