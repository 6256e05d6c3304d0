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
internal import Synchronization

/// The engines of a process, by model.
struct EngineRoom: Sendable {
  let engines: [(model: ModelID, engine: EmbeddedEngine)]
  let remote: RemoteRoom
  private let unloaded = UnloadedModels()

  private init(engines: [(model: ModelID, engine: EmbeddedEngine)], remote: RemoteRoom) {
    self.engines = engines
    self.remote = remote
  }

  /// Loads each model's file, takes its digest, and registers it with the gate under its terms.
  ///
  /// - Throws: ``StartFailure`` where the file has another digest than the configuration names, or says of itself that it is under the
  ///   agreement of another model family than the configuration does.
  static func load(
    _ configuration: GatewayConfiguration, into gate: Gate, remote: RemoteRoom, environment: [String: String], log: Logger
  ) throws -> EngineRoom {
    var engines: [(ModelID, EmbeddedEngine)] = []
    for model in configuration.models {
      guard let file = model.file else {
        try Self.register(model, weights: nil, engine: try remote.engine(of: model), configuration, into: gate)
        continue
      }
      let limits = configuration.limits
      let embedded = configuration.embedded
      let engine: EmbeddedEngine
      do throws(EngineError) {
        engine = try EmbeddedEngine(
          path: file,
          options: EngineOptions(
            threads: OfflineEngine.threads(limits.engineThreads), maximumSequences: limits.concurrentSequences,
            queueLimit: limits.queuedRequests,
            contextLimit: limits.contextTokens == 0 ? nil : limits.contextTokens, prefillChunk: embedded.prefillChunk,
            memoryLimit: limits.engineMemoryMiB == 0 ? nil : limits.engineMemoryMiB << 20, kvType: embedded.kvType,
            kvMemory: embedded.kvMemoryMiB == 0 ? nil : embedded.kvMemoryMiB << 20,
            sharesPrefixes: embedded.prefixSharing != .off, looksAhead: embedded.looksAhead))
      } catch {
        throw StartFailure("model '\(model.id)': \(error)")
      }
      let weights = try ModelDigest.of(model: file)
      if let named = model.weights, named != weights {
        throw StartFailure(
          "model '\(model.id)': the file has the SHA-256 \(weights), the configuration names \(named). It is not the file that was meant; or correct models[].sha256."
        )
      }
      try EmbeddedLicense(of: engine.model).check(model, configuration, gate: gate, environment: environment, log: log)
      try Self.register(model, weights: weights, engine: engine, configuration, into: gate)
      log.info("loaded a model", metadata: ["model": "\(model.id)", "sha256": "\(weights)"])
      engines.append((model.id, engine))
    }
    return EngineRoom(engines: engines, remote: remote)
  }

  private static func register(
    _ model: GatewayConfiguration.Model, weights: Digest?, engine: any CompletionEngine, _ configuration: GatewayConfiguration,
    into gate: Gate
  ) throws {
    let forAll = configuration.termsForAllModels
    let terms = (model.terms + forAll).compactMap { gate.termFile($0) }
    let facts = try ModelFacts.measure(model.file, stated: model.facts, name: model.id.name, terms: terms, at: wallClock())
    var beside = try model.beside.map { try Self.part($0, of: model, gate) }
    // Rules for all models read what the base's files say.
    if !forAll.isEmpty { beside.append(ServedModel.Part(.service, terms: forAll, facts: facts)) }
    try gate.register(
      ServedModel(
        id: model.id, engine: engine, weights: weights, terms: model.terms, beside: beside, facts: facts,
        registeredAt: wallClock(), owner: configuration.operatorName, action: model.action, isPinned: model.weights != nil))
  }

  private static func part(
    _ part: GatewayConfiguration.Part, of model: GatewayConfiguration.Model, _ gate: Gate
  ) throws -> ServedModel.Part {
    let weights = try part.file.map { try ModelDigest.of(model: $0) }
    if let named = part.weights, let weights, named != weights {
      throw StartFailure(
        "model '\(model.id)', \(part.name): the file has the SHA-256 \(weights), the configuration names \(named). It is not the file that was meant; or correct its sha256."
      )
    }
    let facts = try ModelFacts.measure(
      part.file, stated: part.facts, name: "\(model.id), \(part.name)", terms: part.terms.compactMap { gate.termFile($0) },
      at: wallClock())
    return ServedModel.Part(part.name, terms: part.terms, facts: facts, weights: weights, isPinned: part.weights != nil)
  }

  /// Lets go of the models whose license has ended: their engines stop and give their memory back.
  func unloadEnded(of gate: Gate, log: Logger) {
    for model in gate.endedModels() {
      guard let engine = self.engines.first(where: { $0.model == model })?.engine, self.unloaded.insert(model) else { continue }
      engine.shutdown()
      log.warning("unloaded a model whose license has ended", metadata: ["model": "\(model)"])
    }
  }

  func shutdown() { for (_, engine) in self.engines { engine.shutdown() } }

  func readiness(_ gate: Gate, _ store: SQLiteStore, _ terms: TermReload) -> Readiness {
    var reasons: [String] = []
    for model in gate.models() where gate.price(of: model.id) == nil {
      reasons.append("model '\(model.id)' has no price in force")
    }
    reasons += self.remote.resting.map { "the engine '\($0)' does not answer and is asked again from time to time" }
    if gate.models().isEmpty { reasons.append("no model is configured") }
    let statistics = store.statistics
    if statistics.isFailing { reasons.append("the ledger cannot be written: \(statistics.lastFailure ?? "unknown reason")") }
    if let failure = terms.failure {
      reasons.append("the term files on disk were not taken, those before stay in force: \(failure)")
    }
    for ended in gate.terminations() where ended["subject"] == "operator" && ended["deletion"] == "due" {
      reasons.append("the license '\(ended["terms"]?.text ?? "")' has ended: delete the materials and record the deletion")
    }
    // A model without a price is refused on its own; it does not make the gateway unready.
    return Readiness(isReady: !statistics.isFailing, reasons: reasons)
  }
}

/// The models that were let go of, each once.
final class UnloadedModels: Sendable {
  private let models = Mutex<Set<ModelID>>([])

  /// Whether the model was not among them yet.
  func insert(_ model: ModelID) -> Bool { self.models.withLock { $0.insert(model).inserted } }
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
