/// A JSON value to be written.
///
/// There is no floating-point case: money and tokens go out as integers or as decimal strings, scores as ``number(_:)``.
public enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  /// A number by its digits; the caller vouches for their form.
  case number(String)
  case string(String)
  case array([JSON])
  case object([JSONMember])

  /// The text as UTF-8, members in the order given. O(size).
  public var bytes: [UInt8] {
    var writer = JSONWriter(sortsKeys: false)
    writer.reserve()
    writer.write(self)
    return writer.bytes
  }

  /// The canonical text: members sorted by key, no white space. For values made of strings, booleans, null, integers below
  /// 2^53, arrays and objects with ASCII keys this is RFC 8785.
  public var canonicalBytes: [UInt8] {
    var writer = JSONWriter(sortsKeys: true)
    writer.write(self)
    return writer.bytes
  }

  /// Appends the canonical text to bytes that are there already.
  public func appendCanonical(to bytes: inout [UInt8]) {
    var writer = JSONWriter(sortsKeys: true)
    swap(&writer.bytes, &bytes)
    writer.write(self)
    swap(&writer.bytes, &bytes)
  }

  public var text: String { String(decoding: self.bytes, as: UTF8.self) }

  /// The value of a member; nil where there is none or this is no object.
  public subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }
}

public struct JSONMember: Sendable, Equatable {
  public var key: String
  public var value: JSON

  public init(_ key: String, _ value: JSON) {
    self.key = key
    self.value = value
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral {
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(nilLiteral: ()) { self = .null }
}

extension JSON: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(elements.map { JSONMember($0.0, $0.1) })
  }
}

extension JSON {
  /// A string, or null for nil.
  public init(_ text: String?) { self = text.map(JSON.string) ?? .null }

  /// The same tree, without the positions.
  public init(_ document: Document) {
    switch document.content {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .number(let digits): self = .number(digits)
    case .string(let text): self = .string(text)
    case .list(let elements): self = .array(elements.map { JSON($0) })
    case .map(let members): self = .object(members.map { JSONMember($0.key, JSON($0.value)) })
    }
  }
}

struct JSONWriter {
  fileprivate(set) var bytes: [UInt8] = []
  private let sortsKeys: Bool

  init(sortsKeys: Bool) { self.sortsKeys = sortsKeys }

  /// Room for what most texts come to, so that they do not grow into it step by step.
  fileprivate mutating func reserve() { self.bytes.reserveCapacity(1024) }

  mutating func write(_ value: JSON) {
    switch value {
    case .null: self.append("null")
    case .bool(let value): self.append(value ? "true" : "false")
    case .integer(let value): self.append(String(value))
    case .number(let digits): self.append(digits)
    case .string(let text): self.write(string: text)
    case .array(let elements): self.write(array: elements)
    case .object(let members): self.write(object: members)
    }
  }

  private mutating func append(_ text: String) { self.bytes.append(contentsOf: text.utf8) }

  private mutating func write(array elements: [JSON]) {
    self.bytes.append(UInt8(ascii: "["))
    for (index, element) in elements.enumerated() {
      if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
      self.write(element)
    }
    self.bytes.append(UInt8(ascii: "]"))
  }

  private mutating func write(object members: [JSONMember]) {
    let ordered = self.sortsKeys ? members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } : members
    self.bytes.append(UInt8(ascii: "{"))
    for index in ordered.indices {
      if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
      self.write(string: ordered[index].key)
      self.bytes.append(UInt8(ascii: ":"))
      self.write(ordered[index].value)
    }
    self.bytes.append(UInt8(ascii: "}"))
  }

  private mutating func write(string text: String) {
    self.bytes.append(UInt8(ascii: "\""))
    let start = self.bytes.count
    self.bytes.append(contentsOf: text.utf8)
    if !self.isPlain(from: start) {
      self.bytes.removeSubrange(start...)
      self.write(escaped: text)
    }
    self.bytes.append(UInt8(ascii: "\""))
  }

  private func isPlain(from start: Int) -> Bool {
    for index in start..<self.bytes.count {
      let byte = self.bytes[index]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return false }
    }
    return true
  }

  private mutating func write(escaped text: String) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): self.append("\\\"")
      case UInt8(ascii: "\\"): self.append("\\\\")
      case 0x08: self.append("\\b")
      case 0x09: self.append("\\t")
      case 0x0A: self.append("\\n")
      case 0x0C: self.append("\\f")
      case 0x0D: self.append("\\r")
      case ..<0x20:
        let digits = Array("0123456789abcdef".utf8)
        self.append("\\u00")
        self.bytes.append(digits[Int(byte >> 4)])
        self.bytes.append(digits[Int(byte & 15)])
      default: self.bytes.append(byte)
      }
    }
  }
}
