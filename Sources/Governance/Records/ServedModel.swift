public import Completions
public import GovernanceTypes
public import LicenseTerms

/// A model under the name by which clients ask for it: its engine, its weights by digest, and the terms of its lineage.
public struct ServedModel: Sendable {
  /// What works beside the base in the same call, with its own terms; or rules that hold for every model.
  public struct Part: Sendable {
    public var name: LineageName
    public var terms: [TermFileID]
    /// What was measured of the part's own files.
    public var facts: FactSheet
    /// SHA-256 of the part's file, where it has one here.
    public var weights: Digest?
    /// The operator names this file by its digest.
    public var isPinned: Bool

    public init(
      _ name: LineageName, terms: [TermFileID], facts: FactSheet = .empty, weights: Digest? = nil, isPinned: Bool = false
    ) {
      self.name = name
      self.terms = terms
      self.facts = facts
      self.weights = weights
      self.isPinned = isPinned
    }
  }

  public var id: ModelID
  public var engine: any CompletionEngine
  /// SHA-256 of the weights file; nil where a remote engine holds the weights.
  public var weights: Digest?
  /// The term files of the base.
  public var base: [TermFileID]
  /// The adapters, the auxiliary models and the rules for all.
  public var beside: [Part]
  /// What was measured of the base's files.
  public var facts: FactSheet
  public var registeredAt: Timestamp
  public var owner: String
  /// What the terms are asked for at each request: use, or host where the model itself is offered to others.
  public var action: Action
  /// The operator names these weights by their digest, so that they may replace others under the same name.
  public var isPinned: Bool

  public init(
    id: ModelID, engine: any CompletionEngine, weights: Digest?, terms: [TermFileID], beside: [Part] = [], facts: FactSheet,
    registeredAt: Timestamp, owner: String, action: Action = .use, isPinned: Bool = false
  ) {
    self.id = id
    self.engine = engine
    self.weights = weights
    self.base = terms
    self.beside = beside
    self.facts = facts
    self.registeredAt = registeredAt
    self.owner = owner
    self.action = action
    self.isPinned = isPinned
  }

  /// The files of all parts that lie here, each under the name by which its digest is on record.
  var files: [(name: ModelID, weights: Digest, isPinned: Bool)] {
    let base = self.weights.map { [(self.id, $0, self.isPinned)] } ?? []
    return base
      + self.beside.compactMap { part in part.weights.map { (ModelID("\(self.id)#\(part.name)"), $0, part.isPinned) } }
  }

  /// The term files of all parts, each once: all must allow.
  public var terms: [TermFileID] {
    var terms = self.base
    for term in self.beside.flatMap(\.terms) where !terms.contains(term) { terms.append(term) }
    return terms
  }
}
