internal import GovernanceTypes

/// Runs compiled rules over the words of one text, in constant memory.
///
/// A word may have several readings, so the automaton runs in up to four *lanes*; the states before each of the last
/// ``ringSize`` words are kept, so that a reading of several written words starts where they start.
struct RuleMatcher: WordSink, Sendable {
  let rules: CompiledRules
  var modes: [RuleMode]
  private(set) var transforms: TextTransforms = []
  private(set) var hits: [FoundRule] = []
  /// Set when a rule in mode enforce is decided.
  private(set) var isFlagged = false
  /// The byte offset at which a match that waits for an allowed context is decided, whatever comes; `Int.max` for none.
  private(set) var deadline = Int.max

  /// Words complete so far; the index of the next.
  private(set) var wordCount = 0
  /// For each of the last words what was before it and where it lies.
  private var ring: [Slot]
  /// For each of the last letters of a run of single ones: the word from it to the end of the run so far.
  private var spelled = [WordHash](repeating: .empty, count: RuleMatcher.spelledLetters)
  private var lastEnd = 0
  /// Single-letter words at the end of the text so far.
  private(set) var singleRun = 0
  private var latest: [GroupHit]
  private var isDecided: [Bool]
  private var pending: [PendingMatch] = []
  private var touched: [(group: Int, hit: GroupHit)] = []

  /// States of the automaton in the low 32 bits, words read as fewer in the high ones; lane 0 is the text as written.
  typealias Lanes = SIMD4<UInt64>

  private struct Slot: Sendable {
    /// The automaton's states before the word.
    var lanes = Lanes()
    var start = 0
    /// The word up to which a match that begins here may still grow; 0 for none.
    var windowEnd = 0
    /// The letter, where the word is a single one.
    var single: UInt32 = 0
  }

  static let ringSize = 128
  /// Longest word that is put together from single letters.
  static let spelledLetters = 24
  /// Fewest single letters in a row that are read as words.
  static let spelledRun = 4
  /// How many bytes after a match an allowed context may still clear it.
  static let allowedBytes = 128

  init(_ rules: CompiledRules, modes: [RuleMode]) {
    self.rules = rules
    self.modes = modes
    self.ring = Array(repeating: Slot(), count: Self.ringSize)
    self.latest = Array(repeating: GroupHit(start: -1, end: -1, offset: 0), count: rules.triggers.count)
    self.isDecided = Array(repeating: false, count: rules.rules.count)
  }

  /// Ready for another text, with the memory of the last. What lies in the ring is written anew before it is read.
  mutating func reset() {
    self.transforms = []
    self.hits.removeAll(keepingCapacity: true)
    self.isFlagged = false
    self.deadline = .max
    self.wordCount = 0
    self.singleRun = 0
    self.lastEnd = 0
    self.ring[0].lanes = Lanes()
    for group in self.latest.indices { self.latest[group] = GroupHit(start: -1, end: -1, offset: 0) }
    for rule in self.isDecided.indices { self.isDecided[rule] = false }
    self.pending.removeAll(keepingCapacity: true)
    self.touched.removeAll(keepingCapacity: true)
  }

  /// A rule's first match.
  struct FoundRule: Sendable {
    var rule: Int
    var offset: Int
    var end: Int
  }

  /// The latest place of a group: word indices, and the byte offset of the first word.
  struct GroupHit: Sendable {
    var start: Int
    var end: Int
    var offset: Int
  }

  private struct PendingMatch: Sendable {
    var rule: Int
    var offset: Int
    var end: Int
    var lastWord: Int
    var lastByte: Int
  }

  mutating func letter(_ value: UInt32, folded: UInt32) {}
  mutating func token(_ token: ScannedToken) {}

  @inline(__always)
  mutating func word(_ word: ScannedWord) {
    let index = self.wordCount
    if !self.pending.isEmpty { self.decidePending { $0.lastWord < index } }
    let slot = index % Self.ringSize
    let before = self.ring[slot].lanes
    self.ring[slot] = Slot(lanes: before, start: word.start, windowEnd: 0, single: word.single)
    self.lastEnd = word.end
    self.wordCount += 1
    let id = self.rules.automaton.word(word.hash)
    let after = id == 0 ? Lanes() : self.step(before, id)
    self.ring[self.wordCount % Self.ringSize].lanes = after
    if after != Lanes() { self.matchAll(after) }
    if word.single == 0 { self.singleRun = 0 } else { self.extendSpelledRun() }
  }

  mutating func reading(_ hash: WordHash, words: Int) {
    if self.read(hash, words: words) { self.transforms.formUnion(.leetspeak) }
  }

  /// Takes the last `words` words as one; true if the rules have that word.
  private mutating func read(_ hash: WordHash, words: Int) -> Bool {
    let id = self.rules.automaton.word(hash)
    guard id != 0, words <= min(self.wordCount, Self.ringSize - 1) else { return false }
    let from = self.ring[(self.wordCount - words) % Self.ringSize].lanes
    let stepped = self.step(from, id)
    let saved = UInt64(words - 1) << 32
    var joined = Lanes()
    for lane in 0..<4 where stepped[lane] != 0 {
      self.addLane(stepped[lane] &+ saved)
      joined[lane] = stepped[lane] &+ saved
    }
    if joined != Lanes() { self.matchAll(joined) }
    return true
  }

  /// Adds a state to those after the last word, unless it is there; the newest of too many gives way.
  private mutating func addLane(_ lane: UInt64) {
    let slot = self.wordCount % Self.ringSize
    let state = UInt32(truncatingIfNeeded: lane)
    for other in 0..<4 where UInt32(truncatingIfNeeded: self.ring[slot].lanes[other]) == state { return }
    for free in 1..<4 where self.ring[slot].lanes[free] == 0 {
      self.ring[slot].lanes[free] = lane
      return
    }
    self.ring[slot].lanes[3] = lane
  }

  @inline(__always)
  private func step(_ lanes: Lanes, _ word: UInt32) -> Lanes {
    var result = Lanes()
    result[0] = UInt64(self.rules.automaton.next(UInt32(truncatingIfNeeded: lanes[0]), word)) | Self.carried(lanes[0])
    if UInt32(truncatingIfNeeded: result[0]) == 0 { result[0] = 0 }
    guard lanes[1] | lanes[2] | lanes[3] != 0 else { return result }
    for lane in 1..<4 where lanes[lane] != 0 {
      let state = self.rules.automaton.next(UInt32(truncatingIfNeeded: lanes[lane]), word)
      let isNew = (0..<lane).allSatisfy { UInt32(truncatingIfNeeded: result[$0]) != state }
      if state != 0, isNew { result[lane] = UInt64(state) | Self.carried(lanes[lane]) }
    }
    return result
  }

  /// The words saved on the way to a lane, held at what the ring can look back.
  @inline(__always)
  private static func carried(_ lane: UInt64) -> UInt64 { min(lane >> 32, UInt64(Self.ringSize)) << 32 }
}

// Matches.
extension RuleMatcher {
  private mutating func matchAll(_ lanes: Lanes) {
    self.touched.removeAll(keepingCapacity: true)
    for lane in 0..<4 where lanes[lane] != 0 { self.collect(lanes[lane]) }
    for index in self.touched.indices { self.run(self.touched[index].group, self.touched[index].hit) }
  }

  private mutating func collect(_ lane: UInt64) {
    for index in self.rules.automaton.matches(UInt32(truncatingIfNeeded: lane)) {
      let phrase = self.rules.automaton.phrase(at: index)
      let words = self.rules.automaton.lengths[phrase] + Int(lane >> 32)
      let start = max(self.wordCount - words, self.wordCount - Self.ringSize + 1, 0)
      let hit = GroupHit(start: start, end: self.wordCount - 1, offset: self.ring[start % Self.ringSize].start)
      for place in self.rules.groupsOfPhrase.places(phrase) {
        let group = self.rules.groupsOfPhrase.element(at: place)
        self.note(hit, of: group)
        self.touched.append((group, hit))
      }
    }
  }

  /// Keeps the place of a group, and how far a stream's guard has to wait for what may follow it.
  @inline(__always)
  private mutating func note(_ hit: GroupHit, of group: Int) {
    if self.latest[group].start < hit.start { self.latest[group] = hit }
    let wait = self.rules.waits[group]
    guard wait > 0 else { return }
    let slot = hit.start % Self.ringSize
    self.ring[slot].windowEnd = max(self.ring[slot].windowEnd, hit.end + 1 + wait)
  }

  private mutating func run(_ group: Int, _ hit: GroupHit) {
    for place in self.rules.triggers.places(group) {
      switch self.rules.triggers.element(at: place) {
      case .rule(let rule): self.match(rule, start: hit.start, offset: hit.offset)
      case .window(let window): self.runWindow(window, hit)
      case .clear(let rule): self.clear(rule)
      case .compose(let head, let whole): self.compose(head, whole, hit)
      }
    }
  }

  private mutating func compose(_ head: Int, _ whole: Int, _ tail: GroupHit) {
    let first = self.latest[head]
    guard first.start >= 0, first.end == tail.start - 1 else { return }
    let hit = GroupHit(start: first.start, end: tail.end, offset: first.offset)
    self.note(hit, of: whole)
    self.run(whole, hit)
  }

  private mutating func runWindow(_ index: Int, _ hit: GroupHit) {
    guard !self.isDecided[self.rules.windows[index].rule] else { return }
    let window = self.rules.windows[index]
    var first = hit
    var next = hit
    var firstEnd = hit.end
    var lastStart = hit.start
    for (position, group) in window.groups.enumerated().reversed() {
      let isOwn = window.isOrdered && position == window.groups.count - 1
      let part = isOwn ? hit : self.latest[group]
      guard part.start >= 0 else { return }
      if window.isOrdered, !isOwn, part.end >= next.start { return }
      if part.start < first.start { first = part }
      firstEnd = min(firstEnd, part.end)
      lastStart = max(lastStart, part.start)
      next = part
    }
    guard lastStart - firstEnd <= window.words else { return }
    self.match(window.rule, start: first.start, offset: first.offset)
  }

  private mutating func match(_ rule: Int, start: Int, offset: Int) {
    guard !self.isDecided[rule] else { return }
    guard let allowed = self.rules.rules[rule].allowed else {
      self.decide(rule, offset: offset, end: self.lastEnd)
      return
    }
    let within = self.rules.rules[rule].allowedWithin
    let context = self.latest[allowed]
    if context.start >= 0, context.end >= start - within { return }
    // The earliest match that waits decides for all: what clears it is nearer still to the later ones.
    guard !self.pending.contains(where: { $0.rule == rule }) else { return }
    self.pending.append(
      PendingMatch(
        rule: rule, offset: offset, end: self.lastEnd, lastWord: self.wordCount - 1 + within,
        lastByte: self.lastEnd + Self.allowedBytes))
    self.deadline = min(self.deadline, self.lastEnd + Self.allowedBytes)
  }

  private mutating func clear(_ rule: Int) {
    guard !self.pending.isEmpty else { return }
    self.pending.removeAll { $0.rule == rule }
    self.setDeadline()
  }

  private mutating func decide(_ rule: Int, offset: Int, end: Int) {
    self.isDecided[rule] = true
    self.hits.append(FoundRule(rule: rule, offset: offset, end: end))
    if self.modes[rule] == .enforce { self.isFlagged = true }
  }

  private mutating func decidePending(_ isDue: (PendingMatch) -> Bool) {
    for match in self.pending where isDue(match) { self.decide(match.rule, offset: match.offset, end: match.end) }
    self.pending.removeAll(where: isDue)
    self.setDeadline()
  }

  private mutating func setDeadline() { self.deadline = self.pending.lazy.map(\.lastByte).min() ?? .max }

  /// Decides the matches whose context can no longer come at byte `offset`.
  mutating func reach(_ offset: Int) { self.decidePending { $0.lastByte <= offset } }

  /// Decides all that waits: no more words come.
  mutating func finish() { self.decidePending { _ in true } }
}

// Words spelt as single letters.
extension RuleMatcher {
  private mutating func extendSpelledRun() {
    self.singleRun += 1
    let letter = self.ring[(self.wordCount - 1) % Self.ringSize].single
    self.spelled[(self.wordCount - 1) % Self.spelledLetters] = .empty
    for back in 0..<min(self.singleRun, Self.spelledLetters) {
      self.spelled[(self.wordCount - 1 - back) % Self.spelledLetters].append(letter)
    }
    if self.singleRun > Self.spelledRun {
      for letters in stride(from: min(self.singleRun, Self.spelledLetters), to: 1, by: -1) {
        self.readSpelled(self.spelled[(self.wordCount - letters) % Self.spelledLetters], letters: letters)
      }
    } else if self.singleRun == Self.spelledRun {
      self.readFirstSpelled()
    }
  }

  private mutating func readSpelled(_ hash: WordHash, letters: Int) {
    if self.read(hash, words: letters), letters > 1 { self.transforms.formUnion(.spacedLetters) }
  }

  /// The run has become long enough: goes back to its start and reads its letters again, now as parts of words.
  private mutating func readFirstSpelled() {
    let count = self.wordCount
    let first = count - Self.spelledRun
    for end in (first + 1)...count {
      self.wordCount = end
      self.readSpelled(self.spelling(from: end - 1, to: end), letters: 1)
      for start in first..<(end - 1) { self.readSpelled(self.spelling(from: start, to: end), letters: end - start) }
    }
    self.wordCount = count
  }

  private func spelling(from start: Int, to end: Int) -> WordHash {
    var hash = WordHash.empty
    for index in start..<end { hash.append(self.ring[index % Self.ringSize].single) }
    return hash
  }
}

// What a stream's guard has to hold back.
extension RuleMatcher {
  /// The byte offset up to which nothing can become part of an enforced match, given the word and token in progress.
  func clearOffset(_ scanner: WordScanner, at position: Int) -> Int {
    var offset = min(position, self.pendingOffset)
    for word in max(0, self.wordCount - Self.ringSize + 1)..<self.wordCount
    where self.ring[word % Self.ringSize].windowEnd > self.wordCount {
      offset = min(offset, self.ring[word % Self.ringSize].start)
      break
    }
    offset = min(offset, self.progressOffset(scanner, at: position))
    if self.singleRun + scanner.length > 0, scanner.length <= 1 { offset = min(offset, self.spelledOffset(scanner)) }
    return offset
  }

  private var pendingOffset: Int {
    self.pending.lazy.filter { self.modes[$0.rule] == .enforce }.map(\.offset).min() ?? .max
  }

  private func progressOffset(_ scanner: WordScanner, at position: Int) -> Int {
    var offset = position
    if scanner.length == 0 {
      offset = min(offset, self.liveOffset(before: self.wordCount))
    } else {
      let kind = max(self.rules.prefixes[scanner.written.value], self.rules.prefixes[scanner.folded.value])
      if kind > 0 { offset = min(offset, self.liveOffset(before: self.wordCount)) }
      if kind > 1 || offset < position { offset = min(offset, scanner.wordStart) }
    }
    guard scanner.tokenLength > 0, scanner.tokenWords <= WordScanner.tokenWordLimit else { return offset }
    let variants = [scanner.leet, scanner.leetOne, scanner.leetTrimmed, scanner.leetOneTrimmed]
    let kind = variants.lazy.map { self.rules.prefixes[$0.value] }.max() ?? 0
    if kind > 0 { offset = min(offset, scanner.tokenStart, self.liveOffset(before: self.wordCount - scanner.tokenWords)) }
    return offset
  }

  private func spelledOffset(_ scanner: WordScanner) -> Int {
    var offset = scanner.length > 0 ? scanner.wordStart : Int.max
    let letters = min(self.singleRun, Self.spelledLetters)
    for word in (self.wordCount - letters)...self.wordCount {
      offset = min(offset, self.liveOffset(before: word))
      if word < self.wordCount { offset = min(offset, self.ring[word % Self.ringSize].start) }
    }
    return offset
  }

  /// Where the longest beginning of an enforced phrase that is alive before word `index` starts.
  private func liveOffset(before index: Int) -> Int {
    let lanes = self.ring[index % Self.ringSize].lanes
    var offset = Int.max
    for lane in 0..<4 where lanes[lane] != 0 {
      let held = self.rules.automaton.heldWords(UInt32(truncatingIfNeeded: lanes[lane]))
      guard held > 0 else { continue }
      let start = max(index - held - Int(lanes[lane] >> 32), self.wordCount - Self.ringSize + 1, 0)
      offset = min(offset, self.ring[start % Self.ringSize].start)
    }
    return offset
  }
}
