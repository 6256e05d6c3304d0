internal import Documents
internal import Yams

/// Turns the library's nodes into documents, refusing what the house does not read.
struct NodeReader {
  private let masked: MaskedText
  private let limits: YAMLLimits
  private var nodes = 0

  init(masked: MaskedText, limits: YAMLLimits) {
    self.masked = masked
    self.limits = limits
  }

  mutating func document(_ node: Node, depth: Int, field: String) throws(DocumentError) -> Document {
    let position = TextPosition(node.mark)
    self.nodes += 1
    guard self.nodes <= self.limits.nodes else {
      throw DocumentError(position: position, message: "more than \(self.limits.nodes) values")
    }
    guard depth < self.limits.depth else {
      throw DocumentError(field: field, position: position, message: "nested deeper than \(self.limits.depth) levels")
    }
    if node.anchor != nil {
      throw DocumentError(field: field, position: position, message: "anchors (&name) are not read; write the value out")
    }
    switch node {
    case .scalar(let scalar): return Document(try self.content(scalar, field: field, at: position), position: position)
    case .sequence(let sequence):
      try self.refuseTag(sequence.tag, unless: "", field: field, at: position)
      return Document(.list(try self.elements(sequence, depth: depth, field: field)), position: position)
    case .mapping(let mapping):
      try self.refuseTag(mapping.tag, unless: "", field: field, at: position)
      return Document(.map(try self.members(mapping, depth: depth, field: field)), position: position)
    case .alias: throw self.alias(field: field, at: position)
    }
  }

  private mutating func elements(_ sequence: Node.Sequence, depth: Int, field: String) throws(DocumentError) -> [Document] {
    var elements: [Document] = []
    elements.reserveCapacity(sequence.count)
    for (index, node) in sequence.enumerated() {
      elements.append(try self.document(node, depth: depth + 1, field: "\(field)[\(index)]"))
    }
    return elements
  }

  private mutating func members(_ mapping: Node.Mapping, depth: Int, field: String) throws(DocumentError) -> [Document.Member] {
    var members: [Document.Member] = []
    members.reserveCapacity(mapping.count)
    var keys: Set<String> = []
    for (node, value) in mapping {
      let position = TextPosition(node.mark)
      let key = try self.key(node, field: field, at: position)
      let inner = field.isEmpty ? key : "\(field).\(key)"
      guard keys.insert(key).inserted else {
        throw DocumentError(field: inner, position: position, message: "the key stands twice in one map")
      }
      let content = try self.document(value, depth: depth + 1, field: inner)
      members.append(Document.Member(key: key, position: position, value: content))
    }
    return members
  }

  private func key(_ node: Node, field: String, at position: TextPosition) throws(DocumentError) -> String {
    guard case .scalar(let scalar) = node else {
      throw DocumentError(field: field, position: position, message: "a key must be a string, not a list or a map")
    }
    if scalar.anchor != nil {
      throw DocumentError(field: field, position: position, message: "anchors (&name) are not read; write the value out")
    }
    let content = try self.content(scalar, isKey: true, field: field, at: position)
    guard case .string(let key) = content else {
      throw DocumentError(field: field, position: position, message: "a key must be a string; put '\(scalar.string)' in quotes")
    }
    if key == "<<", scalar.style == .plain {
      throw DocumentError(field: field, position: position, message: "merge keys (<<) are not read; write the members out")
    }
    return key
  }

  private func content(
    _ scalar: Node.Scalar, isKey: Bool = false, field: String, at position: TextPosition
  ) throws(DocumentError) -> Document.Content {
    let standard = isKey || scalar.style != .plain ? "tag:yaml.org,2002:str" : ""
    try self.refuseTag(scalar.tag, unless: standard, field: field, at: position)
    guard scalar.style == .plain else { return .string(self.masked.restored(scalar.string)) }
    if self.masked.beginsWithAsterisk(scalar.string) { throw self.alias(field: field, at: position) }
    do {
      return try CoreSchema.content(of: self.masked.restored(scalar.string))
    } catch {
      throw DocumentError(field: field, position: position, message: error.message)
    }
  }

  /// Refuses a tag that the text wrote. The library writes `standard` itself: for every quoted scalar, and for keys, where
  /// comparing them replaces "no tag".
  private func refuseTag(_ tag: Tag, unless standard: String, field: String, at position: TextPosition) throws(DocumentError) {
    let name = tag.description
    if name.isEmpty || name == standard { return }
    throw DocumentError(
      field: field, position: position,
      message: "tags are not read; remove '\(self.masked.restored(name))' and quote the value if it is a text")
  }

  private func alias(field: String, at position: TextPosition) -> DocumentError {
    DocumentError(field: field, position: position, message: "aliases (*name) are not read; write the value out, or quote it")
  }
}

extension TextPosition {
  init(_ mark: Mark?) {
    self = mark.map { TextPosition(line: max(1, $0.line), column: max(1, $0.column)) } ?? .start
  }
}

extension DocumentError {
  /// What the library refused, in our form.
  init(_ error: any Error, masked: MaskedText) {
    guard let error = error as? YamlError else {
      self.init(position: .start, message: "the text is not YAML")
      return
    }
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
      let place = context.map { " (\(masked.restored($0.text)))" } ?? ""
      self.init(position: TextPosition(mark), message: "not YAML: \(masked.restored(problem))\(place)")
    case .composer(_, let problem, let mark, _):
      let message = problem.contains("another document") ? "only one document is read" : problem
      self.init(position: TextPosition(mark), message: message)
    case .duplicatedKeysInMapping(let keys, let context):
      let key = masked.restored(keys.first ?? "")
      self.init(field: key, position: TextPosition(context.mark), message: "the key stands twice in one map")
    case .reader(let problem, let offset, _, let text):
      self.init(position: TextPosition(offset: offset ?? 0, in: text), message: "not YAML: \(problem)")
    case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
      self.init(position: .start, message: "the text could not be read as YAML")
    }
  }
}

extension TextPosition {
  fileprivate init(offset: Int, in text: String) {
    let before = text.utf8.prefix(max(0, offset))
    let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
    let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
    self.init(line: line, column: column)
  }
}
