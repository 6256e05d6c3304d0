internal import Documents
internal import GovernanceTypes

extension GatewayConfiguration {
  /// A server that runs models for this gateway: the section `engines`.
  public struct Engine: Sendable {
    public var id: String
    public var url: String
    /// The environment variable that holds the server's key; the key itself has no place in a file.
    public var apiKeyVariable: String?
    public var connectSeconds = 5
    public var firstByteSeconds = 120
    public var betweenChunksSeconds = 60
    public var totalSeconds = 1800
    public var concurrentRequests = 256
    public var failuresToOpen = 3
    public var restSeconds = 5
    public var countsEachChunk = false
    /// Certificates in PEM of authorities that the system does not know, by which the server is vouched for.
    public var authorities: String?
  }

  /// How a model is reached that other servers run.
  public struct RemoteModel: Sendable {
    public struct Member: Sendable {
      public var engine: String
      public var model: String
      public var weight: Int
    }

    public var members: [Member]
    public var contextTokens: Int
    /// A GGUF file that carries the model's vocabulary; nil leaves holds to be made by bytes.
    public var tokenizer: String?
    public var attempts: Int
  }

  static func engines(_ reader: inout DocumentReader, resolve: (String) -> String) throws(DocumentError) -> [Engine] {
    var engines: [Engine] = []
    for (path, element) in try reader.list("engines") {
      var section = try DocumentReader(element, path: path)
      let engine = try self.engine(&section, resolve: resolve)
      guard !engines.contains(where: { $0.id == engine.id }) else {
        throw section.failure("id", "'\(engine.id)' stands twice; each engine needs an id of its own")
      }
      engines.append(engine)
    }
    return engines
  }

  private static func engine(_ section: inout DocumentReader, resolve: (String) -> String) throws(DocumentError) -> Engine {
    let id = try section.string("id")
    guard !id.isEmpty, id.utf8.count <= 64 else { throw section.failure("id", "1 to 64 bytes belong here") }
    let text = try section.string("url")
    guard let url = self.address(text) else {
      throw section.failure("url", "'\(text)' is not of the form http://host:port/v1 or https://host/v1")
    }
    var engine = Engine(id: id, url: url, apiKeyVariable: try section.optionalString("api_key_env"))
    if section.document("api_key") != nil {
      throw section.failure(
        "api_key", "a key has no place in this file; put it into the environment and name it by 'api_key_env'")
    }
    engine.connectSeconds = try section.optionalInteger("connect_seconds", in: 1...600) ?? engine.connectSeconds
    engine.firstByteSeconds = try section.optionalInteger("first_byte_seconds", in: 1...3600) ?? engine.firstByteSeconds
    engine.betweenChunksSeconds =
      try section.optionalInteger("between_chunks_seconds", in: 1...3600) ?? engine.betweenChunksSeconds
    engine.totalSeconds = try section.optionalInteger("total_seconds", in: 1...86_400) ?? engine.totalSeconds
    engine.concurrentRequests = try section.optionalInteger("concurrent_requests", in: 1...100_000) ?? engine.concurrentRequests
    engine.failuresToOpen = try section.optionalInteger("failures_to_open", in: 1...1000) ?? engine.failuresToOpen
    engine.restSeconds = try section.optionalInteger("rest_seconds", in: 1...3600) ?? engine.restSeconds
    engine.countsEachChunk = try section.optionalBool("counts_each_chunk") ?? engine.countsEachChunk
    engine.authorities = try section.optionalString("ca_file").map(resolve)
    if engine.authorities != nil, !url.hasPrefix("https://") {
      throw section.failure("ca_file", "belongs to an engine behind https; '\(url)' is asked without a certificate")
    }
    try section.finish()
    return engine
  }

  /// A base address without a slash at its end; nil where it is none, or carries a user, a query or a fragment.
  static func address(_ text: String) -> String? {
    guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else { return nil }
    let rest = text.dropFirst(scheme.count)
    guard let host = rest.first, host != "/", host != ":", text.utf8.count <= 2048,
      !rest.contains(where: { $0.isWhitespace || "@?#".contains($0) || !$0.isASCII })
    else { return nil }
    var url = text
    while url.last == "/" { url.removeLast() }
    return url
  }

  /// Reads how a model is reached; nil for one that has a file here.
  static func remote(
    _ model: inout DocumentReader, engines: [Engine], resolve: (String) -> String
  ) throws(DocumentError) -> RemoteModel? {
    let members = try self.members(&model, engines: engines)
    guard !members.isEmpty else {
      for key in ["upstream_model", "context_tokens", "tokenizer", "attempts"] where model.document(key) != nil {
        throw model.failure(key, "belongs to models with an 'engine'; this one has none")
      }
      return nil
    }
    guard model.document("file") == nil else {
      throw model.failure("file", "a model has either a 'file' here or an 'engine' elsewhere, not both")
    }
    return RemoteModel(
      members: members, contextTokens: try model.optionalInteger("context_tokens", in: 16...10_000_000) ?? 4096,
      tokenizer: try model.optionalString("tokenizer").map(resolve),
      attempts: try model.optionalInteger("attempts", in: 1...16) ?? 3)
  }

  private static func members(
    _ model: inout DocumentReader, engines: [Engine]
  ) throws(DocumentError) -> [RemoteModel.Member] {
    let upstreamModel = try model.optionalString("upstream_model")
    let name = try model.optionalString("id") ?? ""
    if let engine = try model.optionalString("engine") {
      guard model.document("engines") == nil else {
        throw model.failure("engines", "a model has either one 'engine' or several 'engines', not both")
      }
      try self.check(engine, at: "engine", of: model, engines)
      return [RemoteModel.Member(engine: engine, model: upstreamModel ?? name, weight: 1)]
    }
    return try model.list("engines").map { (path, element) throws(DocumentError) in
      var member = try DocumentReader(element, path: path)
      let engine = try member.string("engine")
      try self.check(engine, at: "engine", of: member, engines)
      let model = try member.optionalString("upstream_model") ?? upstreamModel ?? name
      let weight = try member.optionalInteger("weight", in: 1...1000) ?? 1
      try member.finish()
      return RemoteModel.Member(engine: engine, model: model, weight: weight)
    }
  }

  private static func check(
    _ id: String, at key: String, of reader: DocumentReader, _ engines: [Engine]
  ) throws(DocumentError) {
    guard !engines.contains(where: { $0.id == id }) else { return }
    let near = nearestName(to: id, among: engines.map(\.id)).map { "; did you mean '\($0)'?" } ?? ""
    throw reader.failure(key, "there is no engine '\(id)' in the section engines\(near)")
  }
}
