internal import AdminHTTP
internal import Billing
internal import Documents
internal import Foundation
internal import Governance
internal import GovernanceTypes

/// Usage exports: settled requests of a span of time as CSV, JSON Lines or FOCUS.
struct UsageTables: Sendable {
  let gate: Gate
  let operatorName: String

  private static let pageLength = 4096
  /// By each of two tasks.
  private static let invoicesAtOnce = 32
  /// Bytes.
  private static let usualRow = 512

  /// Reading and writing take a thread each: on the actor that asks for it they would take turns.
  @concurrent
  func write(_ format: ExportOrder.Format, from: Timestamp?, to: Timestamp?, path: String) async throws {
    guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
      throw StartFailure("\(path) cannot be written")
    }
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    defer { output.closeFile() }
    switch format {
    case .csv:
      try output.write(contentsOf: Data(UsageCSV.header))
      try await self.write(from: from, to: to, output) { records in
        var table = UsageCSV()
        return Self.bytes(records) { table.append($0, to: &$1) }
      }
    case .jsonl:
      try await self.write(from: from, to: to, output) { Self.bytes($0) { UsageJSONLines.append($0, to: &$1) } }
    case .focus: try await self.writeFocus(from: from, to: to, output)
    case .bundle: break
    }
  }

  private func write(
    from: Timestamp?, to: Timestamp?, _ output: FileHandle, _ rows: @escaping @Sendable (ArraySlice<UsageRecord>) -> [UInt8]
  ) async throws {
    try await self.eachPage(of: UsageQuery(from: from, to: to, order: .settlement)) { page in
      try await Self.write(page, to: output, rows)
    }
  }

  /// Reads the following page while one is taken.
  private func eachPage(of query: UsageQuery, _ take: ([UsageRecord]) async throws -> Void) async throws {
    var page = try await self.gate.usageRecords(query, after: nil, limit: Self.pageLength)
    while let end = page.last {
      async let following = self.gate.usageRecords(query, after: end.usage, limit: Self.pageLength)
      try await take(page)
      page = try await following
    }
  }

  private func writeFocus(from: Timestamp?, to: Timestamp?, _ output: FileHandle) async throws {
    var focus = try FocusTable(issuer: self.operatorName, provider: self.operatorName)
    try output.write(contentsOf: Data(FocusTable.header))
    try await self.addInvoices(from: from, to: to, &focus)
    try await withThrowingTaskGroup(of: Void.self) { writing in
      try await self.eachPage(of: UsageQuery(from: from, to: to, order: .hold)) { page in
        for record in page where record.outcome == .settled {
          let line = UsageLine(record)
          try focus.add(line, price: try self.price(of: line))
        }
        // The rows of a day that is over are written while the next is added.
        if let day = page.last?.heldAt.day, let over = focus.takeDays(before: day) {
          try await writing.waitForAll()
          writing.addTask { try over.writeRows { try output.write(contentsOf: Data($0)) } }
        }
      }
      try await writing.waitForAll()
    }
    try focus.writeRows { try output.write(contentsOf: Data($0)) }
  }

  /// Half a page each is made into rows by two tasks: that takes longer than reading the next page does.
  @concurrent
  private static func write(
    _ page: [UsageRecord], to output: FileHandle, _ rows: @escaping @Sendable (ArraySlice<UsageRecord>) -> [UInt8]
  ) async throws {
    let middle = page.count / 2
    async let first = rows(page[..<middle])
    let second = rows(page[middle...])
    try output.write(contentsOf: Data(await first))
    try output.write(contentsOf: Data(second))
  }

  private static func bytes(_ records: ArraySlice<UsageRecord>, _ append: (UsageLine, inout [UInt8]) -> Void) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(records.count * Self.usualRow)
    for record in records where record.outcome == .settled { append(UsageLine(record), &bytes) }
    return bytes
  }

  /// What invoices of whole months in the span have besides usage: then a month's rows sum to its invoice.
  private func addInvoices(from: Timestamp?, to: Timestamp?, _ focus: inout FocusTable) async throws {
    let ids = self.gate.finalInvoices(from: from, to: to)
    for start in stride(from: 0, to: ids.count, by: 2 * Self.invoicesAtOnce) {
      let middle = min(start + Self.invoicesAtOnce, ids.count)
      async let first = self.invoices(ids[start..<middle])
      async let second = self.invoices(ids[middle..<min(middle + Self.invoicesAtOnce, ids.count)])
      for invoice in try await first { try focus.add(invoice) }
      for invoice in try await second { try focus.add(invoice) }
    }
  }

  @concurrent
  private func invoices(_ ids: ArraySlice<InvoiceID>) async throws -> [Invoice] {
    var invoices: [Invoice] = []
    for id in ids {
      if case .final(let invoice, _, _) = try await self.gate.invoice(id) { invoices.append(invoice) }
    }
    return invoices
  }

  private func price(of line: UsageLine) throws -> Price {
    guard let price = self.gate.price(line.price) else {
      throw StartFailure("\(line.usage) was charged at the price \(line.price), which is not in the store")
    }
    return price
  }
}

extension UsageLine {
  init(_ record: UsageRecord) {
    self.init(
      usage: record.usage, decision: record.decision, customer: record.customer, project: record.project, key: record.key,
      model: record.model, price: record.price, currency: record.currency, amount: record.amount, tokens: record.tokens,
      undelivered: record.undelivered, finish: record.finish, settlementPolicy: record.policy.rawValue,
      usageSource: record.source.rawValue, heldAt: record.heldAt, settledAt: record.settledAt)
  }
}
