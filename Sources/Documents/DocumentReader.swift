/// Reads the members of one map, each by name and type, and refuses what nobody read.
///
/// Ask for every member the format knows, then call ``finish()``: a member that was not asked for is an error that suggests
/// the nearest name. A member that is null counts as absent.
public struct DocumentReader: Sendable {
  public let path: String
  public let position: TextPosition
  private let members: [Document.Member]
  /// Which members were asked for.
  private var isRead: [Bool]
  private var unread: Int
  /// Names asked for in vain while members were unread: what those may have been meant for.
  private var absent: [String] = []

  /// - Throws: ``DocumentError`` where `document` is no map.
  public init(_ document: Document, path: String = "") throws(DocumentError) {
    guard case .map(let members) = document.content else {
      throw DocumentError(field: path, position: document.position, message: "a map belongs here, not \(document.kind)")
    }
    self.path = path
    self.position = document.position
    self.members = members
    self.isRead = [Bool](repeating: false, count: members.count)
    self.unread = members.count
  }

  /// The names of all members, in the order of the text.
  public var keys: [String] { self.members.map(\.key) }

  /// Whether there is such a member. O(members).
  public func has(_ key: String) -> Bool { self.index(of: key) != nil }

  private func index(of key: String) -> Int? {
    let length = key.utf8.count
    for index in self.members.indices where self.members[index].key.utf8.count == length {
      if self.members[index].key == key { return index }
    }
    return nil
  }

  public func field(_ key: String) -> String { self.path.isEmpty ? key : "\(self.path).\(key)" }

  /// An error at a member, or at the map where the member is absent.
  public func failure(_ key: String, _ message: String) -> DocumentError {
    DocumentError(
      field: self.field(key), position: self.index(of: key).map { self.members[$0].value.position } ?? self.position,
      message: message)
  }

  public mutating func document(_ key: String) -> Document? {
    guard let index = self.index(of: key) else {
      if self.unread > 0 { self.absent.append(key) }
      return nil
    }
    if !self.isRead[index] {
      self.isRead[index] = true
      self.unread -= 1
    }
    if case .null = self.members[index].value.content { return nil }
    return self.members[index].value
  }

  public mutating func required(_ key: String) throws(DocumentError) -> Document {
    guard let value = self.document(key) else { throw self.missing(key) }
    return value
  }

  /// An error for a member that is not there; it points out a key that may have been meant for it.
  public func missing(_ key: String) -> DocumentError {
    let unread = zip(self.members, self.isRead).filter { !$1 }.map(\.0.key)
    guard let near = nearestName(to: key, among: unread) else { return self.failure(key, "is missing") }
    let position = self.index(of: near).map { self.members[$0].position } ?? self.position
    return DocumentError(field: self.field(near), position: position, message: "is not a known key; did you mean '\(key)'?")
  }

  public mutating func optionalString(_ key: String) throws(DocumentError) -> String? {
    guard let value = self.document(key) else { return nil }
    guard case .string(let text) = value.content else {
      throw self.failure(key, "a string belongs here, not \(value.kind)")
    }
    return text
  }

  public mutating func string(_ key: String) throws(DocumentError) -> String {
    _ = try self.required(key)
    return try self.optionalString(key) ?? ""
  }

  public mutating func optionalBool(_ key: String) throws(DocumentError) -> Bool? {
    guard let value = self.document(key) else { return nil }
    guard case .bool(let flag) = value.content else {
      throw self.failure(key, "true or false belongs here, not \(value.kind)")
    }
    return flag
  }

  /// A whole number within `range`, given as a number.
  public mutating func optionalInteger(_ key: String, in range: ClosedRange<Int>) throws(DocumentError) -> Int? {
    guard let value = self.document(key) else { return nil }
    guard case .number(let digits) = value.content, let number = Int(digits) else {
      throw self.failure(key, "a whole number belongs here")
    }
    guard range.contains(number) else {
      throw self.failure(key, "is \(number); it must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  public mutating func integer(_ key: String, in range: ClosedRange<Int>) throws(DocumentError) -> Int {
    guard let number = try self.optionalInteger(key, in: range) else { throw self.missing(key) }
    return number
  }

  /// The elements of a list with their paths; empty where the member is absent.
  public mutating func list(_ key: String) throws(DocumentError) -> [(path: String, value: Document)] {
    guard let value = self.document(key) else { return [] }
    guard case .list(let elements) = value.content else {
      throw self.failure(key, "a list belongs here, not \(value.kind)")
    }
    let field = self.field(key)
    return elements.enumerated().map { ("\(field)[\($0.offset)]", $0.element) }
  }

  public mutating func strings(_ key: String) throws(DocumentError) -> [String] {
    guard let value = self.document(key) else { return [] }
    guard case .list(let elements) = value.content else {
      throw self.failure(key, "a list belongs here, not \(value.kind)")
    }
    var strings: [String] = []
    strings.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
      guard case .string(let text) = element.content else {
        throw DocumentError(
          field: "\(self.field(key))[\(index)]", position: element.position,
          message: "a string belongs here, not \(element.kind)")
      }
      strings.append(text)
    }
    return strings
  }

  public mutating func optionalReader(_ key: String) throws(DocumentError) -> DocumentReader? {
    guard let value = self.document(key) else { return nil }
    return try DocumentReader(value, path: self.field(key))
  }

  public mutating func reader(_ key: String) throws(DocumentError) -> DocumentReader {
    try DocumentReader(try self.required(key), path: self.field(key))
  }

  /// Refuses members that were not asked for, naming the nearest known name.
  public func finish() throws(DocumentError) {
    guard let index = self.isRead.firstIndex(of: false) else { return }
    let known = Set(self.absent).union(zip(self.members, self.isRead).filter(\.1).map(\.0.key))
    let member = self.members[index]
    let near = nearestName(to: member.key, among: known).map { "; did you mean '\($0)'?" } ?? ""
    throw DocumentError(field: self.field(member.key), position: member.position, message: "is not a known key\(near)")
  }
}

/// The candidate with the smallest edit distance, where that is at most a third of the name's length (at least 1).
/// O(candidates × length²).
public func nearestName(to name: String, among candidates: some Collection<String>) -> String? {
  let limit = max(1, name.utf8.count / 3)
  let ranked = candidates.map { (distance: editDistance(name, $0), name: $0) }
  return ranked.filter { $0.distance <= limit }.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
}

/// Levenshtein distance in bytes.
func editDistance(_ first: String, _ second: String) -> Int {
  let left = Array(first.utf8.prefix(64))
  let right = Array(second.utf8.prefix(64))
  var row = Array(0...right.count)
  for (index, byte) in left.enumerated() {
    var diagonal = row[0]
    row[0] = index + 1
    for column in right.indices {
      let replaced = diagonal + (byte == right[column] ? 0 : 1)
      diagonal = row[column + 1]
      row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
    }
  }
  return row[right.count]
}
