public import Completions
public import GovernanceTypes
public import LicenseTerms

/// A model under the name by which clients ask for it: its engine, its weights by digest, and the terms of its lineage.
public struct ServedModel: Sendable {
  public var id: ModelID
  public var engine: any CompletionEngine
  /// SHA-256 of the weights file; nil where a remote engine holds the weights.
  public var weights: Digest?
  /// The term files of the base, the adapters and the auxiliary models: all must allow.
  public var terms: [TermFileID]
  /// What was measured of the model's files.
  public var facts: FactSheet
  public var registeredAt: Timestamp
  public var owner: String
  /// What the terms are asked for at each request: use, or host where the model itself is offered to others.
  public var action: Action
  /// The operator names these weights by their digest, so that they may replace others under the same name.
  public var isPinned: Bool

  public init(
    id: ModelID, engine: any CompletionEngine, weights: Digest?, terms: [TermFileID], facts: FactSheet, registeredAt: Timestamp,
    owner: String, action: Action = .use, isPinned: Bool = false
  ) {
    self.id = id
    self.engine = engine
    self.weights = weights
    self.terms = terms
    self.facts = facts
    self.registeredAt = registeredAt
    self.owner = owner
    self.action = action
    self.isPinned = isPinned
  }
}
