// Documents: text trees that come from outside (JSON bodies, YAML files) as values with positions, read strictly; JSON written.
// Holds the tree, a bounded JSON parser, a strict reader that leaves no key unread, and a writer with a canonical form.
// It must never know what any document means, and never open a file.

/// A node of a JSON or YAML text, with the place where it stood.
public struct Document: Sendable {
  public enum Content: Sendable {
    case null
    case bool(Bool)
    /// The digits as written: nothing is lost to a binary fraction.
    case number(String)
    case string(String)
    case list([Document])
    /// Members in the order of the text; keys are unique.
    case map([Member])
  }

  public struct Member: Sendable {
    public let key: String
    public let position: TextPosition
    public let value: Document

    public init(key: String, position: TextPosition, value: Document) {
      self.key = key
      self.position = position
      self.value = value
    }
  }

  public let content: Content
  public let position: TextPosition

  public init(_ content: Content, position: TextPosition) {
    self.content = content
    self.position = position
  }

  /// What kind of node this is, in the words of an error message.
  public var kind: String {
    switch self.content {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .list: "a list"
    case .map: "a map"
    }
  }

  /// The value of a member of a map; nil where there is none or this is no map. O(members).
  public subscript(key: String) -> Document? {
    guard case .map(let members) = self.content else { return nil }
    return members.first { $0.key == key }?.value
  }
}

/// A place in a text, counted from 1.
public struct TextPosition: Sendable, Hashable {
  public var line: Int
  public var column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  public static let start = TextPosition(line: 1, column: 1)
}

/// A text that cannot be read, or that says something its reader does not accept.
public struct DocumentError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The field, as a path (`models[0].terms`); empty for the text as a whole.
  public var field: String
  public var position: TextPosition
  public var message: String

  public init(field: String = "", position: TextPosition, message: String) {
    self.field = field
    self.position = position
    self.message = message
  }

  public var description: String {
    let place = "line \(self.position.line), column \(self.position.column)"
    return self.field.isEmpty ? "\(place): \(self.message)" : "\(place): \(self.field): \(self.message)"
  }
}
