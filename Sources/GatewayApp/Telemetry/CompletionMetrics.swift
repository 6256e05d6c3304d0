internal import Documents
internal import GatewayHTTP
internal import Governance
internal import GovernanceTypes

/// The metrics of completions by OpenTelemetry's conventions for generative AI: what is billed, how long it took, when it began.
/// Cumulative since the start. No customer, key or user is in them.
struct CompletionMetrics: Sendable {
  private enum Instrument: CaseIterable {
    case tokens, duration, firstToken

    var name: String {
      switch self {
      case .tokens: "gen_ai.client.token.usage"
      case .duration: "gen_ai.server.request.duration"
      case .firstToken: "gen_ai.server.time_to_first_token"
      }
    }

    var unit: String { self == .tokens ? "{token}" : "s" }

    /// The upper bounds that the conventions ask for.
    var bounds: [Double] {
      switch self {
      case .tokens: (0...13).map { Double(1 << (2 * $0)) }
      case .duration: (0...13).map { 0.01 * Double(1 << $0) }
      case .firstToken: [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
      }
    }
  }

  private struct Series: Hashable {
    var instrument: Instrument
    var operation: String
    var asked: String
    var model: String
    var tokenType: String?
    var error: String?
  }

  private struct Histogram {
    var count = 0
    var sum = 0.0
    var buckets: [Int]
  }

  private let since: Timestamp
  private var histograms: [Series: Histogram] = [:]

  init(since: Timestamp) { self.since = since }

  var isEmpty: Bool { self.histograms.isEmpty }

  mutating func count(_ served: ServedCompletion) {
    let record = served.record
    // As many series as there are models: a name that no model has is refused before it gets here.
    var series = Series(
      instrument: .tokens, operation: served.operation, asked: served.askedModel, model: record.model.name, tokenType: "input")
    self.add(Double(record.tokens.prompt.value), to: series)
    series.tokenType = "output"
    self.add(Double(record.tokens.completion.value), to: series)
    series.tokenType = nil
    if let first = served.firstPiece {
      series.instrument = .firstToken
      self.add(first / .seconds(1), to: series)
    }
    series.instrument = .duration
    series.error = served.isError ? record.finish : nil
    self.add(Double(record.settledAt.nanoseconds - record.heldAt.nanoseconds) / 1_000_000_000, to: series)
  }

  private mutating func add(_ value: Double, to series: Series) {
    let bounds = series.instrument.bounds
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    var histogram = self.histograms[series] ?? Histogram(buckets: Array(repeating: 0, count: bounds.count + 1))
    histogram.count += 1
    histogram.sum += value
    histogram.buckets[bucket] += 1
    self.histograms[series] = histogram
  }

  func json(at now: Timestamp, resource: JSON) -> JSON {
    let metrics = Instrument.allCases.compactMap { instrument -> JSON? in
      let points = self.histograms.filter { $0.key.instrument == instrument }.map { self.point($0.key, $0.value, at: now) }
      guard !points.isEmpty else { return nil }
      return [
        "name": .string(instrument.name), "unit": .string(instrument.unit),
        "histogram": ["aggregationTemporality": 2, "dataPoints": .array(points)],
      ]
    }
    return OTLP.metrics(metrics, resource: resource)
  }

  private func point(_ series: Series, _ histogram: Histogram, at now: Timestamp) -> JSON {
    var attributes = [
      OTLP.attribute("gen_ai.operation.name", series.operation), OTLP.attribute("gen_ai.provider.name", OTLP.provider),
      OTLP.attribute("gen_ai.request.model", series.asked), OTLP.attribute("gen_ai.response.model", series.model),
    ]
    if let type = series.tokenType { attributes.append(OTLP.attribute("gen_ai.token.type", type)) }
    if let error = series.error { attributes.append(OTLP.attribute("error.type", error)) }
    return [
      "attributes": .array(attributes), "startTimeUnixNano": .string(String(self.since.nanoseconds)),
      "timeUnixNano": .string(String(now.nanoseconds)), "count": .string(String(histogram.count)),
      "sum": .number("\(histogram.sum)"), "bucketCounts": .array(histogram.buckets.map { .string(String($0)) }),
      "explicitBounds": .array(series.instrument.bounds.map { .number("\($0)") }),
    ]
  }
}
