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
    var focus = try FocusTable(issuer: self.operatorName, provider: self.operatorName)
    switch format {
    case .csv: try output.write(contentsOf: Data(UsageCSV.header))
    case .focus:
      try output.write(contentsOf: Data(FocusTable.header))
      try await self.addInvoices(from: from, to: to, &focus)
    case .jsonl, .bundle: break
    }
    let query = UsageQuery(from: from, to: to, order: format == .focus ? .hold : .settlement)
    var page = try await self.gate.usageRecords(query, after: nil, limit: Self.pageLength)
    while let end = page.last {
      // The next page is read while this one is written.
      async let following = self.gate.usageRecords(query, after: end.usage, limit: Self.pageLength)
      var bytes: [UInt8] = []
      bytes.reserveCapacity(page.count * Self.usualRow)
      for record in page where record.outcome == .settled {
        let line = UsageLine(record)
        switch format {
        case .csv: UsageCSV.append(line, to: &bytes)
        case .jsonl: UsageJSONLines.append(line, to: &bytes)
        case .focus: try focus.add(line, price: try self.price(of: line))
        case .bundle: break
        }
      }
      if format == .focus { try focus.writeDays(before: end.heldAt.day) { try output.write(contentsOf: Data($0)) } }
      if !bytes.isEmpty { try output.write(contentsOf: Data(bytes)) }
      page = try await following
    }
    if format == .focus { try focus.writeDays(before: nil) { try output.write(contentsOf: Data($0)) } }
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
