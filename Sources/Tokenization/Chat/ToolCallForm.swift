internal import Documents

/// How a model writes calls of tools into its text.
public enum ToolCallForm: Sendable, Equatable {
  /// The whole text is one JSON object with `name` and the arguments' key.
  case object(arguments: String)
  /// Such objects between tags, any number of them, at the end of the text.
  case tagged(open: String, close: String, arguments: String)

  /// The calls of a text that is nothing but calls; nil where it is not, or where one is of none of these tools.
  public func calls(in text: String, tools: Set<String>) -> [ChatCall]? {
    switch self {
    case .object(let key): return self.call(text, key, tools).map { [$0] }
    case .tagged(let open, let close, let key):
      var calls: [ChatCall] = []
      var rest = Substring(TemplateText.trimmed(text))
      while !rest.isEmpty {
        guard rest.hasPrefix(open) else { return nil }
        rest = rest.dropFirst(open.count)
        // A text that the model ended without the closing tag is taken as it stands.
        let end = rest.firstRange(of: close)
        guard let call = self.call(String(rest[..<(end?.lowerBound ?? rest.endIndex)]), key, tools) else { return nil }
        calls.append(call)
        rest = Substring(TemplateText.trimmed(String(rest[(end?.upperBound ?? rest.endIndex)...])))
      }
      return calls.isEmpty ? nil : calls
    }
  }

  private func call(_ text: String, _ key: String, _ tools: Set<String>) -> ChatCall? {
    // A text that is no JSON is no call: it is shown as it is, so nothing is lost with the error.
    guard let object = try? Document.parseJSON(Array(TemplateText.trimmed(text).utf8)),
      case .string(let name)? = object["name"]?.content,
      tools.contains(name)
    else { return nil }
    switch object[key]?.content {
    case .map: return object[key].map { ChatCall(name: name, arguments: JSON($0).text) }
    case nil: return ChatCall(name: name, arguments: "{}")
    default: return nil
    }
  }
}

/// Shows a text as it streams, but for what may be a call.
public struct ToolCallFilter: Sendable {
  private let form: ToolCallForm
  private let tools: Set<String>
  /// Not shown yet.
  private var held = ""
  private var state = State.undecided

  private enum State { case undecided, text, call }

  public init(_ form: ToolCallForm, tools: Set<String>) {
    self.form = form
    self.tools = tools
  }

  /// What of the text can be shown.
  public mutating func append(_ text: String) -> String {
    self.held += text
    switch self.form {
    case .object:
      if self.state == .undecided, let first = self.held.unicodeScalars.first(where: { !$0.properties.isWhitespace }) {
        self.state = first == "{" ? .call : .text
      }
      return self.state == .text ? self.release(self.held.endIndex) : ""
    case .tagged(let open, _, _):
      guard self.state != .call else { return "" }
      if let start = self.held.firstRange(of: open)?.lowerBound {
        self.state = .call
        return self.release(start)
      }
      return self.release(self.possibleStart(of: open))
    }
  }

  /// What is left at the end: calls, or text that turned out to be none.
  public mutating func finish() -> (text: String, calls: [ChatCall]) {
    let rest = self.release(self.held.endIndex)
    guard self.state == .call, let calls = self.form.calls(in: rest, tools: self.tools) else { return (rest, []) }
    return ("", calls)
  }

  private mutating func release(_ end: String.Index) -> String {
    let text = String(self.held[..<end])
    self.held.removeSubrange(..<end)
    return text
  }

  /// Where the longest end of the text begins with which the tag may begin.
  private func possibleStart(of tag: String) -> String.Index {
    let text = Array(self.held.utf8)
    let tag = Array(tag.utf8)
    for length in stride(from: min(tag.count - 1, text.count), to: 0, by: -1)
    where text.suffix(length).elementsEqual(tag.prefix(length)) {
      return self.held.utf8.index(self.held.endIndex, offsetBy: -length)
    }
    return self.held.endIndex
  }
}
