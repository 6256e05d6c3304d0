internal import ModelFiles
internal import Tokenization

extension VocabularySource {
  /// Reads a vocabulary file; `nil` where it is absent.
  static func bytes(path: String, limit: Int) throws(ModelFileError) -> [UInt8]? {
    guard FileName.exists(path) else { return nil }
    let file = try MappedFile(path: path)
    guard file.byteCount <= limit else {
      throw ModelFileError(
        .limitExceeded, path: path, message: "The file has \(file.byteCount) bytes; at most \(limit) are read.")
    }
    return Array(file.bytes)
  }

  /// Fits the vocabulary to the rows of the embedding: a model can neither read nor write a token that has no row, and rows beyond
  /// the tokens have no text.
  mutating func fit(rows: Int) {
    self.pad(to: rows)
    guard rows < self.pieces.count else { return }
    let known = Set(self.pieces.prefix(rows))
    self.pieces.removeLast(self.pieces.count - rows)
    self.types.removeLast(self.types.count - rows)
    switch self.merging {
    case .scores(let scores): self.merging = .scores(Array(scores.prefix(rows)))
    case .pairs(var merging):
      merging.merges.removeAll { !known.contains($0.left + $0.right) }
      self.merging = .pairs(merging)
    }
  }
}

extension ModelFileError {
  init(_ error: TokenizerError, path: String) {
    self.init(.invalidValue, path: path, field: error.field, message: error.message)
  }
}
