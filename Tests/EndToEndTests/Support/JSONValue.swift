internal import Foundation

/// A JSON value to look into; what is not there is null.
enum JSONValue: Decodable, Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
      // Each kind is tried in turn: a failure is the answer "not this one".
    } else if let flag = try? container.decode(Bool.self) {
      self = .bool(flag)
    } else if let integer = try? container.decode(Int.self) {
      self = .integer(integer)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let elements = try? container.decode([JSONValue].self) {
      self = .array(elements)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  init(_ bytes: some Sequence<UInt8>) throws { self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes)) }

  init(_ text: String) throws { try self.init(text.utf8) }

  subscript(_ key: String) -> JSONValue {
    if case .object(let members) = self { return members[key] ?? .null }
    return .null
  }

  subscript(_ index: Int) -> JSONValue {
    let elements = self.elements
    return elements.indices.contains(index) ? elements[index] : .null
  }

  var elements: [JSONValue] {
    if case .array(let elements) = self { return elements }
    return []
  }

  /// The names of an object's members.
  var keys: Set<String> {
    if case .object(let members) = self { return Set(members.keys) }
    return []
  }

  var string: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  /// Seconds since 1970, of an instant.
  var seconds: Int? {
    let reader = ISO8601DateFormatter()
    reader.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
    return self.string.flatMap { reader.date(from: $0) }.map { Int($0.timeIntervalSince1970) }
  }

  var integer: Int? {
    switch self {
    case .integer(let number): number
    case .string(let digits): Int(digits)
    default: nil
    }
  }

  /// A decimal amount as a string, in nano-units.
  var nano: Int? { self.string.flatMap(nanoUnits) }
}

/// `"0.00048"` as 480,000 nano-units; nil for anything but digits with at most nine behind the point.
func nanoUnits(_ text: String) -> Int? {
  let parts = text.split(separator: ".", omittingEmptySubsequences: false)
  guard (1...2).contains(parts.count), let whole = Int(parts[0]) else { return nil }
  let fraction = parts.count == 2 ? String(parts[1]) : ""
  guard fraction.count <= 9, let nano = Int(fraction.padding(toLength: 9, withPad: "0", startingAt: 0)) else { return nil }
  return whole * 1_000_000_000 + nano
}

/// Nano-units as a decimal amount.
func decimal(nano: Int) -> String {
  let fraction = String(nano % 1_000_000_000)
  return "\(nano / 1_000_000_000)." + String(repeating: "0", count: 9 - fraction.count) + fraction
}

/// A text as a JSON string.
func quoted(_ text: String) throws -> String { String(decoding: try JSONEncoder().encode(text), as: UTF8.self) }
