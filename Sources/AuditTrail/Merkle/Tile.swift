public import GovernanceTypes

/// A piece of the tree in the layout of C2SP tlog-tiles: up to 256 neighbouring hashes of one level, every eighth level.
///
/// Hash `i` of the tile at `level` and `index` is the root of the complete subtree of tree level `8 × level` with index
/// `256 × index + i`.
public struct Tile: Hashable, Sendable {
  public static let fullWidth = 256
  static let levelMaximum = 7

  public let level: Int
  public let index: Int
  /// How many hashes it holds: 256 where it is full, fewer at the right edge.
  public let width: Int

  /// Nil where level, index or width is out of range.
  public init?(level: Int, index: Int, width: Int = Tile.fullWidth) {
    guard (0...Self.levelMaximum).contains(level), (1...Self.fullWidth).contains(width), index >= 0, index < 1 << 48 else {
      return nil
    }
    self.level = level
    self.index = index
    self.width = width
  }

  /// Reads the path of a tile, `tile/<level>/<index>[.p/<width>]`; nil for anything that ``path`` would not write.
  public init?(path: String) {
    guard path.utf8.count <= 64, path.hasPrefix("tile/") else { return nil }
    let parts = path.dropFirst(5).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let level = Int(parts[0]), let place = TilePlace(parts[1]) else { return nil }
    self.init(level: level, index: place.index, width: place.width)
    guard self.path == path else { return nil }
  }

  public var path: String { "tile/\(self.level)/\(TilePlace(index: self.index, width: self.width).text)" }

  /// The tiles that a tree of `size` leaves consists of and one of `earlier` leaves did not, partial ones at the right edge
  /// included. O(tiles).
  public static func tiles(from earlier: Int = 0, to size: Int) -> [Tile] {
    var tiles: [Tile] = []
    for level in 0...Self.levelMaximum {
      let hashes = max(0, size) >> (8 * level)
      let known = max(0, earlier) >> (8 * level)
      guard hashes > known else { break }
      for index in known / Self.fullWidth...(hashes - 1) / Self.fullWidth {
        let width = min(Self.fullWidth, hashes - index * Self.fullWidth)
        if let tile = Tile(level: level, index: index, width: width) { tiles.append(tile) }
      }
    }
    return tiles
  }

  /// Whether a tree of `size` leaves has all hashes of this tile.
  public func isComplete(inTreeOf size: Int) -> Bool {
    size >= 0 && self.index * Self.fullWidth + self.width <= size >> (8 * self.level)
  }

  /// The tile's hashes, from subtree hashes. `width` of them are asked for.
  public func hashes(subtree: SubtreeHash) throws -> [Digest] {
    try (0..<self.width).map { try subtree(8 * self.level, self.index * Self.fullWidth + $0) }
  }

  /// The content of the tile's file: its hashes one after another, 32 bytes each.
  public static func content(_ hashes: [Digest]) -> [UInt8] { hashes.flatMap(\.bytes) }

  /// The hashes in the content of a tile's file; nil unless it has exactly `width` of them.
  public func hashes(content: [UInt8]) -> [Digest]? {
    guard content.count == 32 * self.width else { return nil }
    return stride(from: 0, to: content.count, by: 32).compactMap { Digest(content[$0..<$0 + 32]) }
  }
}

/// A bundle of 256 log entries in the layout of C2SP tlog-tiles, at `tile/entries/<index>[.p/<width>]`.
public struct EntryTile: Hashable, Sendable {
  public let index: Int
  public let width: Int

  /// Nil where index or width is out of range.
  public init?(index: Int, width: Int = Tile.fullWidth) {
    guard let tile = Tile(level: 0, index: index, width: width) else { return nil }
    self.index = tile.index
    self.width = tile.width
  }

  /// Nil for anything that ``path`` would not write.
  public init?(path: String) {
    guard path.utf8.count <= 64, path.hasPrefix("tile/entries/"), let place = TilePlace(path.dropFirst(13)) else { return nil }
    self.init(index: place.index, width: place.width)
    guard self.path == path else { return nil }
  }

  public var path: String { "tile/entries/\(TilePlace(index: self.index, width: self.width).text)" }
  /// The sequence numbers of its entries.
  public var sequences: Range<Int> { self.index * Tile.fullWidth..<self.index * Tile.fullWidth + self.width }

  /// The content of the file: each entry behind its length in two bytes, big-endian. Nil where one is longer than 65,535 bytes.
  public static func content(_ entries: [[UInt8]]) -> [UInt8]? {
    var content: [UInt8] = []
    for entry in entries {
      guard let length = UInt16(exactly: entry.count) else { return nil }
      content.append(UInt8(length >> 8))
      content.append(UInt8(truncatingIfNeeded: length))
      content.append(contentsOf: entry)
    }
    return content
  }
}

/// The last part of a tile's path: the index in groups of three digits, all but the last marked with an x, then `.p/<width>`.
struct TilePlace {
  let index: Int
  let width: Int

  init(index: Int, width: Int) {
    self.index = index
    self.width = width
  }

  init?(_ text: Substring) {
    var groups = text.split(separator: "/", omittingEmptySubsequences: false)
    var width = Tile.fullWidth
    if groups.count >= 2, groups[groups.count - 2].hasSuffix(".p"), let last = groups.popLast() {
      guard let partial = Int(last), (1..<Tile.fullWidth).contains(partial), let group = groups.popLast() else { return nil }
      width = partial
      groups.append(group.dropLast(2))
    }
    guard (1...6).contains(groups.count) else { return nil }
    var index = 0
    for (offset, group) in groups.enumerated() {
      let digits = offset < groups.count - 1 && group.hasPrefix("x") ? group.dropFirst() : group
      guard digits.utf8.count == 3, let value = Int(digits), value >= 0 else { return nil }
      index = index * 1000 + value
    }
    self.init(index: index, width: width)
  }

  var text: String {
    var groups: [String] = []
    var rest = self.index
    repeat {
      let digits = String(rest % 1000)
      groups.append((groups.isEmpty ? "" : "x") + String(repeating: "0", count: 3 - digits.utf8.count) + digits)
      rest /= 1000
    } while rest > 0
    let path = groups.reversed().joined(separator: "/")
    return self.width == Tile.fullWidth ? path : "\(path).p/\(self.width)"
  }
}
