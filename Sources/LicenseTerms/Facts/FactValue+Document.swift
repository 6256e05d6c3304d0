public import Documents
internal import GovernanceTypes

extension FactValue {
  /// Reads the value of an attestation for a declared fact: `true`; `5` or `{"upper": 5, "lower": 1}`; amounts as decimal
  /// strings; an element of the declared values; a list of strings; a country code; a date; 64 hexadecimal digits; a text.
  public init(_ document: Document, for declaration: FactDeclaration, path: String = "value") throws(DocumentError) {
    let place = ValuePlace(document: document, path: path)
    switch declaration.type {
    case .bool: self = .bool(try place.bool())
    case .count, .money: self = try place.interval(money: declaration.type == .money)
    case .enum: self = .choice(try place.choice(among: declaration.values))
    case .set: self = .set(try place.set(among: declaration.values))
    case .region: self = .region(try place.region())
    case .date: self = .day(try place.day())
    case .digest: self = .digest(try place.digest())
    case .text: self = .text(try place.text(limit: 4096))
    }
  }
}

/// A value with the place it stands at.
private struct ValuePlace {
  let document: Document
  let path: String

  func failure(_ message: String) -> DocumentError {
    DocumentError(field: self.path, position: self.document.position, message: message)
  }

  func bool() throws(DocumentError) -> Bool {
    guard case .bool(let flag) = self.document.content else { throw self.failure("true or false belongs here") }
    return flag
  }

  func text(limit: Int) throws(DocumentError) -> String {
    guard case .string(let text) = self.document.content else {
      throw self.failure("a string belongs here, not \(self.document.kind)")
    }
    guard text.utf8.count <= limit else { throw self.failure("a string of at most \(limit) bytes belongs here") }
    return text
  }

  func choice(among values: [String]) throws(DocumentError) -> String {
    let text = try self.text(limit: 256)
    guard values.isEmpty || values.contains(text) else {
      let near = nearestName(to: text, among: values).map { "; did you mean '\($0)'?" } ?? ""
      throw self.failure("'\(text)' is none of \(values.joined(separator: ", "))\(near)")
    }
    return text
  }

  func set(among values: [String]) throws(DocumentError) -> [String] {
    guard case .list(let elements) = self.document.content else {
      throw self.failure("a list of strings belongs here, not \(self.document.kind)")
    }
    guard elements.count <= 1000 else { throw self.failure("at most 1000 values are read") }
    var set: Set<String> = []
    for (index, element) in elements.enumerated() {
      set.insert(try ValuePlace(document: element, path: "\(self.path)[\(index)]").choice(among: values))
    }
    return set.sorted()
  }

  func region() throws(DocumentError) -> String {
    guard let code = Regions.country(try self.text(limit: 16)) else {
      throw self.failure("a country code of ISO 3166-1 alpha-2 (DE, US, GB) belongs here")
    }
    return code
  }

  func day() throws(DocumentError) -> CalendarDay {
    guard let day = CalendarDay(try self.text(limit: 32)) else { throw self.failure("a date like 2026-11-23 belongs here") }
    return day
  }

  func digest() throws(DocumentError) -> Digest {
    guard let digest = Digest(hexadecimal: try self.text(limit: 64)) else {
      throw self.failure("a SHA-256 of 64 hexadecimal digits belongs here")
    }
    return digest
  }

  /// A number stands for itself; a map gives one or both ends.
  func interval(money: Bool) throws(DocumentError) -> FactValue {
    guard case .map = self.document.content else {
      let exact = try self.quantity(money: money)
      return .interval(lower: exact, upper: exact)
    }
    var reader = try DocumentReader(self.document, path: self.path)
    let lower = try reader.quantity("lower", money: money)
    let upper = try reader.quantity("upper", money: money)
    try reader.finish()
    guard lower != nil || upper != nil else { throw self.failure("'upper', 'lower' or both belong here") }
    if let lower, let upper, lower > upper { throw self.failure("'lower' is greater than 'upper'") }
    return .interval(lower: lower, upper: upper)
  }

  /// A whole number from 0, or an amount in nano-units from a decimal string.
  func quantity(money: Bool) throws(DocumentError) -> Int128 {
    switch self.document.content {
    case .string(let text) where money:
      guard let amount = NanoAmount(decimal: text), amount >= .zero else {
        throw self.failure("an amount like \"1000000.00\" belongs here, not negative, with at most nine decimals")
      }
      return amount.nano
    case .number(let digits) where money:
      guard let amount = NanoAmount(decimal: digits), amount >= .zero else {
        throw self.failure("an amount like \"1000000.00\" belongs here, not negative, with at most nine decimals")
      }
      return amount.nano
    case .number(let digits):
      guard let count = Int64(digits), count >= 0 else { throw self.failure("a whole number from 0 belongs here") }
      return Int128(count)
    default:
      throw self.failure("\(money ? "an amount as a decimal string" : "a whole number") or a map of bounds belongs here")
    }
  }
}

extension DocumentReader {
  fileprivate mutating func quantity(_ key: String, money: Bool) throws(DocumentError) -> Int128? {
    guard let document = self.document(key) else { return nil }
    return try ValuePlace(document: document, path: self.field(key)).quantity(money: money)
  }
}
