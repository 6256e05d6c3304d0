public import GovernanceTypes

/// A signed statement of the log's size and root.
public struct StoredCheckpoint: Sendable, Equatable {
  public var size: Int
  public var root: Digest
  /// The signed note, as published.
  public var note: String

  public init(size: Int, root: Digest, note: String) {
    self.size = size
    self.root = root
    self.note = note
  }
}
