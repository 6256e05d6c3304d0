internal import AdminHTTP
internal import AuditTrail
internal import Billing
internal import Documents
internal import Foundation
internal import Governance
internal import GovernanceTypes

/// The usage tables of a bundle, made from the settlements that pass by while its entries are written; the rows wait in a file.
final class SettlementTables {
  private let path: String
  private let spool: FileHandle
  private var rows = UsageCSV.header
  private var focus: FocusTable
  private var fields = EntryFields()
  private let gate: Gate

  private static let piece = 1 << 20

  /// - Parameter path: of a file that is made here and removed by ``remove()``.
  init(gate: Gate, operatorName: String, path: String) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
      throw StartFailure("\(path) cannot be written")
    }
    self.path = path
    self.spool = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    self.gate = gate
    self.focus = try FocusTable(issuer: operatorName, provider: operatorName)
  }

  func take(_ line: [UInt8]) throws {
    guard Self.isSettlement(line) else { return }
    try self.fields.read(line)
    let usage = try UsageLine(settlement: self.fields)
    UsageCSV.append(usage, to: &self.rows)
    if self.rows.count >= Self.piece { try self.flush() }
    if let price = self.gate.price(usage.price) { try self.focus.add(usage, price: price) }
  }

  /// Whether a canonical line has the member `"type":"settle"`: in a string its quotes would be escaped, and no settlement has an
  /// object in it. Most lines are none, and need not be parsed.
  private static func isSettlement(_ line: [UInt8]) -> Bool {
    let mark = Array(#","type":"settle","#.utf8)
    guard line.count >= mark.count else { return false }
    return (0...line.count - mark.count).reversed().contains { start in
      line[start] == mark[0] && line[start + 2] == mark[2] && line[start..<start + mark.count].elementsEqual(mark)
    }
  }

  private func flush() throws {
    try self.spool.write(contentsOf: Data(self.rows))
    self.rows.removeAll(keepingCapacity: true)
  }

  /// Read when the entries are all written: the contents are asked for afterwards.
  var contents: [BundleContent] {
    [
      BundleContent(path: BundlePath.usage) { emit in
        try self.flush()
        try self.spool.seek(toOffset: 0)
        while let piece = try self.spool.read(upToCount: Self.piece), !piece.isEmpty { try emit(Array(piece)) }
      },
      BundleContent(path: BundlePath.focus) { emit in try self.focus.write { try emit($0) } },
    ]
  }

  func remove() throws {
    self.spool.closeFile()
    try FileManager.default.removeItem(atPath: self.path)
  }
}

/// Usage exports: settled requests of a span of time as CSV, JSON Lines or FOCUS.
struct UsageTables: Sendable {
  let gate: Gate
  let operatorName: String

  private static let pageLength = 4096
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
      // What invoices of whole months in the span have besides usage: then a month's rows sum to its invoice.
      for id in self.gate.finalInvoices(from: from, to: to) {
        guard case .final(let invoice, _, _) = try await self.gate.invoice(id) else { continue }
        try focus.add(invoice)
      }
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
      if format == .focus { focus.writeDays(before: end.heldAt.day) { bytes += $0 } }
      try output.write(contentsOf: Data(bytes))
      page = try await following
    }
    if format == .focus { try focus.writeDays(before: nil) { try output.write(contentsOf: Data($0)) } }
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

  /// Reads a settlement from its log entry.
  init(settlement entry: EntryFields) throws {
    func required<Value>(_ name: EntryFields.Name, _ value: Value?) throws -> Value {
      guard let value else { throw Refusal(.storeUnavailable, "A settlement in the log has no '\(name.text)', or a faulty one.") }
      return value
    }
    func text(_ name: EntryFields.Name) throws -> String { try required(name, entry.text(name)) }
    func id<Kind>(_ name: EntryFields.Name) throws -> Identifier<Kind> { try required(name, entry.identifier(name)) }
    func tokens(_ name: EntryFields.Name) throws -> TokenCount {
      TokenCount(Int(try required(name, entry.decimal(name, atMost: Int128(TokenCount.largest.value)))))
    }
    func instant(_ name: EntryFields.Name) throws -> Timestamp { try required(name, entry.text(name).flatMap { Timestamp($0) }) }
    self.init(
      usage: try id(.usage), decision: try id(.decision), customer: try id(.customer),
      project: try entry.text(.project).map { _ in try id(.project) }, key: try id(.key), model: ModelID(try text(.model)),
      price: try id(.price), currency: try required(.currency, entry.text(.currency).flatMap { Currency($0) }),
      amount: NanoAmount(try required(.amount, entry.decimal(.amount, atMost: .max))),
      tokens: TokenUsage(
        promptUncached: try tokens(.promptUncached), promptCached: try tokens(.promptCached),
        completion: try tokens(.completion)),
      undelivered: try tokens(.undelivered), finish: try text(.finish), settlementPolicy: try text(.settlementPolicy),
      usageSource: try text(.usageSource), heldAt: try instant(.heldAt), settledAt: try instant(.at))
  }
}

extension EntryFields.Name {
  fileprivate static let usage = Self("usage")
  fileprivate static let decision = Self("decision")
  fileprivate static let customer = Self("customer")
  fileprivate static let project = Self("project")
  fileprivate static let key = Self("key")
  fileprivate static let model = Self("model")
  fileprivate static let price = Self("price")
  fileprivate static let currency = Self("currency")
  fileprivate static let amount = Self("amount_nano")
  fileprivate static let promptUncached = Self("prompt_uncached")
  fileprivate static let promptCached = Self("prompt_cached")
  fileprivate static let completion = Self("completion")
  fileprivate static let undelivered = Self("undelivered")
  fileprivate static let finish = Self("finish")
  fileprivate static let settlementPolicy = Self("settlement_policy")
  fileprivate static let usageSource = Self("usage_source")
  fileprivate static let heldAt = Self("held_at")
  fileprivate static let at = Self("at")
}
