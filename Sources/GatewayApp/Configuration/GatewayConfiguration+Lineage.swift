internal import Documents
public import GovernanceTypes
public import LicenseTerms

// What works beside a model's base in the same call, each under its own terms:
//
//   adapters:  [{name: legal-fr, file: ./legal-fr.gguf, terms: [terms-a]}]
//   auxiliary: [{name: small, role: draft, terms: [terms-b]}, {name: sentry, role: guard, terms: [terms-c]}]
extension GatewayConfiguration {
  /// A part of a model's lineage.
  public struct Part: Sendable {
    public var name: LineageName
    public var terms: [TermFileID]
    /// Its own weights, where they lie here: their license texts and notices are looked for beside them.
    public var file: String?
    /// The digest that its file must have; with it the file may replace another under the same name.
    var weights: Digest?
    /// What the operator states of the part, as its term files ask for it.
    var facts: [Document.Member]
  }

  static func parts(
    _ model: inout DocumentReader, resolve: (String) -> String
  ) throws(DocumentError) -> [Part] {
    var parts: [Part] = []
    for key in ["adapters", "auxiliary"] {
      for (path, element) in try model.list(key) {
        var reader = try DocumentReader(element, path: path)
        let part = try Self.part(&reader, isAdapter: key == "adapters", resolve: resolve)
        guard !parts.contains(where: { $0.name == part.name }) else {
          throw reader.failure("name", "'\(part.name.name)' is named twice")
        }
        parts.append(part)
      }
    }
    return parts
  }

  private static func part(
    _ reader: inout DocumentReader, isAdapter: Bool, resolve: (String) -> String
  ) throws(DocumentError) -> Part {
    let role = isAdapter ? .adapter : try self.role(&reader)
    let name = try reader.string("name")
    guard !name.isEmpty, name.utf8.count <= 128, !name.contains("#") else {
      throw reader.failure("name", "a name of at most 128 bytes without '#' belongs here")
    }
    let terms = try reader.strings("terms").map { TermFileID($0) }
    guard !terms.isEmpty else {
      throw reader.failure("terms", "name the term files of its license; what works in the same call is governed as well")
    }
    var weights: Digest?
    if let text = try reader.optionalString("sha256") {
      weights = Digest(hexadecimal: text)
      guard weights != nil else { throw reader.failure("sha256", "64 hexadecimal digits belong here") }
    }
    let part = Part(
      name: LineageName(role, name), terms: terms, file: try reader.optionalString("file").map(resolve), weights: weights,
      facts: try Self.members(&reader, "facts"))
    try reader.finish()
    if part.weights != nil, part.file == nil { throw reader.failure("sha256", "speaks of a file, and none is named") }
    return part
  }

  private static func role(_ reader: inout DocumentReader) throws(DocumentError) -> LineageName.Role {
    let name = try reader.string("role")
    let known: [LineageName.Role] = [.draft, .guard, .embedding]
    guard let role = known.first(where: { $0.rawValue == name }) else {
      throw reader.failure("role", "'\(name)' is not one of: \(known.map(\.rawValue).joined(separator: ", "))")
    }
    return role
  }
}
