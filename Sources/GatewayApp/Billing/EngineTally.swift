internal import Documents
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import InferenceEngine

/// What the engines of this process count of themselves, kept by month over restarts: the side of the capture rate that the ledger has
/// no part in. A process that is killed takes with it what was counted since the last look.
actor EngineTally {
  private let engines: EngineRoom
  private let store: SQLiteStore
  /// As the engines had counted at the last look, since the process began.
  private var seen: [ModelID: ProducedTokens.Count] = [:]
  private var months: [CalendarMonth: ProducedTokens] = [:]
  /// The disk has what memory has.
  private var isKept = false

  init(engines: EngineRoom, store: SQLiteStore) {
    self.engines = engines
    self.store = store
  }

  /// Keeps what was counted since the last look, in the month of now.
  func look() async throws {
    let now = wallClock()
    var tally = try await self.stored(now.month) ?? ProducedTokens(since: now)
    let isNew = self.months[now.month] == nil
    let before = tally
    var seen = self.seen
    for (model, engine) in self.engines.engines {
      let statistics = engine.statistics
      let count = ProducedTokens.Count(
        prompt: Int(clamping: statistics.promptTokens), completion: Int(clamping: statistics.completionTokens))
      let last = seen.updateValue(count, forKey: model) ?? ProducedTokens.Count()
      var sum = tally.models[model] ?? ProducedTokens.Count()
      sum.prompt = min(sum.prompt + count.prompt - last.prompt, TokenCount.largest.value)
      sum.completion = min(sum.completion + count.completion - last.completion, TokenCount.largest.value)
      tally.models[model] = sum
    }
    if isNew || tally != before || !self.isKept {
      let effect = StoreEffect.bookmark(name: Self.name(now.month), value: Self.json(tally).text)
      // Taken in before others can look: a look while this one is written adds to it.
      (self.seen, self.months[now.month], self.isKept) = (seen, tally, false)
      try await self.store.submit([JournalRecord(nil, effects: [effect])]).durable()
      self.isKept = true
    }
  }

  /// What was counted in a month; nil where nobody counted.
  func counts(of month: CalendarMonth) async throws -> ProducedTokens? {
    try await self.look()
    return try await self.stored(month)
  }

  private func stored(_ month: CalendarMonth) async throws -> ProducedTokens? {
    if let known = self.months[month] { return known }
    guard let text = try await self.store.bookmark(Self.name(month)) else { return nil }
    let tally: ProducedTokens
    do throws(DocumentError) { tally = try Self.reading(try Document.parseJSON(Array(text.utf8))) } catch {
      throw StartFailure("the bookmark '\(Self.name(month))' in the store cannot be read: \(error)")
    }
    // Another look may have come between.
    return self.months[month] ?? tally
  }

  private static func name(_ month: CalendarMonth) -> String { "engine tokens \(month)" }

  private static func json(_ tally: ProducedTokens) -> JSON {
    [
      "since": .string(tally.since.description),
      "models": .array(
        tally.models.sorted { $0.key < $1.key }.map {
          ["model": .string($0.name), "prompt": .integer($1.prompt), "completion": .integer($1.completion)]
        }),
    ]
  }

  private static func reading(_ document: Document) throws(DocumentError) -> ProducedTokens {
    var reader = try DocumentReader(document)
    guard let since = Timestamp(try reader.string("since")) else { throw reader.failure("since", "is no time") }
    var tally = ProducedTokens(since: since)
    for (path, element) in try reader.list("models") {
      var model = try DocumentReader(element, path: path)
      let range = 0...TokenCount.largest.value
      tally.models[ModelID(try model.string("model"))] = ProducedTokens.Count(
        prompt: try model.integer("prompt", in: range), completion: try model.integer("completion", in: range))
      try model.finish()
    }
    try reader.finish()
    return tally
  }
}
