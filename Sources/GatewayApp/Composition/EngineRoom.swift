internal import AuditSigning
internal import Completions
internal import Documents
internal import Foundation
internal import GatewayHTTP
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import InferenceEngine
internal import LicenseTerms
internal import Logging

/// The engines of a process, by model.
struct EngineRoom: Sendable {
  let engines: [(model: ModelID, engine: EmbeddedEngine)]

  /// Loads each model's file, takes its digest, and registers it with the gate under its terms.
  static func load(_ configuration: GatewayConfiguration, into gate: Gate, log: Logger) throws -> EngineRoom {
    var engines: [(ModelID, EmbeddedEngine)] = []
    for model in configuration.models {
      let limits = configuration.limits
      let engine: EmbeddedEngine
      do throws(EngineError) {
        engine = try EmbeddedEngine(
          path: model.file,
          options: EngineOptions(
            threads: limits.engineThreads, maximumSequences: limits.concurrentSequences, queueLimit: limits.queuedRequests,
            contextLimit: limits.contextTokens == 0 ? nil : limits.contextTokens,
            memoryLimit: limits.engineMemoryMiB == 0 ? nil : limits.engineMemoryMiB << 20))
      } catch {
        throw StartFailure("model '\(model.id)': \(error)")
      }
      let weights = try ModelDigest.of(model: model.file)
      let terms = model.terms + configuration.termsForAllModels.filter { !model.terms.contains($0) }
      try gate.register(
        ServedModel(
          id: model.id, engine: engine, weights: weights, terms: terms,
          facts: try ModelFacts.measure(model, terms: terms.compactMap { gate.termFile($0) }, at: wallClock()),
          registeredAt: wallClock(), owner: configuration.operatorName))
      log.info("loaded a model", metadata: ["model": "\(model.id)", "sha256": "\(weights)"])
      engines.append((model.id, engine))
    }
    return EngineRoom(engines: engines)
  }

  func shutdown() { for (_, engine) in self.engines { engine.shutdown() } }

  func readiness(_ gate: Gate, _ store: SQLiteStore, _ terms: TermReload) -> Readiness {
    var reasons: [String] = []
    for model in gate.models() where gate.price(of: model.id) == nil {
      reasons.append("model '\(model.id)' has no price in force")
    }
    if self.engines.isEmpty { reasons.append("no model is configured") }
    let statistics = store.statistics
    if statistics.isFailing { reasons.append("the ledger cannot be written: \(statistics.lastFailure ?? "unknown reason")") }
    if let failure = terms.failure {
      reasons.append("the term files on disk were not taken, those before stay in force: \(failure)")
    }
    // A model without a price is refused on its own; it does not make the gateway unready.
    return Readiness(isReady: !statistics.isFailing, reasons: reasons)
  }
}

/// SHA-256 of a file, read in pieces.
func fileDigest(_ path: String) throws -> Digest {
  guard let file = FileHandle(forReadingAtPath: path) else { throw ConfigurationError(path: path, message: "cannot be read") }
  defer { file.closeFile() }
  var digest = StreamingSHA256()
  while let data = try file.read(upToCount: 1 << 20), !data.isEmpty {
    let bytes = Array(data)
    digest.update(bytes.span)
  }
  return digest.finish()
}

/// What can be measured of a model's files: the digests of the license texts that lie beside the weights.
enum ModelFacts {
  static func measure(_ model: GatewayConfiguration.Model, terms: [TermFile], at now: Timestamp) throws -> FactSheet {
    let folder = ModelDigest.folder(ofModel: model.file)
    var facts: [Fact] = []
    for document in terms.flatMap(\.documents) {
      guard let key = document.foundAs else { continue }
      let path = folder.appendingPathComponent(document.name).path
      guard FileManager.default.fileExists(atPath: path) else { continue }
      facts.append(
        Fact(key: key, value: .digest(try fileDigest(path)), source: .measured, reference: document.name, recordedAt: now))
    }
    return FactSheet(facts + (try model.facts.map { try self.stated($0, of: model, terms: terms, at: now) }))
  }

  /// A fact of the model that the configuration states. One that no term file of the model asks for is refused: it would say
  /// nothing to anyone.
  private static func stated(
    _ member: Document.Member, of model: GatewayConfiguration.Model, terms: [TermFile], at now: Timestamp
  ) throws -> Fact {
    let known = terms.flatMap(\.facts).filter { $0.subject == .model && $0.accepts(.config) }
    guard let declaration = known.first(where: { $0.key == member.key }) else {
      let near = nearestName(to: member.key, among: known.map(\.key)).map { "; did you mean '\($0)'?" } ?? ""
      throw StartFailure("model '\(model.id)': '\(member.key)' is no fact that its terms take from the configuration\(near)")
    }
    do throws(DocumentError) {
      return Fact(
        key: member.key, value: try FactValue(member.value, for: declaration, path: "models.\(model.id).facts.\(member.key)"),
        source: .config, reference: "configuration", recordedAt: now)
    } catch {
      throw StartFailure("model '\(model.id)': \(error)")
    }
  }
}
