internal import GatewayHTTP
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import InferenceEngine
internal import RemoteEngines

/// The metrics in Prometheus' text format. No label names a customer, a key or a user.
struct MetricsPage: Sendable {
  let gate: Gate
  let store: SQLiteStore
  let engines: EngineRoom
  let desk: AdmissionDesk
  let billing: BillingService

  func text() async -> String {
    var page = PrometheusText()
    self.addGovernance(to: &page)
    self.addStore(to: &page)
    self.addEngines(to: &page)
    self.addUpstreams(to: &page)
    // A store that cannot be read says so in the metrics of the store; what else is known is told.
    return page.text + ((try? await self.billing.metrics()) ?? "")
  }

  private func addGovernance(to page: inout PrometheusText) {
    let counts = self.gate.counts
    page.family("weighbridge_requests_total", .counter, "Requests by outcome: settled, voided, or the code of the refusal.")
    for (outcome, count) in counts.requests { page.sample([("outcome", outcome)], String(count)) }
    page.family("weighbridge_decisions_total", .counter, "Decisions by moment, verdict, license and clause.")
    for (decision, count) in counts.decisions {
      page.sample(
        [
          ("moment", decision.moment), ("verdict", decision.verdict), ("license", decision.license), ("clause", decision.clause),
        ], String(count))
    }
    page.family("weighbridge_tokens_total", .counter, "Settled tokens by model and category.")
    for (tokens, count) in counts.tokens {
      page.sample([("model", tokens.model.name), ("category", tokens.category.rawValue)], String(count))
    }
    page.family(
      "weighbridge_undelivered_tokens_total", .counter, "Tokens that were or may have been produced and are charged to nobody.")
    for (model, count) in counts.undelivered { page.sample([("model", model.name)], String(count)) }
    page.family("weighbridge_spend_nano_total", .counter, "Settled charges in nano-units of their currency.")
    for (currency, amount) in counts.spend { page.sample([("currency", currency.description)], String(amount.nano)) }
    page.family("weighbridge_holds", .gauge, "Open holds.")
    page.sample([], String(self.gate.openHoldCount))
    page.family("weighbridge_active_users", .gauge, "Distinct end users of this calendar month, by license and for the operator.")
    for (scope, users) in self.gate.activeUsers {
      if scope == "operator" { page.sample([("scope", "operator"), ("license", "")], String(users)) }
      if scope.hasPrefix("license:") {
        page.sample([("scope", "license"), ("license", String(scope.dropFirst(8)))], String(users))
      }
    }
    self.addLicensing(to: &page, alerts: counts.alerts)
    page.family("weighbridge_admission_seconds", .histogram, "From a request's arrival to its hold's submission.")
    page.histogram(
      bounds: CounterSnapshot.admissionBounds, counts: counts.admissionBuckets,
      sumMicroseconds: Int(counts.admissionNanoseconds / 1000))
  }

  private func addLicensing(to page: inout PrometheusText, alerts: [Alert.Kind: Int]) {
    page.family(
      "weighbridge_active_user_cap_ratio", .gauge,
      "Upper bound of the fullest scope's users by its cap: of a limit, or of what was attested.")
    for (source, thousandths) in self.gate.capRatios() {
      page.sample([("source", source)], "\(thousandths / 1000).\(String(1000 + thousandths % 1000).dropFirst())")
    }
    page.family(
      "weighbridge_records_ending", .gauge, "Records that end within 30 days, or have ended with nothing after them, by kind.")
    for (kind, state, count) in self.gate.expiryCounts(within: .seconds(30 * 86_400)) {
      page.sample([("kind", kind), ("state", state)], String(count))
    }
    page.family("weighbridge_alerts_total", .counter, "What somebody should look at, by kind.")
    for kind in Alert.Kind.allCases { page.sample([("kind", kind.rawValue)], String(alerts[kind] ?? 0)) }
  }

  private func addUpstreams(to page: inout PrometheusText) {
    page.family("weighbridge_requests_in_progress", .gauge, "Requests that have been let in and are not over.")
    page.sample([], String(self.desk.requestsInProgress))
    let all = self.engines.remote.upstreams.map { ($0.settings.id, $0.statistics) }
    page.family("weighbridge_engine_upstream_attempts_total", .counter, "Attempts at a server elsewhere, by how they ended.")
    for (id, statistics) in all {
      let outcomes = [
        ("succeeded", statistics.succeeded), ("failed", statistics.failed), ("busy", statistics.refused),
        ("cancelled", statistics.cancelled),
      ]
      for (outcome, count) in outcomes { page.sample([("engine", id), ("outcome", outcome)], String(count)) }
    }
    page.family("weighbridge_engine_upstream_retries_total", .counter, "Attempts that followed one that failed.")
    for (id, statistics) in all { page.sample([("engine", id)], String(statistics.retried)) }
    page.family("weighbridge_engine_upstream_running", .gauge, "Attempts in progress.")
    for (id, statistics) in all { page.sample([("engine", id)], String(statistics.running)) }
    page.family("weighbridge_engine_upstream_resting", .gauge, "1 while a server is left alone after failures.")
    for (id, statistics) in all { page.sample([("engine", id)], statistics.isResting ? "1" : "0") }
    page.family("weighbridge_engine_upstream_tokens_total", .counter, "Completion tokens that were handed on.")
    for (id, statistics) in all { page.sample([("engine", id)], String(statistics.tokens)) }
    page.family(
      "weighbridge_engine_upstream_usage_differences_total", .counter,
      "Answers whose usage, as the server reported it, was not what was counted here.")
    for (id, statistics) in all { page.sample([("engine", id)], String(statistics.usageDifferences)) }
  }

  private func addStore(to page: inout PrometheusText) {
    let statistics = self.store.statistics
    page.family("weighbridge_commit_seconds", .histogram, "Group commits, disk sync included.")
    page.histogram(
      bounds: statistics.commitMicroseconds.bounds, counts: statistics.commitMicroseconds.counts,
      sumMicroseconds: statistics.commitMicroseconds.sum)
    page.family("weighbridge_commit_records_total", .counter, "Records written by group commits.")
    page.sample([], String(statistics.records))
    page.family("weighbridge_commit_queue_records", .gauge, "Records that wait for the disk.")
    page.sample([], String(statistics.queueDepth))
    page.family("weighbridge_commit_failures_total", .counter, "Submissions that could not be made durable.")
    page.sample([], String(statistics.failures))
    page.family("weighbridge_log_entries", .gauge, "Entries in the tamper-evident log.")
    page.sample([], String(self.store.logSize))
  }

  private func addEngines(to page: inout PrometheusText) {
    let all = self.engines.engines.map { ($0.model.name, $0.engine.statistics) }
    page.family("weighbridge_engine_running", .gauge, "Sequences that an engine is working on.")
    for (model, statistics) in all { page.sample([("model", model)], String(statistics.running)) }
    page.family("weighbridge_engine_queued", .gauge, "Requests that wait for an engine.")
    for (model, statistics) in all { page.sample([("model", model)], String(statistics.queued)) }
    page.family(
      "weighbridge_engine_tokens_total", .counter, "Tokens that an engine read and produced, counted by the engine itself.")
    for (model, statistics) in all {
      page.sample([("model", model), ("kind", "prompt")], String(statistics.promptTokens))
      page.sample([("model", model), ("kind", "completion")], String(statistics.completionTokens))
    }
  }
}

/// Writes the exposition format, families in the order added, samples sorted by label.
struct PrometheusText {
  enum Kind: String { case counter, gauge, histogram }

  private(set) var text = ""
  private var family = ""

  mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    self.family = name
    self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  mutating func sample(_ labels: [(name: String, value: String)], _ value: String, suffix: String = "") {
    let list = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
    self.text += "\(self.family)\(suffix)\(list.isEmpty ? "" : "{\(list)}") \(value)\n"
  }

  /// Bounds in microseconds, written in seconds; counts are not cumulative and have one bucket more than there are bounds.
  mutating func histogram(bounds: [Int], counts: [Int], sumMicroseconds: Int) {
    var total = 0
    for (bound, count) in zip(bounds, counts) {
      total += count
      self.sample([("le", Self.seconds(bound))], String(total), suffix: "_bucket")
    }
    total += counts.last ?? 0
    self.sample([("le", "+Inf")], String(total), suffix: "_bucket")
    self.sample([], Self.seconds(sumMicroseconds), suffix: "_sum")
    self.sample([], String(total), suffix: "_count")
  }

  private static func seconds(_ microseconds: Int) -> String {
    let fraction = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
  }

  private static func escaped(_ value: String) -> String {
    value.reduce(into: "") { text, character in
      switch character {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.append(character)
      }
    }
  }
}
