/// Walks one JSON text from its beginning to its end without making a tree of it: for texts of a known form that come by the thousand.
///
/// It refuses what ``Document/parseJSON(_:limits:)`` refuses, in the same words: what is skipped is checked like what is read. Each value
/// must be taken once, by one of the calls below. O(bytes), and no memory but for what is asked for.
public struct JSONWalker: Sendable {
  private var parser: JSONParser
  private var depth = 0

  /// - Throws: ``DocumentError`` where the text is longer than `limits` allow.
  public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(DocumentError) {
    guard bytes.count <= limits.bytes else { throw .tooLong(bytes.count, limits) }
    self.parser = JSONParser(bytes: bytes, limits: limits)
  }

  /// An error at the place that was come to.
  public func failure(_ message: String) -> DocumentError { self.parser.failure(message) }

  /// Whether the next value is an object.
  public mutating func isAtMap() -> Bool { self.isAt(UInt8(ascii: "{")) }

  /// Whether the next value is an array.
  public mutating func isAtList() -> Bool { self.isAt(UInt8(ascii: "[")) }

  /// Whether the next value is a string.
  public mutating func isAtString() -> Bool { self.isAt(UInt8(ascii: "\"")) }

  private mutating func isAt(_ byte: UInt8) -> Bool {
    self.parser.skipSpace()
    return self.parser.next == byte
  }

  /// Takes an object, member by member; `read` takes each member's value. Ask ``isAtMap()`` first.
  public mutating func map(_ read: (inout JSONWalker, _ key: String) throws(DocumentError) -> Void) throws(DocumentError) {
    _ = try self.parser.begin(depth: self.depth)
    self.depth += 1
    defer { self.depth -= 1 }
    var keys = self.parser.beginKeys()
    defer { self.parser.endKeys(keys) }
    guard try self.parser.open(UInt8(ascii: "{"), orClose: UInt8(ascii: "}")) else { return }
    repeat {
      try read(&self, self.parser.key(&keys).text)
    } while try self.parser.more(before: UInt8(ascii: "}"), "brace")
  }

  /// Takes an array, element by element. Ask ``isAtList()`` first.
  public mutating func list(_ read: (inout JSONWalker) throws(DocumentError) -> Void) throws(DocumentError) {
    _ = try self.parser.begin(depth: self.depth)
    self.depth += 1
    defer { self.depth -= 1 }
    guard try self.parser.open(UInt8(ascii: "["), orClose: UInt8(ascii: "]")) else { return }
    repeat {
      try read(&self)
    } while try self.parser.more(before: UInt8(ascii: "]"), "bracket")
  }

  /// Takes a string; nil for any other value, which is skipped.
  public mutating func text() throws(DocumentError) -> String? {
    guard self.isAtString() else {
      try self.skip()
      return nil
    }
    _ = try self.parser.begin(depth: self.depth)
    return try self.parser.string()
  }

  /// Takes a whole number of at most 15 digits and no sign; nil for any other value, which is skipped.
  public mutating func count() throws(DocumentError) -> Int? {
    self.parser.skipSpace()
    guard let byte = self.parser.next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
      try self.skip()
      return nil
    }
    _ = try self.parser.begin(depth: self.depth)
    return try self.parser.count()
  }

  /// Takes a value as a tree.
  public mutating func document() throws(DocumentError) -> Document { try self.parser.value(depth: self.depth) }

  /// Takes any value.
  public mutating func skip() throws(DocumentError) {
    self.parser.skipSpace()
    switch self.parser.next {
    case UInt8(ascii: "{"): try self.map { (walker, _) throws(DocumentError) in try walker.skip() }
    case UInt8(ascii: "["): try self.list { (walker) throws(DocumentError) in try walker.skip() }
    default:
      _ = try self.parser.begin(depth: self.depth)
      try self.parser.skipScalar()
    }
  }

  /// The text must end here.
  public mutating func finish() throws(DocumentError) { try self.parser.finish() }
}
