internal import Tensors

/// The keys and values of token sequences that were computed before, to be shared by whoever begins with the same tokens.
///
/// A tree: a node stands for one block of tokens after those of its parent, and holds that block's keys and values. What a node
/// stands for is compared token by token, so that no two sequences are ever taken for one another. Each scope has a tree of its own,
/// and nothing passes between them. Blocks that no sequence holds are given back when the pool has no other, those unused for longest
/// first, ends of chains before their beginnings.
final class PrefixIndex {
  /// A whole block of tokens, or the unfinished last block of a sequence, which has no children.
  final class Node {
    fileprivate let tokens: [Int32]
    fileprivate var block: KVBlock?
    fileprivate weak var parent: Node?
    /// For a root.
    fileprivate let scope: String?
    fileprivate var children: [[Int32]: Node] = [:]
    // The order of use: a list from the node unused for longest to the newest.
    fileprivate weak var older: Node?
    fileprivate var newer: Node?

    fileprivate init(tokens: [Int32] = [], block: KVBlock? = nil, parent: Node? = nil, scope: String? = nil) {
      self.scope = scope
      self.tokens = tokens
      self.block = block
      self.parent = parent
    }
  }

  /// Children that are looked at for a part in common.
  private static let compared = 64

  private var roots: [String: Node] = [:]
  // Ends of the list; `oldest` is a node of no tree.
  private let oldest = Node()
  private var newest: Node
  private(set) var count = 0

  init() { self.newest = self.oldest }

  // The list is taken apart node by node: a chain of references of any length would be freed by recursion.
  deinit { while let node = self.oldest.newer { self.unlink(node) } }

  /// Where sequences of a scope begin.
  func root(scope: String) -> Node {
    if let root = self.roots[scope] { return root }
    let root = Node(scope: scope)
    self.roots[scope] = root
    return root
  }

  /// The block that follows a node with exactly these tokens.
  func next(after node: Node, _ tokens: ArraySlice<Int32>) -> (node: Node, block: KVBlock)? {
    guard !node.children.isEmpty, let child = node.children[Array(tokens)], let block = child.block else { return nil }
    self.touch(child)
    return (child, block)
  }

  /// How many whole blocks at the beginning of a sequence are known and held by other sequences.
  func heldBlocks(scope: String, _ tokens: [Int32]) -> Int {
    guard var node = self.roots[scope] else { return 0 }
    var count = 0
    while true {
      let start = count * KVShape.blockPositions
      let end = start + KVShape.blockPositions
      guard end < tokens.count, let child = node.children[Array(tokens[start..<end])], child.block?.isHeld == true else {
        return count
      }
      node = child
      count += 1
    }
  }

  /// A block that follows a node and begins with the most of these tokens.
  func beginning(after node: Node, _ tokens: ArraySlice<Int32>) -> (block: KVBlock, tokens: Int)? {
    var best: (node: Node, count: Int)?
    for child in node.children.values.prefix(Self.compared) {
      let common = zip(child.tokens, tokens).prefix { $0 == $1 }.count
      if common > best?.count ?? 0 { best = (child, common) }
    }
    guard let best, let block = best.node.block else { return nil }
    self.touch(best.node)
    return (block, best.count)
  }

  /// Takes note of a block after a node; where its tokens are known already, the known node and its block.
  ///
  /// - Precondition: whoever inserts holds the blocks of the node and of all before it.
  func insert(after node: Node, _ tokens: ArraySlice<Int32>, _ block: KVBlock) -> (node: Node, block: KVBlock) {
    if let known = self.next(after: node, tokens) { return known }
    let child = Node(tokens: Array(tokens), block: block, parent: node)
    node.children[child.tokens] = child
    self.append(child)
    self.count += 1
    return (child, block)
  }

  /// Gives up the block that nobody holds and that was unused for longest; false where there is none.
  func reclaim() -> Bool {
    var candidate = self.oldest.newer
    while let node = candidate {
      if node.children.isEmpty, node.block?.isHeld == false {
        self.remove(node)
        return true
      }
      candidate = node.newer
    }
    return false
  }

  private func remove(_ node: Node) {
    node.parent?.children[node.tokens] = nil
    self.unlink(node)
    node.block = nil
    self.count -= 1
    // A scope without blocks is forgotten; a sequence that stands at its beginning goes on in a tree that nobody else finds.
    if let parent = node.parent, parent.children.isEmpty, let scope = parent.scope { self.roots[scope] = nil }
  }

  private func touch(_ node: Node) {
    guard node !== self.newest else { return }
    self.unlink(node)
    self.append(node)
  }

  private func append(_ node: Node) {
    node.older = self.newest
    self.newest.newer = node
    self.newest = node
  }

  private func unlink(_ node: Node) {
    if self.newest === node { self.newest = node.older ?? self.oldest }
    node.newer?.older = node.older
    node.older?.newer = node.newer
    node.newer = nil
    node.older = nil
  }
}
