internal import Documents
internal import Foundation
public import GatewayHTTP
public import GovernanceTypes
internal import LicenseTerms
internal import YAMLDocuments

/// The gateway's configuration: one YAML file, each key also settable by the environment.
///
/// Relative paths are relative to the configuration file. An unknown key is an error that suggests the nearest one.
public struct GatewayConfiguration: Sendable {
  public struct Server: Sendable {
    public var host = "127.0.0.1"
    public var port = 8080
    /// The most bytes of a request's body.
    public var bodyLimit = 8 << 20
    /// How long a request may take from its head to its last byte.
    public var bodySeconds = 30
    /// How long a connection may be open with nothing asked.
    public var idleSeconds = 120
    /// How long running requests have to end once the process is told to stop.
    public var shutdownSeconds = 30
    /// Connections at once; more wait to be accepted.
    public var connections = 10_000
    /// The most bytes of a request's head.
    public var headLimit = 32 << 10
    /// A PEM chain and its key, for TLS in the process; nil serves plain HTTP/1.1.
    public var certificate: String?
    public var certificateKey: String?
    /// Where admin requests may come from; empty for anywhere.
    public var adminNetworks: [String] = []
    /// Whose tokens let people into the admin API beside admin keys.
    public var adminTokens: AdminTokens?
  }

  public struct Model: Sendable {
    public var id: ModelID
    /// The weights, for a model that runs here.
    public var file: String?
    /// Where it runs, for a model that runs elsewhere.
    public var remote: RemoteModel?
    public var terms: [TermFileID]
    /// Adapters and auxiliary models that work in the same call.
    public var beside: [Part] = []
    /// Models that are asked in turn while this one cannot be reached; each has a license and a price of its own.
    public var fallbacks: [ModelID] = []
    /// What the operator states of the model itself, as its term files ask for it (its modalities, its variant).
    var facts: [Document.Member] = []
    /// The digest that the weights must have; with it they may replace others under the same name.
    var weights: Digest?
    /// What the terms are asked for at a request.
    var action = Action.use
    /// What the file says of its license and the operator knows to be wrong.
    var embeddedLicense: String?

    /// The term files of all parts.
    var allTerms: [TermFileID] { self.terms + self.beside.flatMap(\.terms) }
  }

  public struct Limits: Sendable {
    /// Completions that one model's engine runs at once.
    public var concurrentSequences = 16
    /// Completions that may wait for it; one more is refused as overloaded.
    public var queuedRequests = 256
    /// Threads of one model's engine; 0 for as many as there are cores for it.
    public var engineThreads = 0
    /// MiB that one model may take, weights, keys and values of all completions included; 0 for no limit.
    public var engineMemoryMiB = 0
    /// The most tokens of a prompt and its completion; 0 takes the model's own context.
    public var contextTokens = 0
    /// Completion tokens held at first for a request that names no limit of its own.
    public var initialHoldTokens = 256
    /// Requests in progress at once, over all models and customers.
    public var requestsInProgress = 4096
    /// Records that may wait for the disk.
    public var queuedRecords = 65_536
    /// Free bytes of the disk below which nothing is served.
    public var minimumFreeBytes = 64 << 20
  }

  public var server = Server()
  public var dataDirectory: String
  /// Encrypts the keys below the data directory, where it is named.
  public var keyFile: String?
  public var audit = Audit()
  public var billing = Billing()
  public var operatorName: String
  public var operatorCountry: String
  public var models: [Model]
  public var engines: [Engine]
  /// Folders of term files; each holds one folder per license with a `terms.yaml`.
  public var termsDirectories: [String]
  /// Term files that every model is under besides its own: laws of a place, house rules.
  public var termsForAllModels: [TermFileID]
  /// The operator's choices where a text is silent, by term file.
  var interpretations: [Document.Member] = []
  /// Rule packs for acceptable use.
  public var rulePacks: [String]
  /// Path of the weights of the acceptable-use classifier; `shipped` for those that come with the program, `off` for none.
  public var classifier: String
  /// Folder of the encoder behind the classifier; `off` for none.
  public var encoder: String
  /// A guard model that is asked for a second opinion, where one is.
  public var guardModel: GuardModel?
  /// Whence the gateway knows where a request comes from.
  public var requestRegion = RequestRegion()
  /// Months for which the key that end users are counted under is kept, the running one included.
  public var audienceKeyMonths = 13
  public var limits = Limits()
  var embedded = EmbeddedEngines()
  public var logLevel = "info"
  public enum LogFormat: String, Sendable, CaseIterable { case text, json }
  public var logFormat = LogFormat.text
  /// Whether each request gets a line, not only those that something is to be said about.
  public var logsRequests = false
  /// Seconds between signed checkpoints of the log.
  public var checkpointSeconds = 10
  /// A collector of OpenTelemetry over HTTP, without the path of a signal; nil tells none.
  public var collector: String?
  /// Seconds between two reports to it.
  public var collectorSeconds = 10

  /// Reads a file and the environment over it.
  ///
  /// - Throws: ``ConfigurationError`` naming the file, the line and the key.
  public static func load(path: String, environment: [String: String]) throws(ConfigurationError) -> GatewayConfiguration {
    let bytes = try readFile(path)
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    do throws(DocumentError) {
      let document = try Document.parseYAML(bytes)
      let overridden = try EnvironmentOverrides(environment).apply(to: document)
      return try GatewayConfiguration(overridden, directory: directory)
    } catch {
      throw ConfigurationError(path: path, message: error.description)
    }
  }

  init(_ document: Document, directory: String) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.server = try Self.server(&reader, directory)
    var data = try reader.reader("data")
    self.dataDirectory = Self.resolve(try data.string("directory"), directory)
    self.keyFile = try data.optionalString("key_file").map { Self.resolve($0, directory) }
    self.audienceKeyMonths = try data.optionalInteger("audience_key_months", in: 2...240) ?? 13
    try data.finish()
    self.audit = try Self.audit(&reader, resolve: { Self.resolve($0, directory) })
    var store = try reader.optionalReader("store")
    if let url = try store?.optionalString("url"), url != "sqlite" {
      throw store?.failure("url", "'\(url)' is not supported; 'sqlite' is the store of this version")
        ?? reader.failure("store", "only 'sqlite' is supported")
    }
    try store?.finish()
    var party = try reader.reader("operator")
    self.operatorName = try party.string("name")
    self.operatorCountry = try party.string("country")
    try party.finish()
    self.engines = try Self.engines(&reader) { Self.resolve($0, directory) }
    self.models = try Self.models(&reader, directory, engines: self.engines)
    var policies = try reader.optionalReader("policies")
    self.termsDirectories = try policies?.strings("terms").map { Self.resolve($0, directory) } ?? []
    self.rulePacks = try policies?.strings("acceptable_use").map { Self.resolve($0, directory) } ?? []
    self.termsForAllModels = try policies?.strings("for_all_models").map { TermFileID($0) } ?? []
    let classifier = try policies?.optionalString("classifier") ?? "shipped"
    self.classifier = ["shipped", "off"].contains(classifier) ? classifier : Self.resolve(classifier, directory)
    let encoder = try policies?.optionalString("encoder") ?? "off"
    self.encoder = encoder == "off" ? encoder : Self.resolve(encoder, directory)
    if let section = policies, self.encoder != "off", self.classifier == "off" {
      throw section.failure("encoder", "reads what the classifier is in doubt about, and the classifier is off")
    }
    if var section = policies {
      self.interpretations = try Self.members(&section, "interpretations")
      self.requestRegion = try RequestRegion(&section)
      self.guardModel = try Self.guardModel(&section, models: self.models) { Self.resolve($0, directory) }
      try section.finish()
    }
    self.limits = try Self.limits(&reader)
    self.embedded = try EmbeddedEngines(&reader)
    self.billing = try Self.billing(&reader)
    var log = try reader.optionalReader("log")
    self.logLevel = try log?.optionalString("level") ?? "info"
    if let level = log, !["trace", "debug", "info", "notice", "warning", "error", "critical"].contains(self.logLevel) {
      throw level.failure("level", "'\(self.logLevel)' is not one of: trace, debug, info, notice, warning, error, critical")
    }
    if var section = log {
      try self.readLog(&section)
      try section.finish()
    }
    if var section = try reader.optionalReader("telemetry") {
      try self.readTelemetry(&section)
      try section.finish()
    }
    try reader.finish()
  }

  private static func server(_ reader: inout DocumentReader, _ directory: String) throws(DocumentError) -> Server {
    var server = Server()
    guard var section = try reader.optionalReader("server") else { return server }
    if let listen = try section.optionalString("listen") {
      guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]),
        (0...65_535).contains(port),
        colon > listen.startIndex
      else { throw section.failure("listen", "'\(listen)' is not of the form host:port, such as 127.0.0.1:8080") }
      server.host = String(listen[..<colon])
      server.port = port
    }
    server.bodyLimit = try section.optionalInteger("body_limit_bytes", in: 1024...(1 << 30)) ?? server.bodyLimit
    server.bodySeconds = try section.optionalInteger("body_seconds", in: 1...3600) ?? server.bodySeconds
    server.idleSeconds = try section.optionalInteger("idle_seconds", in: 1...86_400) ?? server.idleSeconds
    server.shutdownSeconds = try section.optionalInteger("shutdown_seconds", in: 1...3600) ?? server.shutdownSeconds
    try Self.access(&section, directory, &server)
    try section.finish()
    return server
  }

  private mutating func readLog(_ section: inout DocumentReader) throws(DocumentError) {
    let format = try section.optionalString("format") ?? LogFormat.text.rawValue
    guard let known = LogFormat(rawValue: format) else {
      throw section.failure("format", "'\(format)' is not one of: text, json")
    }
    self.logFormat = known
    self.logsRequests = try section.optionalBool("requests") ?? false
  }

  private mutating func readTelemetry(_ section: inout DocumentReader) throws(DocumentError) {
    self.checkpointSeconds = try section.optionalInteger("checkpoint_seconds", in: 1...3600) ?? self.checkpointSeconds
    self.collectorSeconds = try section.optionalInteger("otlp_seconds", in: 1...3600) ?? self.collectorSeconds
    guard let url = try section.optionalString("otlp_url") else { return }
    guard let parts = URL(string: url), ["http", "https"].contains(parts.scheme), parts.host != nil else {
      throw section.failure("otlp_url", "'\(url)' is not of the form http://host:port")
    }
    self.collector = url.hasSuffix("/") ? String(url.dropLast()) : url
  }

  private static func access(
    _ section: inout DocumentReader, _ directory: String, _ server: inout Server
  ) throws(DocumentError) {
    server.connections = try section.optionalInteger("connections", in: 1...1_000_000) ?? server.connections
    server.headLimit = try section.optionalInteger("head_limit_bytes", in: 1024...(1 << 20)) ?? server.headLimit
    server.certificate = try section.optionalString("certificate").map { Self.resolve($0, directory) }
    server.certificateKey = try section.optionalString("certificate_key").map { Self.resolve($0, directory) }
    guard (server.certificate == nil) == (server.certificateKey == nil) else {
      throw section.failure("certificate", "'certificate' and 'certificate_key' belong together")
    }
    server.adminTokens = try Self.adminTokens(&section) { Self.resolve($0, directory) }
    server.adminNetworks = try section.strings("admin_from")
    for network in server.adminNetworks where AddressRange(network) == nil {
      throw section.failure("admin_from", "'\(network)' is neither an IP address nor a network such as 10.0.0.0/8")
    }
  }

  private static func models(
    _ reader: inout DocumentReader, _ directory: String, engines: [Engine]
  ) throws(DocumentError) -> [Model] {
    let models = try reader.list("models").map { (path, element) throws(DocumentError) in
      var model = try DocumentReader(element, path: path)
      let id = try model.string("id")
      let terms = try model.strings("terms")
      let remote = try Self.remote(&model, engines: engines) { Self.resolve($0, directory) }
      let file = remote == nil ? try model.string("file") : nil
      let fallbacks = try model.strings("fallbacks").map { ModelID($0) }
      let facts = try Self.members(&model, "facts")
      let beside = try Self.parts(&model) { Self.resolve($0, directory) }
      let governed = try Self.governed(&model)
      try model.finish()
      if remote != nil, governed.weights != nil || governed.embeddedLicense != nil {
        throw model.failure(
          governed.weights == nil ? "embedded_license" : "sha256",
          "speaks of the weights, and those of a model that runs elsewhere are not seen here")
      }
      guard !terms.isEmpty else {
        throw model.failure("terms", "name the term files of the model's license; nothing is served without")
      }
      return Model(
        id: ModelID(id), file: file.map { Self.resolve($0, directory) }, remote: remote, terms: terms.map { TermFileID($0) },
        beside: beside, fallbacks: fallbacks, facts: facts, weights: governed.weights, action: governed.action,
        embeddedLicense: governed.embeddedLicense)
    }
    try Self.checkFallbacks(models, reader)
    return models
  }

  private static func checkFallbacks(_ models: [Model], _ reader: DocumentReader) throws(DocumentError) {
    for (index, model) in models.enumerated() {
      for fallback in model.fallbacks where fallback == model.id || !models.contains(where: { $0.id == fallback }) {
        let known = models.map(\.id.name).filter { $0 != model.id.name }
        let near = nearestName(to: fallback.name, among: known).map { "; did you mean '\($0)'?" } ?? ""
        throw reader.failure("models", "[\(index)].fallbacks: '\(fallback)' is no other model of this file\(near)")
      }
    }
  }

  /// The weights that are meant, the act that is governed, and a claim of the file that is known to be wrong.
  private static func governed(
    _ model: inout DocumentReader
  ) throws(DocumentError) -> (weights: Digest?, action: Action, embeddedLicense: String?) {
    var weights: Digest?
    if let text = try model.optionalString("sha256") {
      weights = Digest(hexadecimal: text)
      guard weights != nil else { throw model.failure("sha256", "64 hexadecimal digits belong here") }
    }
    var action = Action.use
    if let name = try model.optionalString("action") {
      guard let known = Action(rawValue: name), known == .use || known == .host else {
        throw model.failure("action", "'\(name)' is not one of: use, host")
      }
      action = known
    }
    return (weights, action, try model.optionalString("embedded_license"))
  }

  static func members(_ reader: inout DocumentReader, _ key: String) throws(DocumentError) -> [Document.Member] {
    guard let document = reader.document(key) else { return [] }
    guard case .map(let members) = document.content else { throw reader.failure(key, "a map belongs here, not \(document.kind)") }
    return members
  }

  private static func limits(_ reader: inout DocumentReader) throws(DocumentError) -> Limits {
    var limits = Limits()
    guard var section = try reader.optionalReader("limits") else { return limits }
    limits.concurrentSequences = try section.optionalInteger("concurrent_sequences", in: 1...1024) ?? limits.concurrentSequences
    limits.queuedRequests = try section.optionalInteger("queued_requests", in: 0...100_000) ?? limits.queuedRequests
    limits.engineMemoryMiB = try section.optionalInteger("engine_memory_mib", in: 0...1 << 30) ?? limits.engineMemoryMiB
    limits.engineThreads = try section.optionalInteger("engine_threads", in: 0...256) ?? limits.engineThreads
    limits.contextTokens = try section.optionalInteger("context_tokens", in: 0...1_048_576) ?? limits.contextTokens
    limits.initialHoldTokens = try section.optionalInteger("initial_hold_tokens", in: 1...1_048_576) ?? limits.initialHoldTokens
    limits.requestsInProgress =
      try section.optionalInteger("requests_in_progress", in: 1...1_000_000) ?? limits.requestsInProgress
    limits.queuedRecords = try section.optionalInteger("queued_records", in: 1...10_000_000) ?? limits.queuedRecords
    limits.minimumFreeBytes = try section.optionalInteger("minimum_free_bytes", in: 0...(1 << 50)) ?? limits.minimumFreeBytes
    try section.finish()
    return limits
  }

  private static func resolve(_ path: String, _ directory: String) -> String {
    path.hasPrefix("/") ? path : URL(fileURLWithPath: directory).appendingPathComponent(path).standardizedFileURL.path
  }
}

/// A configuration, term file or rule pack that cannot be used.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
  public var path: String
  public var message: String

  public var description: String { "\(self.path): \(self.message)" }
}

/// The bytes of a file of at most 16 MiB.
func readFile(_ path: String) throws(ConfigurationError) -> [UInt8] {
  guard let data = FileManager.default.contents(atPath: path) else {
    throw ConfigurationError(path: path, message: "cannot be read; check that it exists and may be read")
  }
  guard data.count <= 16 << 20 else { throw ConfigurationError(path: path, message: "is larger than 16 MiB") }
  return Array(data)
}
