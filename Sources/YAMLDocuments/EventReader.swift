internal import Documents

/// Builds the tree of one text from its events, refusing what the house does not read.
struct EventReader: ~Copyable {
  private var events: YAMLEvents
  private let limits: YAMLLimits
  private var nodes = 0
  /// The way from the root to the node that is read, for errors.
  private var path: [Step] = []

  private enum Step {
    case key(String)
    case index(Int)
  }

  init(_ text: UnsafeBufferPointer<UInt8>, limits: YAMLLimits) throws(DocumentError) {
    self.events = try YAMLEvents(text)
    self.limits = limits
  }

  /// The one document of the text.
  mutating func document() throws(DocumentError) -> Document {
    _ = try self.events.next()
    guard try self.events.next() == .documentStart else {
      throw DocumentError(position: .start, message: "the text holds no document")
    }
    let document = try self.node(try self.events.next())
    _ = try self.events.next()
    guard try self.events.next() == .streamEnd else {
      throw DocumentError(position: self.events.position, message: "only one document is read")
    }
    return document
  }

  private mutating func node(_ kind: YAMLEvents.Kind) throws(DocumentError) -> Document {
    let position = self.events.position
    self.nodes += 1
    guard self.nodes <= self.limits.nodes else {
      throw DocumentError(position: position, message: "more than \(self.limits.nodes) values")
    }
    guard self.path.count < self.limits.depth else {
      throw self.failure(at: position, "nested deeper than \(self.limits.depth) levels")
    }
    try self.refuseProperties(at: position)
    switch kind {
    case .scalar: return Document(try self.content(at: position), position: position)
    case .sequenceStart: return Document(.list(try self.elements()), position: position)
    case .mappingStart: return Document(.map(try self.members()), position: position)
    case .alias: throw DocumentError(aliasAt: position, field: self.field)
    case .mappingEnd, .sequenceEnd, .documentStart, .documentEnd, .streamStart, .streamEnd, .nothing:
      throw self.failure(at: position, "not YAML: a value belongs here")
    }
  }

  private mutating func elements() throws(DocumentError) -> [Document] {
    var elements: [Document] = []
    while true {
      let kind = try self.events.next()
      guard kind != .sequenceEnd else { return elements }
      self.path.append(.index(elements.count))
      elements.append(try self.node(kind))
      self.path.removeLast()
    }
  }

  private mutating func members() throws(DocumentError) -> [Document.Member] {
    var members: [Document.Member] = []
    var keys: Set<String> = []
    while true {
      let kind = try self.events.next()
      guard kind != .mappingEnd else { return members }
      let position = self.events.position
      let key = try self.key(kind, at: position)
      self.path.append(.key(key))
      guard self.isNew(key, members, &keys) else { throw self.failure(at: position, "the key stands twice in one map") }
      members.append(Document.Member(key: key, position: position, value: try self.node(try self.events.next())))
      self.path.removeLast()
    }
  }

  /// Small maps are looked through, large ones have a set.
  private func isNew(_ key: String, _ members: [Document.Member], _ keys: inout Set<String>) -> Bool {
    guard members.count >= 16 else { return !members.contains { $0.key == key } }
    if keys.isEmpty { keys = Set(members.map(\.key)) }
    return keys.insert(key).inserted
  }

  private mutating func key(_ kind: YAMLEvents.Kind, at position: TextPosition) throws(DocumentError) -> String {
    guard kind != .alias else { throw DocumentError(aliasAt: position, field: self.field) }
    guard kind == .scalar else { throw self.failure(at: position, "a key must be a string, not a list or a map") }
    try self.refuseProperties(at: position)
    let isPlain = self.events.isPlain
    guard case .string(let key) = try self.content(at: position) else {
      throw self.failure(at: position, "a key must be a string; put '\(self.events.string)' in quotes")
    }
    if key == "<<", isPlain { throw self.failure(at: position, "merge keys (<<) are not read; write the members out") }
    return key
  }

  private func content(at position: TextPosition) throws(DocumentError) -> Document.Content {
    guard self.events.isPlain, CoreSchema.mayResolve(self.events.firstByte) else { return .string(self.events.string) }
    do {
      return try CoreSchema.content(of: self.events.string)
    } catch {
      throw self.failure(at: position, error.message)
    }
  }

  private func refuseProperties(at position: TextPosition) throws(DocumentError) {
    if self.events.hasAnchor {
      throw self.failure(at: position, "anchors (&name) are not read; write the value out")
    }
    if let tag = self.events.tag {
      throw self.failure(at: position, "tags are not read; remove '\(tag)' and quote the value if it is a text")
    }
  }

  private func failure(at position: TextPosition, _ message: String) -> DocumentError {
    DocumentError(field: self.field, position: position, message: message)
  }

  private var field: String {
    var field = ""
    for step in self.path {
      switch step {
      case .key(let key): field += field.isEmpty ? key : ".\(key)"
      case .index(let index): field += "[\(index)]"
      }
    }
    return field
  }
}
