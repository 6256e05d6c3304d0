/// A grammar as the nodes of a pushdown automaton over bytes.
struct Program: Sendable {
  enum Node: Sendable {
    case byte(UInt8, next: Int32)
    case set(ByteSet, next: Int32)
    /// Any of these, each with the depth that it needs at least.
    case split([(node: Int32, need: Int32)])
    case call(Int32, next: Int32)
    /// Runs `body` from `least` to `most` times; how often it has run is in the frame.
    case loop(body: Int32, need: Int32, least: Int32, most: Int32, next: Int32)
    case end
  }

  static let nodeLimit = 1 << 20
  /// Frames of the deepest text; a level of nesting takes two or three.
  static let depthLimit: Int32 = 192

  private(set) var nodes: [Node] = []
  private(set) var start: Int32 = 0
  /// The nodes that read the first byte of a string's character.
  private var characterStarts: Set<Int32> = []
  /// By rule: its first node, and the depth of the shallowest text that it can make.
  private var entries: [Int32] = []
  private let needs: [Int32]

  /// - Throws: where a rule can make no finite text, or the grammar is too large.
  init(_ book: RuleBook, start: Expression, character: Int?) throws(GrammarError) {
    let rules = book.rules.map { $0 ?? .choice([]) }
    self.needs = Self.needs(rules)
    self.nodes.append(.end)
    self.entries = rules.map { _ in -1 }
    // Every rule's entry is a node of its own, so that rules may name one another before they are compiled.
    for index in rules.indices {
      self.entries[index] = Int32(self.nodes.count)
      self.nodes.append(.split([]))
    }
    for (index, rule) in rules.enumerated() {
      let first = try self.compile(rule, next: 0)
      self.nodes[Int(self.entries[index])] = .split([(first, self.needs[index])])
    }
    self.start = try self.compile(start, next: 0)
    guard Self.need(start, self.needs, isLast: true) <= Self.depthLimit else {
      throw GrammarError(path: "#", message: "No finite value fits: it contains itself without an end, or is nested too deeply.")
    }
    if let character { self.addCharacterStarts(self.entries[character]) }
  }

  /// Whether the node reads the first byte of a string's character; the loop in the top frame is then the string's.
  func isCharacterStart(_ node: Int32) -> Bool { self.characterStarts.contains(node) }

  private mutating func addCharacterStarts(_ node: Int32) {
    guard case .split(let targets) = self.nodes[Int(node)] else {
      self.characterStarts.insert(node)
      return
    }
    for target in targets { self.addCharacterStarts(target.node) }
  }

  private mutating func add(_ node: Node) throws(GrammarError) -> Int32 {
    guard self.nodes.count < Self.nodeLimit else { throw GrammarError(path: "#", message: "The schema is too large.") }
    self.nodes.append(node)
    return Int32(self.nodes.count - 1)
  }

  /// The node from which `expression` and then `next` are read; 0 is the end of a rule.
  private mutating func compile(_ expression: Expression, next: Int32) throws(GrammarError) -> Int32 {
    switch expression {
    case .literal(let bytes):
      var node = next
      for byte in bytes.reversed() { node = try self.add(.byte(byte, next: node)) }
      return node
    case .set(let set): return try self.add(.set(set, next: next))
    case .sequence(let parts):
      var node = next
      for part in parts.reversed() { node = try self.compile(part, next: node) }
      return node
    case .choice(let choices):
      var targets: [(node: Int32, need: Int32)] = []
      for choice in choices {
        targets.append((try self.compile(choice, next: next), Self.need(choice, self.needs, isLast: next == 0)))
      }
      return try self.add(.split(targets))
    case .repeating(let body, let least, let most):
      let need = Self.raised(Self.need(body, self.needs, isLast: true))
      return try self.add(
        .loop(
          body: try self.compile(body, next: 0), need: need, least: Int32(clamping: least),
          most: Int32(clamping: most ?? .max), next: next))
    case .rule(let index):
      // The last call of a rule needs no frame: what it calls returns for it.
      return next == 0 ? self.entries[index] : try self.add(.call(self.entries[index], next: next))
    }
  }

  private static func raised(_ need: Int32) -> Int32 { need == .max ? .max : need + 1 }

  /// The frames that the shallowest text of an expression needs. A rule called last needs none for the call (`isLast`), as `compile`.
  private static func need(_ expression: Expression, _ rules: [Int32], isLast: Bool) -> Int32 {
    switch expression {
    case .literal, .set: return 0
    case .sequence(let parts):
      var need: Int32 = 0
      for (index, part) in parts.enumerated() {
        need = max(need, Self.need(part, rules, isLast: isLast && index == parts.count - 1))
      }
      return need
    case .choice(let choices): return choices.reduce(.max) { min($0, Self.need($1, rules, isLast: isLast)) }
    case .repeating(let body, let least, _): return least == 0 ? 0 : Self.raised(Self.need(body, rules, isLast: true))
    case .rule(let index): return isLast ? rules[index] : Self.raised(rules[index])
    }
  }

  /// By rule; the maximum for one that never ends. Rules are declared before those that they are made of, so going backwards settles
  /// nearly all in the first round; a grammar made to need more rounds than this is taken for one without an end.
  private static func needs(_ rules: [Expression]) -> [Int32] {
    var needs = [Int32](repeating: .max, count: rules.count)
    for _ in 0..<256 {
      var changed = false
      for index in rules.indices.reversed() {
        let need = Self.need(rules[index], needs, isLast: true)
        if need < needs[index] {
          needs[index] = need
          changed = true
        }
      }
      if !changed { break }
    }
    return needs
  }
}
