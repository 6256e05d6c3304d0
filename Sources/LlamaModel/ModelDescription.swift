internal import ModelFiles

/// What a model file says about itself and what was counted; for people and records, never for computing.
public struct ModelDescription: Sendable, Equatable {
  /// `general.name`.
  public let name: String?
  public let architecture: String
  public let contextLength: Int
  public let vocabularySize: Int
  /// Stored numbers in all tensors.
  public let parameterCount: Int
  /// Bytes of the files with weights.
  public let byteCount: Int
  /// `general.license`, `general.license.name`, `general.license.link`: the file's own claim, not a finding.
  public let license: String?
  public let licenseName: String?
  public let licenseLink: String?
  /// How many tensors of each type, by the type's name.
  public let tensorTypes: [String: Int]

  init(source: WeightSource, parameters: Hyperparameters, vocabularySize: Int) {
    let metadata = source.metadata
    self.name = metadata.string("general.name")
    self.architecture = parameters.architecture
    self.contextLength = parameters.contextLength
    self.vocabularySize = vocabularySize
    // Every product was checked when the files were parsed, and all tensors together fit the files.
    self.parameterCount = source.tensors.reduce(0) { $0 + $1.rows * $1.columns }
    self.byteCount = source.fileByteCount
    self.license = metadata.string("general.license")
    self.licenseName = metadata.string("general.license.name")
    self.licenseLink = metadata.string("general.license.link")
    self.tensorTypes = source.tensors.reduce(into: [:]) { $0[$1.type.name, default: 0] += 1 }
  }
}
