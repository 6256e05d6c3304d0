internal import AuditTrail
internal import GatewayHTTP
internal import GovernanceStore
internal import GovernanceTypes

/// What the outside may see of the log: tiles and proofs of the tree that the newest checkpoint was signed for.
struct PublishedLog: Sendable {
  let store: SQLiteStore
  let signer: LogSigner

  func tile(_ path: String) async throws -> [UInt8]? {
    guard let tile = Tile(path: path), let size = await self.signer.published?.size, tile.isComplete(inTreeOf: size) else {
      return nil
    }
    return Tile.content(try tile.hashes(subtree: self.signer.logTree.subtree))
  }

  func entries(_ path: String) async throws -> [UInt8]? {
    guard let tile = EntryTile(path: path), let size = await self.signer.published?.size, tile.sequences.upperBound <= size else {
      return nil
    }
    return EntryTile.content(
      try await self.store.lines(from: tile.sequences.lowerBound, limit: tile.width).map { Array($0.utf8) })
  }

  /// The proof of the newest entry under a lookup id; a checkpoint is signed for it where none covers it yet.
  func proof(_ lookup: String) async throws -> EntryProof? {
    guard let place = try await self.store.place(lookup: lookup) else { return nil }
    let checkpoint = try await self.signer.checkpoint(covering: place.sequence)
    let note = Array(checkpoint.note.utf8)
    let line = Array(place.line.utf8)
    let proof = try self.signer.logTree.proof(of: line, at: place.sequence, size: checkpoint.size, checkpoint: note)
    return EntryProof(
      line: place.line, sequence: place.sequence, leaf: self.signer.logTree.tree.leafHash(line), path: proof.path,
      checkpoint: checkpoint.note, file: proof.bytes)
  }
}
