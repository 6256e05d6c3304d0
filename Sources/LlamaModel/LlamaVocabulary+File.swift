public import ModelFiles

extension LlamaVocabulary {
  /// The vocabulary of a model file, whose weights are not looked at; a file with a vocabulary alone will do.
  ///
  /// - Throws: ``LlamaModelError`` naming the key that is missing, wrong or not supported.
  public init(file: GGUFFile) throws(LlamaModelError) {
    try self.init(MetadataReader(metadata: file.metadata, path: file.file.path))
  }
}
