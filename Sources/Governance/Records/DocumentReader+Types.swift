internal import Documents
internal import GovernanceTypes

extension DocumentReader {
  mutating func identifier<Kind>(_ key: String) throws(DocumentError) -> Identifier<Kind> {
    guard let id = try self.optionalIdentifier(key) as Identifier<Kind>? else { throw self.missing(key) }
    return id
  }

  mutating func optionalIdentifier<Kind>(_ key: String) throws(DocumentError) -> Identifier<Kind>? {
    guard let text = try self.optionalString(key) else { return nil }
    guard let id = Identifier<Kind>(text) else { throw self.failure(key, "an id of the form \(Kind.prefix)_… belongs here") }
    return id
  }

  mutating func timestamp(_ key: String) throws(DocumentError) -> Timestamp {
    guard let time = try self.optionalTimestamp(key) else { throw self.missing(key) }
    return time
  }

  mutating func optionalTimestamp(_ key: String) throws(DocumentError) -> Timestamp? {
    guard let text = try self.optionalString(key) else { return nil }
    guard let time = Timestamp(text) else {
      throw self.failure(key, "a date (2026-11-23) or an RFC 3339 time (2026-11-23T09:00:00Z) belongs here")
    }
    return time
  }

  mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String
  ) throws(DocumentError) -> Choice where Choice.RawValue == String {
    let text = try self.string(key)
    guard let choice = Choice(rawValue: text) else { throw self.unknownChoice(key, text, Choice.self) }
    return choice
  }

  mutating func choices<Choice: RawRepresentable & CaseIterable>(
    _ key: String
  ) throws(DocumentError) -> [Choice] where Choice.RawValue == String {
    try self.strings(key).map { (text) throws(DocumentError) in
      guard let choice = Choice(rawValue: text) else { throw self.unknownChoice(key, text, Choice.self) }
      return choice
    }
  }

  private func unknownChoice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, _ text: String, _: Choice.Type
  ) -> DocumentError where Choice.RawValue == String {
    let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    return self.failure(key, "'\(text)' is not one of: \(known)")
  }

  mutating func currency(_ key: String) throws(DocumentError) -> Currency {
    guard let currency = Currency(try self.string(key)) else {
      throw self.failure(key, "three capital letters of ISO 4217 belong here, such as USD")
    }
    return currency
  }

  /// Money as a decimal string. A JSON number is refused: it may have passed through a binary fraction on its way.
  mutating func money(_ key: String, allowsZero: Bool) throws(DocumentError) -> NanoAmount {
    guard let amount = NanoAmount(decimal: try self.string(key)) else {
      throw self.failure(key, "a decimal string with at most nine decimals belongs here, such as \"5.00\"")
    }
    guard amount > .zero || (allowsZero && amount == .zero) else {
      throw self.failure(key, allowsZero ? "must not be negative" : "must be more than zero")
    }
    return amount
  }

  /// A name for people: not empty, at most `most` bytes, without control characters.
  mutating func title(_ key: String, most: Int = 200) throws(DocumentError) -> String {
    let text = try self.string(key)
    guard !text.isEmpty, text.utf8.count <= most, text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
      throw self.failure(key, "a text of 1 to \(most) bytes without control characters belongs here")
    }
    return text
  }

  /// A country of ISO 3166-1 alpha-2, as two capital letters.
  mutating func optionalCountry(_ key: String) throws(DocumentError) -> String? {
    guard let text = try self.optionalString(key) else { return nil }
    guard text.utf8.count == 2, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }) else {
      throw self.failure(key, "two capital letters of ISO 3166-1 belong here, such as DE")
    }
    return text
  }
}
