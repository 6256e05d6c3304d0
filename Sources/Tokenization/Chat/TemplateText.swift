internal import Documents

/// Texts as chat templates write them: trimmed, and JSON as Python's `json.dumps` does with `ensure_ascii` off.
enum TemplateText {
  /// The text without white space at its ends, as Python's `str.strip` sees it: Unicode's, and the four separators of ASCII.
  static func trimmed(_ text: String) -> String {
    let isSpace = { (scalar: Unicode.Scalar) in
      scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isSpace($0) }), let last = scalars.lastIndex(where: { !isSpace($0) }) else {
      return ""
    }
    return String(scalars[first...last])
  }

  /// - Parameter indent: spaces a level, each element on its own line; nil writes one line.
  static func json(_ document: Document, indent: Int? = nil, level: Int = 0) -> String {
    switch document.content {
    case .list(let elements) where !elements.isEmpty:
      self.bracketed("[", elements.map { self.json($0, indent: indent, level: level + 1) }, "]", indent, level)
    case .map(let members) where !members.isEmpty:
      self.bracketed(
        "{",
        members.map { "\(JSON.string($0.key).text): \(self.json($0.value, indent: indent, level: level + 1))" }, "}", indent,
        level)
    default: JSON(document).text
    }
  }

  private static func bracketed(_ open: String, _ parts: [String], _ close: String, _ indent: Int?, _ level: Int) -> String {
    guard let indent else { return open + parts.joined(separator: ", ") + close }
    let inner = "\n" + String(repeating: " ", count: indent * (level + 1))
    return open + inner + parts.joined(separator: "," + inner) + "\n" + String(repeating: " ", count: indent * level) + close
  }

  static func parsed(_ text: String, message index: Int, _ what: String) throws(ChatTemplateError) -> Document {
    do {
      return try Document.parseJSON(Array(text.utf8))
    } catch {
      throw ChatTemplateError(.malformedJSON, messageIndex: index, message: "\(what) must be JSON: \(error)")
    }
  }

  /// A tool in the form of OpenAI's API, as templates show it.
  static func tool(_ tool: ChatTool) throws(ChatTemplateError) -> Document {
    let node = { (content: Document.Content) in Document(content, position: .start) }
    let member = { (key: String, value: Document) in Document.Member(key: key, position: .start, value: value) }
    var function = [member("name", node(.string(tool.name)))]
    if let description = tool.description { function.append(member("description", node(.string(description)))) }
    if let parameters = tool.parameters {
      function.append(member("parameters", try self.parsed(parameters, message: 0, "The parameters of the tool \(tool.name)")))
    }
    return node(.map([member("type", node(.string("function"))), member("function", node(.map(function)))]))
  }
}
