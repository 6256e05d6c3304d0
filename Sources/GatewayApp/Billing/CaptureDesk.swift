internal import Billing
internal import Governance
internal import GovernanceTypes

/// Reckons the capture rate of a month, and keeps that of the newest month that is over for the metrics.
actor CaptureDesk {
  private let gate: Gate
  private let tally: EngineTally
  private var newest: CaptureReport?
  /// What the newest report was made of, and when.
  private var basis: (month: CalendarMonth, documents: Int, at: Timestamp)?

  /// Not before then is reckoned again.
  private var rested = ContinuousClock.now

  /// In seconds: a month that is over changes by its invoices alone, and by requests that were held in it and still run.
  private static let longestKept: Int64 = 3600

  init(gate: Gate, tally: EngineTally) {
    self.gate = gate
    self.tally = tally
  }

  /// Keeps what engines counted.
  func keep() async throws { try await self.tally.look() }

  /// Reckons the last month anew where it has other documents or an hour is over; where that takes long, the more seldom: a run of
  /// invoices is not held up by a look at each of them.
  func look() async throws {
    guard ContinuousClock.now >= self.rested else { return }
    let now = wallClock()
    let month = now.month.previous
    let documents = self.gate.finalInvoices(from: month.start, to: month.end).count
    if let basis, basis.month == month, basis.documents == documents, now.seconds - basis.at.seconds < Self.longestKept { return }
    let start = ContinuousClock.now
    self.newest = try await self.report(of: month)
    self.rested = ContinuousClock.now + (ContinuousClock.now - start) * 20
    self.basis = (month, documents, now)
  }

  /// - Throws: ``Refusal`` where the books cannot be read.
  func report(of month: CalendarMonth) async throws -> CaptureReport {
    try await self.gate.captureRate(of: month, produced: try await self.tally.counts(of: month))
  }

  func add(to page: inout PrometheusText) {
    page.family(
      "weighbridge_capture_tokens", .gauge,
      "Tokens of the newest month that is over, by stage on their way from the engine to an invoice.")
    for row in self.newest?.rate.rows ?? [] {
      let stages = [
        ("produced", row.produced), ("settled", row.settled), ("undelivered", row.undelivered), ("invoiced", row.invoiced),
      ]
      for (stage, count) in stages {
        page.sample(
          [
            ("month", self.newest?.period.description ?? ""), ("model", row.meter.model.name),
            ("category", row.meter.category.rawValue),
            ("stage", stage),
          ], String(count))
      }
    }
    page.family("weighbridge_capture_ratio", .gauge, "Invoiced by produced and to be charged, of that month.")
    guard let report = self.newest, let millionths = report.rate.millionths else { return }
    let fraction = String(1_000_000 + millionths.magnitude % 1_000_000).dropFirst()
    page.sample(
      [("month", report.period.description)], "\(millionths < 0 ? "-" : "")\(millionths.magnitude / 1_000_000).\(fraction)")
  }
}
