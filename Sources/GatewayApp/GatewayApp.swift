// GatewayApp: the composition: the only place that knows every type and joins them into a running gateway.
// Holds configuration, start and stop, the log's signer, the export desk, the metrics page and the license library.
// It must never decide about a request, and nothing imports it but the command.

internal import AcceptableUse
internal import AdminHTTP
internal import AuditSigning
internal import AuditTrail
internal import Completions
internal import Documents
internal import Foundation
internal import GatewayHTTP
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import Hummingbird
internal import HummingbirdCore
internal import InferenceEngine
internal import LicenseTerms
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Tensors
internal import UnixSignals

/// Why the gateway did not start. The message says what to do about it.
public struct StartFailure: Error, Sendable, CustomStringConvertible {
  public var message: String

  public init(_ message: String) { self.message = message }

  public var description: String { self.message }
}

/// A gateway as one process runs it.
public struct GatewayApp {
  public static let version = "0.1.0"

  private let configuration: GatewayConfiguration
  private let checksBooks: Bool
  private let environment: [String: String]
  private let log: Logger
  private let random = RandomSource()

  /// - Parameter checksBooks: reads the whole database before the start and compares its rows with the log.
  public init(configuration: GatewayConfiguration, environment: [String: String], checksBooks: Bool = false) {
    self.checksBooks = checksBooks
    self.configuration = configuration
    self.environment = environment
    LoggingSystem.bootstrap { label in
      let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
      guard configuration.logFormat == .text else { return JSONLogHandler(label: label, level: level) }
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = level
      return handler
    }
    self.log = Logger(label: "weighbridge")
  }

  /// Serves until the process is told to stop; then ends running requests in order and closes the store.
  ///
  /// - Parameter announce: Called once the gateway listens, with its address.
  public func serve(announce: @escaping @Sendable (_ host: String, _ port: Int) -> Void) async throws {
    let boot = BootID(at: wallClock(), random: try secureRandomBytes(16).reduce(0) { $0 << 8 | UInt128($1) })
    let packs = try RuleLibrary.packs(self.configuration.rulePacks, environment: self.environment)
    let terms = try TermLibrary.load(self.configuration, packs: packs, environment: self.environment)
    let classifier = try RuleLibrary.classifier(self.configuration.classifier, environment: self.environment)
    try RuleLibrary.check(packs, classifier, against: terms)
    let encoder = try EncoderFolder.load(self.configuration.encoder, behind: classifier)
    let policy = try AcceptableUsePolicy(packs: packs, classifier: classifier, encoder: encoder?.terms)
    var gatePolicy = try self.gatePolicy(terms)
    gatePolicy.encoder = encoder
    gatePolicy.secondOpinion = try RuleLibrary.secondOpinion(self.configuration, terms: terms, environment: self.environment)
    let store = try self.openStore(boot: boot)
    let remote = try RemoteRoom(self.configuration, environment: self.environment, log: self.log)
    do {
      if self.checksBooks { try await self.checkBooks(of: store) }
      let keys = try KeyMaterial.loadOrCreate(
        directory: self.configuration.dataDirectory + "/keys", operatorName: self.configuration.operatorName,
        entries: store.logSize,
        passphrase: try KeyPassphrase(file: self.configuration.keyFile, environment: self.environment).text)
      let signer = try await self.logSigner(store: store, keys: keys)
      let audienceKeys = try self.audienceKeys(tagKey: keys.tagKey, entries: store.logSize)
      let gate = Gate(
        environment: self.gateEnvironment(boot: boot, tagKey: keys.tagKey, audienceKeys: audienceKeys), policy: gatePolicy,
        journal: store, archive: store, books: store, acceptableUse: policy, terms: terms)
      let engines = try EngineRoom.load(
        self.configuration, into: gate, remote: remote, environment: self.environment, log: self.log)
      let recovery = try await gate.recover(try store.load(), version: Self.version)
      self.report(recovery)
      try await gate.recordTermsInForce()
      for (succession, note) in zip(keys.logKeys.successions, keys.successions) {
        try await gate.recordKeySuccession(
          number: succession.number, old: succession.old.vkey, new: succession.new.vkey, note: sha256(note))
      }
      try audienceKeys.check(wallClock().month, hasUsers: gate.hasUsers(of: wallClock().month))
      let watch = LicenseWatch(gate: gate, engines: engines, keys: audienceKeys, log: self.log)
      await watch.look()
      // What the books were checked and restored by is much more than what is kept of it.
      returnFreedMemory()
      try await self.run(
        gate: gate, store: store, keys: keys, signer: signer, engines: engines, watch: watch, announce: announce)
      engines.shutdown()
      await store.close()
      remote.shutdown()
    } catch {
      await store.close()
      remote.shutdown()
      throw error
    }
  }

  /// The signer of the log, once the log is known to be a continuation of all that was signed and witnessed before.
  private func logSigner(store: SQLiteStore, keys: KeyMaterial) async throws -> LogSigner {
    let keeper = CheckpointKeeper(path: self.configuration.dataDirectory + "/keys/newest-checkpoint", keys: keys)
    let tree = LogTree(store: store, digest: sha256)
    try keeper.check(store, tree)
    let signer = LogSigner(
      store: store, tree: tree, keys: keys, keeper: keeper,
      witnesses: self.configuration.audit.witnesses.map { WitnessClient(url: $0.url, key: $0.key) }, log: self.log)
    try await signer.askWitnesses()
    return signer
  }

  private func openStore(boot: BootID) throws -> SQLiteStore {
    try SQLiteStore.open(
      directory: self.configuration.dataDirectory, boot: boot, digest: sha256,
      options: StoreOptions(
        queueLimit: self.configuration.limits.queuedRecords, minimumFreeBytes: self.configuration.limits.minimumFreeBytes))
  }

  private func checkBooks(of store: SQLiteStore) async throws {
    if let finding = try await store.checkIntegrity() {
      throw StartFailure("the database is damaged: \(finding); keep the file as evidence and restore the newest backup")
    }
    let report = try await store.checkProjections()
    guard report.differences.isEmpty else {
      throw StartFailure(
        "the rows beside the log do not follow from it; keep the file as evidence and restore the newest backup:\n  "
          + report.differences.joined(separator: "\n  "))
    }
    self.log.notice(
      "the books follow from the log",
      metadata: [
        "entries": "\(report.entries)", "settled": "\(report.settled)", "voided": "\(report.voided)",
        "open_holds": "\(report.openHolds)",
      ])
  }

  private func gatePolicy(_ terms: [TermFile]) throws -> GatePolicy {
    var policy = GatePolicy()
    policy.prefixSharing = configuration.embedded.prefixSharing
    policy.parameters = try TermLibrary.interpretations(self.configuration, terms: terms)
    policy.initialHoldTokens = self.configuration.limits.initialHoldTokens
    policy.invoicing = self.configuration.billing.invoicing
    return policy
  }

  private func audienceKeys(tagKey: [UInt8], entries: Int) throws -> AudienceKeys {
    let folder = self.configuration.dataDirectory + "/keys/audience"
    let isNew = !FileManager.default.fileExists(atPath: folder)
    let keys = try AudienceKeys(directory: folder, months: self.configuration.audienceKeyMonths)
    // Before there were keys of months, users were counted under one made from the tag key: the running month goes on with that.
    if isNew, entries > 0 {
      let month = wallClock().month
      try keys.adopt(hmacSHA256(tagKey, Array("audience \(month)".utf8)).bytes, for: month)
    }
    return keys
  }

  private func gateEnvironment(boot: BootID, tagKey: [UInt8], audienceKeys: AudienceKeys) -> GateEnvironment {
    let log = self.log
    let zones = SystemZones()
    let random = self.random
    var environment = GateEnvironment(
      now: wallClock, uptime: { ContinuousClock.now - processStart },
      randomBytes: { random.bytes($0) }, digest: sha256, keyedDigest: hmacSHA256,
      tagKey: tagKey, boot: boot, zone: zones.zone)
    environment.audienceKey = { try audienceKeys.key(of: $0) }
    environment.verifySignature = { try StatementSignatures.verify($0, $1) }
    environment.alert = { alert in
      let fields = alert.fields.map { ($0.key, Logger.MetadataValue.string($0.value.text)) }
      log.warning("\(alert.kind.rawValue)", metadata: Dictionary(fields) { first, _ in first })
    }
    return environment
  }

  private func report(_ recovery: RecoveryReport) {
    guard !recovery.settled.isEmpty || !recovery.voided.isEmpty else { return }
    self.log.notice(
      "closed the holds that the last run left open",
      metadata: [
        "settled": "\(recovery.settled.count)", "voided": "\(recovery.voided.count)",
        "uncertain_tokens": "\(recovery.uncertainTokens)",
      ])
  }

  // MARK: Serving

  private func run(
    gate: Gate, store: SQLiteStore, keys: KeyMaterial, signer: LogSigner, engines: EngineRoom,
    watch: LicenseWatch, announce: @escaping @Sendable (String, Int) -> Void
  ) async throws {
    try await signer.sign()
    let library = LicenseLibrary(directory: self.configuration.dataDirectory + "/licenses", gate: gate)
    let desk = BackgroundExports(
      gate: gate, store: store, signer: signer, keys: keys, directory: self.configuration.dataDirectory + "/exports",
      operatorName: self.configuration.operatorName, audit: self.configuration.audit, log: self.log)
    let admission = AdmissionDesk(limit: self.configuration.limits.requestsInProgress)
    let billing = try BillingService(
      gate: gate, store: store, engines: engines, billing: self.configuration.billing, environment: self.environment,
      log: self.log)
    let telemetry = self.telemetry
    let metrics = MetricsPage(gate: gate, store: store, engines: engines, desk: admission, billing: billing)
    let departures = Departures()
    let terms = TermReload(gate: gate, configuration: self.configuration, environment: self.environment)
    let router = Router(context: GatewayContext.self)
    router.add(middleware: self.requestIdentity)
    var services = GatewayServices(
      document: { try library.text(of: $0, role: $1) }, readiness: { engines.readiness(gate, store, terms) },
      metrics: { await metrics.text() },
      checkpoint: { await signer.newest }, digest: sha256, departures: departures,
      region: self.configuration.requestRegion,
      bodyLimit: self.configuration.server.bodyLimit,
      desk: admission,
      fallbacks: Dictionary(
        self.configuration.models.map { ($0.id.name, $0.fallbacks.map(\.name)) }, uniquingKeysWith: { first, _ in first }))
    if let telemetry { services.served = { telemetry.take($0) } }
    PublicRoutes(gate: gate, services: services).add(to: router)
    let tokens = try await self.tokenDesk()
    let administration = AdminRoutes(
      gate: gate,
      services: AdminServices(
        exports: desk, importDocument: { try library.take($0, role: $1, text: $2) },
        reloadTerms: { try await terms.reload(by: $0) }, deliveries: billing,
        captureRate: { try await billing.captureRate(of: $0).json }, digest: sha256,
        bodyLimit: self.configuration.server.bodyLimit),
      key: self.environment["WEIGHBRIDGE_ADMIN_KEY"].flatMap { $0.isEmpty ? nil : $0 },
      networks: self.configuration.server.adminNetworks.compactMap { AddressRange($0) }, tokens: tokens)
    administration.add(to: router)
    AuditRoutes(gate: gate, services: try self.auditServices(gate: gate, store: store, signer: signer, tokens: tokens)).add(
      to: router)
    administration.addDescription(to: router, version: Self.version)
    let host = self.configuration.server.host
    var companions: [any Service] = [
      signer.service(every: .seconds(self.configuration.checkpointSeconds), gate: gate),
      HeartbeatService(gate: gate, interval: .seconds(self.configuration.audit.heartbeatSeconds), log: self.log), watch,
      engines.remote, billing,
    ]
    if let telemetry { companions.append(telemetry) }
    let application = Application(
      router: router, server: try ServerAssembly.server(self.configuration.server, departures: departures),
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: self.configuration.server.port), serverName: "weighbridge", backlog: 4096,
        availableConnectionsDelegate: MaximumAvailableConnections(self.configuration.server.connections)),
      services: companions,
      onServerRunning: { [log = self.log] channel in
        await ServerAssembly.acceptInBulk(channel, log: log)
        announce(host, channel.localAddress?.port ?? 0)
      },
      logger: Logger(label: "http") { _ in
        SwiftLogNoOpLogHandler()
      })
    if self.environment["WEIGHBRIDGE_ADMIN_KEY"] == nil {
      self.log.warning("the admin API is closed: WEIGHBRIDGE_ADMIN_KEY is not set")
    }
    try await self.serveUntilTold(application)
    try await signer.sign()
  }

  private func serveUntilTold(_ application: some Service) async throws {
    do {
      var services = ServiceGroupConfiguration(
        services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "services"))
      services.maximumGracefulShutdownDuration = Duration.seconds(self.configuration.server.shutdownSeconds)
      try await ServiceGroup(configuration: services).run()
    } catch is CancellationError {
      self.log.warning("requests were still running when the time to shut down was over; they were ended and settled")
    } catch let error as IOError {
      throw StartFailure(
        "cannot listen on \(self.configuration.server.host):\(self.configuration.server.port): \(error). Is another process using the port?"
      )
    }
  }
}

extension GatewayApp {
  private var telemetry: TelemetryExport? {
    self.configuration.collector.map {
      TelemetryExport(
        collector: $0, interval: .seconds(self.configuration.collectorSeconds), operatorName: self.configuration.operatorName,
        random: self.random, log: self.log)
    }
  }

  /// The public side of the log, and the witness that this gateway is to others where it is one.
  private func auditServices(
    gate: Gate, store: SQLiteStore, signer: LogSigner, tokens: TokenDesk?
  ) throws -> AuditServices {
    let published = PublishedLog(store: store, signer: signer)
    let bootstrap = self.environment["WEIGHBRIDGE_ADMIN_KEY"].flatMap { $0.isEmpty ? nil : sha256(Array($0.utf8)) }
    var services = AuditServices(
      tile: { try await published.tile($0) }, entries: { try await published.entries($0) },
      proof: { try await published.proof($0) },
      requireAuditor: { (secret: String) async throws -> Void in
        if let tokens, isToken(secret) { return _ = try await tokens(secret) }
        let digest = sha256(Array(secret.utf8))
        guard gate.adminActor(secretDigest: digest) != nil || digest == bootstrap else {
          throw Refusal(.invalidAPIKey, "The entries of the log are for the holder of an admin key.")
        }
      }, witness: nil)
    guard !self.configuration.audit.witnessFor.isEmpty else { return services }
    let book = try WitnessBook(
      directory: self.configuration.dataDirectory + "/witness", name: nil, keys: self.configuration.audit.witnessFor,
      passphrase: try KeyPassphrase(file: self.configuration.keyFile, environment: self.environment).text)
    self.log.notice("this gateway witnesses other logs", metadata: ["key": "\(book.key)"])
    services.witness = { (request: [UInt8]) async throws -> WitnessReply in try await book.answer(request) }
    return services
  }
}

extension GatewayApp {
  /// Nil where no identity provider is trusted.
  private func tokenDesk() async throws -> TokenDesk? {
    guard let settings = self.configuration.server.adminTokens else { return nil }
    let desk = AdminTokenDesk(settings, log: self.log)
    try await desk.open()
    return { try await desk.holder(of: $0) }
  }

  private var requestIdentity: RequestIdentity {
    let log = self.log
    let random = self.random
    return RequestIdentity(logsAll: self.configuration.logsRequests, log: { log.note($0) }) {
      hexadecimalText(random.bytes(8))
    }
  }
}

private let processStart = ContinuousClock.now

/// Nanoseconds since 1970, from the system's clock.
func wallClock() -> Timestamp {
  // From 2001 on, as Foundation has it, so that a fraction keeps an eighth of a microsecond.
  let seconds = Date().timeIntervalSinceReferenceDate
  let whole = seconds.rounded(.down)
  let since1970 = Int64(whole) + Int64(Date.timeIntervalBetween1970AndReferenceDate)
  return Timestamp(nanoseconds: since1970 * 1_000_000_000 + Int64((seconds - whole) * 1_000_000_000))
}
