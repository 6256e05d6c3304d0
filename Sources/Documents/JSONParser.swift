/// What a JSON text may cost; a text beyond any of these is refused before it is kept.
public struct JSONLimits: Sendable {
  public var bytes: Int
  public var depth: Int
  public var nodes: Int

  public init(bytes: Int = 8 << 20, depth: Int = 64, nodes: Int = 1 << 18) {
    self.bytes = bytes
    self.depth = depth
    self.nodes = nodes
  }
}

extension Document {
  /// Parses one JSON text (RFC 8259), refusing duplicate keys, unpaired surrogates, invalid UTF-8 and trailing bytes.
  ///
  /// Numbers keep their digits. O(bytes) time, and memory bounded by `limits`.
  public static func parseJSON(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(DocumentError) -> Document {
    guard bytes.count <= limits.bytes else { throw .tooLong(bytes.count, limits) }
    var parser = JSONParser(bytes: bytes, limits: limits)
    let document = try parser.value(depth: 0)
    try parser.finish()
    return document
  }
}

extension DocumentError {
  static func tooLong(_ count: Int, _ limits: JSONLimits) -> DocumentError {
    DocumentError(position: .start, message: "the text has \(count) bytes; at most \(limits.bytes) are read")
  }
}

/// The keys of one object so far. By bytes: strings of different code points can be equal as characters.
struct JSONKeys {
  /// Where its keys begin among those of the objects around it, as long as they are few and none has an escape.
  fileprivate let start: Int
  fileprivate var set: Set<[UInt8]> = []

  /// Above this many they are kept in a set.
  fileprivate static let few = 16
}

/// The grammar of JSON over bytes, from the beginning to the end. ``Document`` is made with it, and ``JSONWalker`` walks with it.
struct JSONParser: Sendable {
  private let bytes: [UInt8]
  private let limits: JSONLimits
  private(set) var index = 0
  private var nodes = 0
  private var line = 1
  private var lineStart = 0
  /// Where the keys of the objects stand that are being read, outer before inner.
  private var keys: [Range<Int>] = []

  init(bytes: [UInt8], limits: JSONLimits) {
    self.bytes = bytes
    self.limits = limits
    self.keys.reserveCapacity(2 * JSONKeys.few)
  }

  private var here: TextPosition { TextPosition(line: self.line, column: self.index - self.lineStart + 1) }
  var next: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

  func failure(_ message: String) -> DocumentError { DocumentError(position: self.here, message: message) }

  mutating func skipSpace() {
    while self.index < self.bytes.count {
      switch self.bytes[self.index] {
      case 0x0A:
        self.index += 1
        self.line += 1
        self.lineStart = self.index
      case 0x20, 0x09, 0x0D: self.index += 1
      default: return
      }
    }
  }

  /// Counts a value that begins here.
  mutating func begin(depth: Int) throws(DocumentError) -> TextPosition {
    self.skipSpace()
    guard depth < self.limits.depth else { throw self.failure("nested deeper than \(self.limits.depth) levels") }
    self.nodes += 1
    guard self.nodes <= self.limits.nodes else { throw self.failure("more than \(self.limits.nodes) values") }
    return self.here
  }

  mutating func finish() throws(DocumentError) {
    self.skipSpace()
    guard self.index == self.bytes.count else { throw self.failure("text after the end of the JSON value") }
  }

  mutating func value(depth: Int) throws(DocumentError) -> Document {
    let position = try self.begin(depth: depth)
    guard let byte = self.next else { throw self.failure("the text ends where a value belongs") }
    switch byte {
    case UInt8(ascii: "{"): return Document(.map(try self.members(depth: depth)), position: position)
    case UInt8(ascii: "["): return Document(.list(try self.elements(depth: depth)), position: position)
    case UInt8(ascii: "\""): return Document(.string(try self.string()), position: position)
    case UInt8(ascii: "t"): try self.word("true"); return Document(.bool(true), position: position)
    case UInt8(ascii: "f"): try self.word("false"); return Document(.bool(false), position: position)
    case UInt8(ascii: "n"): try self.word("null"); return Document(.null, position: position)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return Document(.number(try self.number()), position: position)
    default: throw self.failure("not a JSON value")
    }
  }

  /// Checks a value that is no object and no array.
  mutating func skipScalar() throws(DocumentError) {
    guard let byte = self.next else { throw self.failure("the text ends where a value belongs") }
    switch byte {
    case UInt8(ascii: "\""): try self.skipString()
    case UInt8(ascii: "t"): try self.word("true")
    case UInt8(ascii: "f"): try self.word("false")
    case UInt8(ascii: "n"): try self.word("null")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try self.numberRange()
    default: throw self.failure("not a JSON value")
    }
  }

  private mutating func word(_ word: String) throws(DocumentError) {
    for byte in word.utf8 {
      guard self.take(byte) else { throw self.failure("not a JSON value") }
    }
  }

  /// Enters an object or an array.
  ///
  /// - Returns: false where it is empty, and then it has been left.
  mutating func open(_ opening: UInt8, orClose closing: UInt8) throws(DocumentError) -> Bool {
    guard self.take(opening) else { throw self.failure("not the value that belongs here") }
    self.skipSpace()
    return !self.take(closing)
  }

  /// What stands after a member or an element: a comma, or the end.
  ///
  /// - Returns: whether another one follows.
  mutating func more(before closing: UInt8, _ name: String) throws(DocumentError) -> Bool {
    self.skipSpace()
    if self.take(UInt8(ascii: ",")) { return true }
    guard self.take(closing) else { throw self.failure("a comma or a closing \(name) belongs here") }
    return false
  }

  /// Takes a key and its colon. A key that stands twice in one object is an error.
  mutating func key(_ keys: inout JSONKeys) throws(DocumentError) -> (text: String, position: TextPosition) {
    self.skipSpace()
    let position = self.here
    guard self.next == UInt8(ascii: "\"") else { throw self.failure("a key in double quotes belongs here") }
    let start = self.index + 1
    let key = try self.string()
    guard self.insert(start..<self.index - 1, key, &keys) else {
      throw DocumentError(field: key, position: position, message: "the key stands twice in one object")
    }
    self.skipSpace()
    guard self.take(UInt8(ascii: ":")) else { throw self.failure("a colon belongs after the key") }
    return (key, position)
  }

  /// Begins an object.
  mutating func beginKeys() -> JSONKeys { JSONKeys(start: self.keys.count) }

  /// Forgets the keys of an object that has ended.
  mutating func endKeys(_ keys: JSONKeys) { self.keys.removeSubrange(keys.start...) }

  private mutating func insert(_ place: Range<Int>, _ key: String, _ keys: inout JSONKeys) -> Bool {
    let isPlain = key.utf8.count == place.count
    if keys.set.isEmpty, isPlain, self.keys.count - keys.start < JSONKeys.few {
      for earlier in keys.start..<self.keys.count where self.isSame(self.keys[earlier], place) { return false }
      self.keys.append(place)
      return true
    }
    for earlier in self.keys[keys.start...] { keys.set.insert(Array(self.bytes[earlier])) }
    self.endKeys(keys)
    return keys.set.insert(Array(key.utf8)).inserted
  }

  private func isSame(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
    guard one.count == other.count else { return false }
    for (place, other) in zip(one, other) where self.bytes[place] != self.bytes[other] { return false }
    return true
  }

  private mutating func members(depth: Int) throws(DocumentError) -> [Document.Member] {
    var members: [Document.Member] = []
    var keys = self.beginKeys()
    defer { self.endKeys(keys) }
    guard try self.open(UInt8(ascii: "{"), orClose: UInt8(ascii: "}")) else { return members }
    repeat {
      let (key, position) = try self.key(&keys)
      members.append(Document.Member(key: key, position: position, value: try self.value(depth: depth + 1)))
    } while try self.more(before: UInt8(ascii: "}"), "brace")
    return members
  }

  private mutating func elements(depth: Int) throws(DocumentError) -> [Document] {
    var elements: [Document] = []
    guard try self.open(UInt8(ascii: "["), orClose: UInt8(ascii: "]")) else { return elements }
    repeat {
      elements.append(try self.value(depth: depth + 1))
    } while try self.more(before: UInt8(ascii: "]"), "bracket")
    return elements
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard self.next == byte else { return false }
    self.index += 1
    return true
  }

  private mutating func digits() -> Int {
    let start = self.index
    while let byte = self.next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { self.index += 1 }
    return self.index - start
  }

  private mutating func number() throws(DocumentError) -> String {
    String(decoding: self.bytes[try self.numberRange()], as: UTF8.self)
  }

  /// A whole number of at most 15 digits; nil where the number is another one.
  mutating func count() throws(DocumentError) -> Int? {
    let digits = try self.numberRange()
    guard digits.count <= 15 else { return nil }
    var value = 0
    for byte in self.bytes[digits] {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return value
  }

  private mutating func numberRange() throws(DocumentError) -> Range<Int> {
    let start = self.index
    _ = self.take(UInt8(ascii: "-"))
    let leadingZero = self.next == UInt8(ascii: "0")
    let whole = self.digits()
    guard whole > 0, !(leadingZero && whole > 1) else { throw self.failure("not a JSON number") }
    if self.take(UInt8(ascii: ".")) {
      guard self.digits() > 0 else { throw self.failure("digits belong after the decimal point") }
    }
    if self.take(UInt8(ascii: "e")) || self.take(UInt8(ascii: "E")) {
      if !self.take(UInt8(ascii: "+")) { _ = self.take(UInt8(ascii: "-")) }
      guard self.digits() > 0 else { throw self.failure("digits belong after the exponent mark") }
    }
    guard self.index - start <= 64 else { throw self.failure("a number of more than 64 characters") }
    return start..<self.index
  }

  /// Goes on to the end of a string's plain part: its closing quote, an escape, or what does not belong into it.
  ///
  /// - Returns: Whether all of it is ASCII.
  private mutating func skipPlain() -> Bool {
    var all: UInt8 = 0
    while self.index < self.bytes.count {
      let byte = self.bytes[self.index]
      guard byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 else { break }
      all |= byte
      self.index += 1
    }
    return all < 0x80
  }

  /// Checks a string without making one.
  private mutating func skipString() throws(DocumentError) {
    let start = self.index
    self.index += 1
    if self.skipPlain(), self.take(UInt8(ascii: "\"")) { return }
    self.index = start
    _ = try self.string()
  }

  mutating func string() throws(DocumentError) -> String {
    self.index += 1
    let start = self.index
    let isASCII = self.skipPlain()
    if self.next == UInt8(ascii: "\"") {
      let text = isASCII ? self.ascii(start..<self.index) : try self.utf8(self.bytes[start..<self.index])
      self.index += 1
      return text
    }
    var unescaped = Array(self.bytes[start..<self.index])
    while let byte = self.next {
      switch byte {
      case UInt8(ascii: "\""):
        let text = try self.utf8(unescaped[...])
        self.index += 1
        return text
      case UInt8(ascii: "\\"): try self.escape(into: &unescaped)
      case ..<0x20: throw self.failure("a control character stands unescaped in a string")
      default:
        unescaped.append(byte)
        self.index += 1
      }
    }
    throw self.failure("the text ends inside a string")
  }

  /// Nothing has to be checked of what is ASCII.
  private func ascii(_ place: Range<Int>) -> String { String(decoding: self.bytes[place], as: UTF8.self) }

  private func utf8(_ bytes: ArraySlice<UInt8>) throws(DocumentError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw self.failure("the string is not valid UTF-8") }
    return text
  }

  private mutating func escape(into text: inout [UInt8]) throws(DocumentError) {
    self.index += 1
    guard let byte = self.next else { throw self.failure("the text ends inside a string") }
    self.index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(try self.scalar()).utf8)
    default: throw self.failure("an unknown escape in a string")
    }
  }

  private mutating func scalar() throws(DocumentError) -> Character {
    let first = try self.hexadecimal()
    var code = UInt32(first)
    if first >= 0xD800, first <= 0xDBFF {
      guard self.take(UInt8(ascii: "\\")), self.take(UInt8(ascii: "u")) else {
        throw self.failure("half of a surrogate pair")
      }
      let second = try self.hexadecimal()
      guard second >= 0xDC00, second <= 0xDFFF else { throw self.failure("half of a surrogate pair") }
      code = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw self.failure("half of a surrogate pair") }
    return Character(scalar)
  }

  private mutating func hexadecimal() throws(DocumentError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = self.next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw self.failure("four hexadecimal digits belong after \\u")
      }
      value = value << 4 | UInt16(digit)
      self.index += 1
    }
    return value
  }
}
