internal import AcceptableUse
internal import AuditTrail
public import Documents
internal import GovernanceTypes
internal import LicenseTerms

extension GatewayConfiguration {
  /// The configuration in force, section by section; it holds no secret.
  public var json: JSON {
    [
      "server": [
        "listen": .string("\(self.server.host):\(self.server.port)"), "body_limit_bytes": .integer(self.server.bodyLimit),
        "body_seconds": .integer(self.server.bodySeconds), "idle_seconds": .integer(self.server.idleSeconds),
        "shutdown_seconds": .integer(self.server.shutdownSeconds),
        "connections": .integer(self.server.connections), "head_limit_bytes": .integer(self.server.headLimit),
        "certificate": JSON(self.server.certificate), "certificate_key": JSON(self.server.certificateKey),
        "admin_from": .array(self.server.adminNetworks.map(JSON.string)),
        "admin_tokens": self.server.adminTokens?.json ?? .null,
      ],
      "data": [
        "directory": .string(self.dataDirectory), "key_file": JSON(self.keyFile),
        "audience_key_months": .integer(self.audienceKeyMonths),
      ],
      "store": ["url": "sqlite"],
      "operator": ["name": .string(self.operatorName), "country": .string(self.operatorCountry)],
      "models": .array(
        self.models.map(\.json)),
      "engines": .array(self.engines.map(\.json)),
      "policies": [
        "terms": .array(self.termsDirectories.map(JSON.string)), "acceptable_use": .array(self.rulePacks.map(JSON.string)),
        "classifier": .string(self.classifier), "encoder": .string(self.encoder),
        "request_region": self.requestRegion.json, "second_opinion": self.guardModel?.json ?? .null,
      ],
      "engine": self.embedded.json,
      "billing": self.billing.json,
      "limits": [
        "concurrent_sequences": .integer(self.limits.concurrentSequences),
        "queued_requests": .integer(self.limits.queuedRequests),
        "engine_threads": .integer(self.limits.engineThreads), "engine_memory_mib": .integer(self.limits.engineMemoryMiB),
        "context_tokens": .integer(self.limits.contextTokens),
        "initial_hold_tokens": .integer(self.limits.initialHoldTokens),
        "requests_in_progress": .integer(self.limits.requestsInProgress), "queued_records": .integer(self.limits.queuedRecords),
        "minimum_free_bytes": .integer(self.limits.minimumFreeBytes),
      ],
      "audit": [
        "heartbeat_seconds": .integer(self.audit.heartbeatSeconds),
        "witnesses": .array(self.audit.witnesses.map { ["url": .string($0.url), "key": .string($0.key.vkey)] }),
        "witness_for": .array(self.audit.witnessFor.map(JSON.string)), "timestamp": JSON(self.audit.timestamp?.url),
      ],
      "log": [
        "level": .string(self.logLevel), "format": .string(self.logFormat.rawValue), "requests": .bool(self.logsRequests),
      ],
      "telemetry": [
        "checkpoint_seconds": .integer(self.checkpointSeconds), "otlp_url": JSON(self.collector),
        "otlp_seconds": .integer(self.collectorSeconds),
      ],
    ]
  }

  /// The same as rows of `section.key` and value.
  public var rows: [(String, String)] {
    guard case .object(let sections) = self.json else { return [] }
    return sections.flatMap { section -> [(String, String)] in
      guard case .object(let members) = section.value else { return [(section.key, section.value.text)] }
      return members.map { ("\(section.key).\($0.key)", $0.value.text) }
    }
  }

  /// Reads all that the configuration names, as a start would: term files, rule packs, terms of each model.
  ///
  /// - Throws: What a start would throw, before anything is opened or written.
  public func check(environment: [String: String]) throws -> JSON {
    let packs = try RuleLibrary.packs(self.rulePacks, environment: environment)
    let terms = try TermLibrary.load(self, packs: packs, environment: environment)
    _ = try TermLibrary.interpretations(self, terms: terms)
    let classifier = try RuleLibrary.classifier(self.classifier, environment: environment)
    try RuleLibrary.check(packs, classifier, against: terms)
    _ = try EncoderFolder.load(self.encoder, behind: classifier)
    for file in self.models.compactMap(\.file) {
      _ = try ModelDigest.of(model: file)
    }
    for tokenizer in self.models.compactMap(\.remote?.tokenizer) { _ = try VocabularyFile.counter(tokenizer) }
    return [
      "ok": true, "terms": .array(terms.map { .string($0.id.name) }), "rule_packs": .array(packs.map { .string($0.id) }),
      "models": .array(self.models.map { .string($0.id.name) }),
    ]
  }
}

extension GatewayConfiguration.Model {
  fileprivate var json: JSON {
    var members = [JSONMember("id", .string(self.id.name))]
    if let file = self.file { members.append(JSONMember("file", .string(file))) }
    if let remote = self.remote {
      members.append(
        JSONMember(
          "engines",
          .array(
            remote.members.map {
              ["engine": .string($0.engine), "upstream_model": .string($0.model), "weight": .integer($0.weight)]
            })))
      members.append(JSONMember("context_tokens", .integer(remote.contextTokens)))
      if let tokenizer = remote.tokenizer { members.append(JSONMember("tokenizer", .string(tokenizer))) }
      members.append(JSONMember("attempts", .integer(remote.attempts)))
    }
    members.append(JSONMember("terms", .array(self.terms.map { .string($0.name) })))
    if !self.beside.isEmpty {
      members.append(
        JSONMember(
          "beside",
          .array(
            self.beside.map {
              [
                "part": .string($0.name.description), "terms": .array($0.terms.map { .string($0.name) }), "file": JSON($0.file),
              ]
            })))
    }
    if !self.fallbacks.isEmpty { members.append(JSONMember("fallbacks", .array(self.fallbacks.map { .string($0.name) }))) }
    return .object(members)
  }
}

extension GatewayConfiguration.Engine {
  fileprivate var json: JSON {
    [
      "id": .string(self.id), "url": .string(self.url), "api_key_env": JSON(self.apiKeyVariable),
      "connect_seconds": .integer(self.connectSeconds), "first_byte_seconds": .integer(self.firstByteSeconds),
      "between_chunks_seconds": .integer(self.betweenChunksSeconds), "total_seconds": .integer(self.totalSeconds),
      "concurrent_requests": .integer(self.concurrentRequests), "failures_to_open": .integer(self.failuresToOpen),
      "rest_seconds": .integer(self.restSeconds), "counts_each_chunk": .bool(self.countsEachChunk),
      "ca_file": JSON(self.authorities),
    ]
  }
}
