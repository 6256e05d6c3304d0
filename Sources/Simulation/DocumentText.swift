internal import Documents
internal import Governance
internal import GovernanceTypes

enum DocumentText {
  /// An entry as the log would write it, without its place.
  static func object(_ entry: LogEntry) -> JSON {
    .object([JSONMember("type", .string(entry.type.rawValue)), JSONMember("at", .string(entry.at.description))] + entry.fields)
  }
}

extension StoredObject.Kind {
  /// Objects that others name come first.
  var loadOrder: Int { StoredObject.Kind.allCases.firstIndex(of: self) ?? 0 }
}
