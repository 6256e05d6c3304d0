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
      ],
      "data": [
        "directory": .string(self.dataDirectory), "key_file": JSON(self.keyFile),
        "audience_key_months": .integer(self.audienceKeyMonths),
      ],
      "store": ["url": "sqlite"],
      "operator": ["name": .string(self.operatorName), "country": .string(self.operatorCountry)],
      "models": .array(
        self.models.map { model in
          ["id": .string(model.id.name), "file": .string(model.file), "terms": .array(model.terms.map { .string($0.name) })]
        }),
      "policies": [
        "terms": .array(self.termsDirectories.map(JSON.string)), "acceptable_use": .array(self.rulePacks.map(JSON.string)),
        "classifier": .string(self.classifier),
        "request_region": self.requestRegion.json,
      ],
      "limits": [
        "concurrent_sequences": .integer(self.limits.concurrentSequences),
        "queued_requests": .integer(self.limits.queuedRequests),
        "engine_threads": .integer(self.limits.engineThreads), "engine_memory_mib": .integer(self.limits.engineMemoryMiB),
        "context_tokens": .integer(self.limits.contextTokens),
        "initial_hold_tokens": .integer(self.limits.initialHoldTokens), "queued_records": .integer(self.limits.queuedRecords),
        "minimum_free_bytes": .integer(self.limits.minimumFreeBytes),
      ],
      "audit": [
        "heartbeat_seconds": .integer(self.audit.heartbeatSeconds),
        "witnesses": .array(self.audit.witnesses.map { ["url": .string($0.url), "key": .string($0.key.vkey)] }),
        "witness_for": .array(self.audit.witnessFor.map(JSON.string)), "timestamp": JSON(self.audit.timestamp?.url),
      ],
      "log": ["level": .string(self.logLevel)], "telemetry": ["checkpoint_seconds": .integer(self.checkpointSeconds)],
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
    for model in self.models {
      _ = try fileDigest(model.file)
    }
    return [
      "ok": true, "terms": .array(terms.map { .string($0.id.name) }), "rule_packs": .array(packs.map { .string($0.id) }),
      "models": .array(self.models.map { .string($0.id.name) }),
    ]
  }
}
