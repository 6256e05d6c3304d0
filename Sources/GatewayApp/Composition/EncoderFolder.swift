internal import AcceptableUse
internal import AuditSigning
internal import Documents
internal import Foundation
internal import GovernanceTypes
internal import ModelFiles
internal import TextEncoder

/// Reads the encoder behind the linear classifier from a folder: a checkpoint in BERT's form (`config.json`, `vocab.txt`,
/// `model.safetensors`) and `ensemble.json`, which says when it is asked and what its logit counts.
enum EncoderFolder {
  /// The format of `ensemble.json` that this reader knows.
  static let schema = "weighbridge/encoder-ensemble/v1"
  /// The label of `config.json` that says whether a text is a violation; the others are the uses, by their ids, and `jailbreak`.
  static let violation = "violation"
  static let jailbreak = "jailbreak"
  /// How long a request waits for the encoder.
  static let patience = Duration.milliseconds(250)

  /// - Parameters:
  ///   - setting: `off` for none, else the folder.
  ///   - patience: How long a text waits to be read.
  static func load(
    _ setting: String, behind classifier: LinearClassifier?, patience: Duration = Self.patience
  ) throws(ConfigurationError) -> EncoderDetector? {
    guard setting != "off", let classifier else { return nil }
    let model = setting + "/model.safetensors"
    do {
      let vocabulary = try readFile(setting + "/vocab.txt")
      let configuration = try readFile(setting + "/config.json")
      let ensemble = try readFile(setting + "/ensemble.json")
      let file = try SafetensorsFile(path: model)
      let digests = [sha256(configuration), sha256(vocabulary), sha256(ensemble), try fileDigest(model)]
      let digest = sha256(Array(digests.map(\.hexadecimal).joined(separator: "\n").utf8))
      let terms = try Self.terms(try Document.parseJSON(ensemble), digest: digest, behind: classifier)
      let encoder = try TextEncoder(
        configuration: try Document.parseJSON(configuration), vocabulary: vocabulary, weights: file, threads: 1,
        precision: .rounded, decompose: { $0.decomposedStringWithCanonicalMapping })
      let labels = encoder.configuration.labels
      guard let place = labels.firstIndex(of: Self.violation) else {
        throw ConfigurationError(path: setting + "/config.json", message: "id2label names no label '\(Self.violation)'")
      }
      return EncoderDetector(
        encoder: try EncoderThread(encoder, patience: patience), terms: terms, violation: place,
        heads: classifier.heads.map { labels.firstIndex(of: $0.use?.name ?? Self.jailbreak) })
    } catch let error as ConfigurationError {
      throw error
    } catch {
      throw ConfigurationError(path: setting, message: "\(error)")
    }
  }

  private static func terms(
    _ document: Document, digest: Digest, behind classifier: LinearClassifier
  ) throws(DocumentError) -> EncoderTerms {
    var reader = try DocumentReader(document)
    let schema = try reader.string("schema")
    guard schema == Self.schema else { throw reader.failure("schema", "is '\(schema)'; this version reads '\(Self.schema)'") }
    // Weights and band were chosen for the logits of one linear tier; those of another mean something else.
    let linear = try reader.string("linear_sha256")
    guard linear == classifier.digest.hexadecimal else {
      throw reader.failure("linear_sha256", "names other weights than the classifier's, \(classifier.digest.hexadecimal)")
    }
    let low = try reader.integer("band_from_milli", in: -1_000_000...1_000_000)
    let high = try reader.integer("band_to_milli", in: low...1_000_000)
    let terms = EncoderTerms(
      digest: digest, band: low...high, linearWeight: try reader.integer("linear_weight_milli", in: 0...100_000),
      encoderWeight: try reader.integer("encoder_weight_milli", in: 0...100_000),
      offset: try reader.integer("offset_milli", in: -1_000_000...1_000_000))
    try reader.finish()
    return terms
  }
}
