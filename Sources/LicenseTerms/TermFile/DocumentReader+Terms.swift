import Documents
import GovernanceTypes

extension DocumentReader {
  /// An error at the map itself.
  func failureHere(_ message: String) -> DocumentError {
    DocumentError(field: self.path, position: self.position, message: message)
  }

  /// A value of a string enumeration; nil where the member is absent.
  mutating func optionalChoice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, of type: Choice.Type = Choice.self
  ) throws(DocumentError) -> Choice? where Choice.RawValue == String {
    guard let text = try self.optionalString(key) else { return nil }
    return try self.choice(text, key, of: type)
  }

  mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, of type: Choice.Type = Choice.self
  ) throws(DocumentError) -> Choice where Choice.RawValue == String {
    try self.choice(try self.string(key), key, of: type)
  }

  mutating func choices<Choice: RawRepresentable & CaseIterable & Hashable>(
    _ key: String, of type: Choice.Type = Choice.self
  ) throws(DocumentError) -> Set<Choice> where Choice.RawValue == String {
    var choices: Set<Choice> = []
    for text in try self.strings(key) {
      let choice = try self.choice(text, key, of: type)
      guard choices.insert(choice).inserted else { throw self.failure(key, "'\(text)' stands twice") }
    }
    return choices
  }

  private func choice<Choice: RawRepresentable & CaseIterable>(
    _ text: String, _ key: String, of type: Choice.Type
  ) throws(DocumentError) -> Choice where Choice.RawValue == String {
    if let choice = Choice(rawValue: text) { return choice }
    let all = type.allCases.map(\.rawValue)
    let near = nearestName(to: text, among: all).map { "; did you mean '\($0)'?" } ?? ""
    throw self.failure(key, "'\(text)' is none of \(all.joined(separator: ", "))\(near)")
  }

  mutating func optionalDay(_ key: String) throws(DocumentError) -> CalendarDay? {
    guard let text = try self.optionalString(key) else { return nil }
    guard let day = CalendarDay(text) else { throw self.failure(key, "a date like 2026-11-23 belongs here") }
    return day
  }

  mutating func day(_ key: String) throws(DocumentError) -> CalendarDay {
    guard let day = try self.optionalDay(key) else { throw self.failure(key, "is missing") }
    return day
  }

  mutating func digest(_ key: String) throws(DocumentError) -> Digest {
    guard let digest = Digest(hexadecimal: try self.string(key)) else {
      throw self.failure(key, "a SHA-256 of 64 hexadecimal digits belongs here")
    }
    return digest
  }

  /// A name that may stand in codes, keys and labels: letters, digits, `.`, `-`, `_`, at most 64.
  mutating func name(_ key: String) throws(DocumentError) -> String {
    let name = try self.string(key)
    guard isName(name) else { throw self.failure(key, nameRule) }
    return name
  }

  /// Strings of which none stands twice.
  mutating func uniqueStrings(_ key: String) throws(DocumentError) -> [String] {
    let strings = try self.strings(key)
    if strings.count <= 8 {
      for (index, string) in strings.enumerated() where strings[..<index].contains(string) {
        throw self.failure(key, "'\(string)' stands twice")
      }
      return strings
    }
    var seen: Set<String> = []
    for string in strings where !seen.insert(string).inserted { throw self.failure(key, "'\(string)' stands twice") }
    return strings
  }

  /// A text, a number or a boolean, as text.
  mutating func optionalScalarText(_ key: String) throws(DocumentError) -> String? {
    guard let value = self.document(key) else { return nil }
    switch value.content {
    case .string(let text), .number(let text): return text
    case .bool(let flag): return flag ? "true" : "false"
    case .null, .list, .map: throw self.failure(key, "a single value belongs here, not \(value.kind)")
    }
  }
}

let nameRule = "a name has 1 to 64 letters, digits, '.', '-' or '_'"

func isName(_ text: String) -> Bool {
  (1...64).contains(text.utf8.count)
    && text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
}
