/// Which part of what answers a request a term file governs.
public struct LineageName: Sendable, Hashable, Comparable, CustomStringConvertible {
  public enum Role: String, Sendable, Hashable, CaseIterable {
    /// The weights that the model is named for.
    case base
    /// Weights that change the base's, loaded with it.
    case adapter
    /// A model that proposes tokens for the base to accept.
    case draft
    /// A model that judges prompts or answers.
    case `guard`
    /// A model that looks up what goes into the prompt.
    case embedding
    /// No part of the lineage: a law or a house rule, which holds for every model.
    case service
  }

  public let role: Role
  /// The part's own name; empty for the base and for rules that hold for all.
  public let name: String

  public static let base = LineageName(.base)
  public static let service = LineageName(.service)

  public init(_ role: Role, _ name: String = "") {
    self.role = role
    self.name = name
  }

  /// `base`, `adapter legal-fr`.
  public var description: String { self.name.isEmpty ? self.role.rawValue : "\(self.role.rawValue) \(self.name)" }

  /// As it stands in a sentence: `the model`, `the adapter 'legal-fr'`.
  public var phrase: String {
    switch self.role {
    case .base, .service: "the model"
    case .adapter: "the adapter '\(self.name)'"
    case .draft, .guard, .embedding: "the \(self.role.rawValue) model '\(self.name)'"
    }
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.role.place, left.name) < (right.role.place, right.name)
  }
}

extension LineageName.Role {
  fileprivate var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// A part of a model's lineage with its own terms and what is known of its own files.
///
/// All parts work in the same call, so the verdict is the conjunction of theirs: a notice that lies beside the base's weights says
/// nothing of an adapter's.
public struct LineagePart: Sendable {
  public var name: LineageName
  public var terms: [TermFile]
  public var facts: FactSheet

  public init(_ name: LineageName, terms: [TermFile], facts: FactSheet = .empty) {
    self.name = name
    self.terms = terms
    self.facts = facts
  }
}

/// A term file with the parts that it governs: those of whose files the same is known are asked about once.
struct GovernedParts: Sendable {
  let file: TermFile
  let facts: FactSheet
  private(set) var names: [LineageName]

  /// The questions that a lineage comes to, by term file and then by part. The order of the parts does not matter.
  static func all(of lineage: [LineagePart]) -> [GovernedParts] {
    var all: [GovernedParts] = []
    for part in lineage.sorted(by: { $0.name < $1.name }) {
      for file in part.terms {
        if let index = all.firstIndex(where: { $0.file.id == file.id && $0.isAlike(part.facts) }) {
          if !all[index].names.contains(part.name) { all[index].names.append(part.name) }
        } else {
          all.append(GovernedParts(file: file, facts: part.facts, names: [part.name]))
        }
      }
    }
    return all.sorted { ($0.file.id, $0.names[0]) < ($1.file.id, $1.names[0]) }
  }

  /// Whether the file finds the same of a model in both sheets.
  private func isAlike(_ other: FactSheet) -> Bool {
    self.file.facts.filter { $0.subject == .model }.allSatisfy { declaration in
      let key = declaration.isPerTermFile ? "\(declaration.key).\(self.file.id)" : declaration.key
      return self.facts.records(of: key) == other.records(of: key)
    }
  }
}
