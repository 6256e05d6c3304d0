internal import AuditSigning
internal import Documents
internal import Foundation
internal import GovernanceTypes
internal import LicenseTerms

/// What can be measured of a model's files: the license texts and notices that lie beside the weights.
enum ModelFacts {
  /// The most bytes of a file beside the weights that are read.
  private static let textLimit = 1 << 20

  /// - Parameters:
  ///   - file: The weights, where they lie here.
  ///   - stated: What the configuration states of them.
  ///   - name: What they are called in messages.
  static func measure(
    _ file: String?, stated: [Document.Member], name: String, terms: [TermFile], at now: Timestamp
  ) throws -> FactSheet {
    let folder = file.map { ModelDigest.folder(ofModel: $0) }
    var facts: [Fact] = []
    func add(_ key: String, _ value: FactValue, from name: String) {
      guard !facts.contains(where: { $0.key == key && $0.value == value }) else { return }
      facts.append(Fact(key: key, value: value, source: .measured, reference: name, recordedAt: now))
    }
    for document in terms.flatMap(\.documents) {
      guard let key = document.foundAs, let text = try self.text(document.name, in: folder) else { continue }
      // A copy that differs in its formatting alone is known by the digest of its normalised form.
      add(key, .digest(document.acceptedDigest(of: text) ?? sha256(text)), from: document.name)
    }
    for file in terms {
      for declaration in file.facts where declaration.type == .text && declaration.subject == .model {
        guard declaration.accepts(.measured) else { continue }
        for name in Set(file.notices.map(\.file)).sorted() {
          guard let text = try self.text(name, in: folder) else { continue }
          add(declaration.key, .text(String(decoding: text, as: UTF8.self)), from: name)
        }
      }
    }
    return FactSheet(facts + (try stated.map { try self.stated($0, of: name, terms: terms, at: now) }))
  }

  /// A file beside the weights; nil where there is none, and for a model that runs elsewhere.
  private static func text(_ name: String, in folder: URL?) throws -> [UInt8]? {
    guard let folder else { return nil }
    // The names come from term files, which are no places to name other folders.
    guard !name.contains("/"), name != ".." else { return nil }
    let path = folder.appendingPathComponent(name).path
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    guard let file = FileHandle(forReadingAtPath: path) else { throw ConfigurationError(path: path, message: "cannot be read") }
    defer { file.closeFile() }
    let data = try file.read(upToCount: self.textLimit + 1) ?? Data()
    guard data.count <= self.textLimit else { throw ConfigurationError(path: path, message: "is larger than 1 MiB") }
    return Array(data)
  }

  /// A fact of the model that the configuration states. One that no term file of the model asks for is refused: it would say
  /// nothing to anyone.
  private static func stated(
    _ member: Document.Member, of model: String, terms: [TermFile], at now: Timestamp
  ) throws -> Fact {
    let known = terms.flatMap(\.facts).filter { $0.subject == .model && $0.accepts(.config) }
    guard let declaration = known.first(where: { $0.key == member.key }) else {
      let near = nearestName(to: member.key, among: known.map(\.key)).map { "; did you mean '\($0)'?" } ?? ""
      throw StartFailure("model '\(model)': '\(member.key)' is no fact that its terms take from the configuration\(near)")
    }
    do throws(DocumentError) {
      return Fact(
        key: member.key, value: try FactValue(member.value, for: declaration, path: "models.\(model).facts.\(member.key)"),
        source: .config, reference: "configuration", recordedAt: now)
    } catch {
      throw StartFailure("model '\(model)': \(error)")
    }
  }
}
