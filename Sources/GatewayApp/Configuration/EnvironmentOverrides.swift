internal import Documents

/// Values from the environment that replace those of the file: `WEIGHBRIDGE_SERVER_LISTEN` sets `server.listen`.
///
/// A variable that names no section is not ours; one that names a section and an unknown key is refused like a key in the file,
/// by the reader that comes after.
struct EnvironmentOverrides {
  private static let sections = [
    "server", "data", "store", "operator", "policies", "limits", "engine", "log", "telemetry", "audit",
  ]
  /// Variables with our prefix that are no configuration keys.
  private static let others = [
    "WEIGHBRIDGE_ADMIN_KEY", "WEIGHBRIDGE_URL", "WEIGHBRIDGE_ISA", "WEIGHBRIDGE_SHARED", "WEIGHBRIDGE_SHARE",
    KeyPassphrase.variable,
  ]
  private var values: [(section: String, key: String, text: String)] = []

  init(_ environment: [String: String]) {
    for (name, text) in environment.sorted(by: { $0.key < $1.key })
    where name.hasPrefix("WEIGHBRIDGE_") && !Self.others.contains(name) {
      let rest = name.dropFirst("WEIGHBRIDGE_".count).lowercased()
      guard let section = Self.sections.first(where: { rest.hasPrefix($0 + "_") }) else { continue }
      self.values.append((section, String(rest.dropFirst(section.count + 1)), text))
    }
  }

  func apply(to document: Document) throws(DocumentError) -> Document {
    guard case .map(var members) = document.content else { return document }
    for value in self.values {
      let index = members.firstIndex { $0.key == value.section }
      let section = index.map { members[$0].value } ?? Document(.map([]), position: document.position)
      let changed = Document.Member(
        key: value.section, position: section.position, value: try Self.set(value.key, value.text, in: section))
      if let index { members[index] = changed } else { members.append(changed) }
    }
    return Document(.map(members), position: document.position)
  }

  private static func set(_ key: String, _ text: String, in section: Document) throws(DocumentError) -> Document {
    guard case .map(let members) = section.content else { return section }
    let content: Document.Content
    if Int(text) != nil {
      content = .number(text)
    } else if text == "true" || text == "false" {
      content = .bool(text == "true")
    } else {
      content = .string(text)
    }
    let member = Document.Member(key: key, position: section.position, value: Document(content, position: section.position))
    return Document(.map(members.filter { $0.key != key } + [member]), position: section.position)
  }
}
