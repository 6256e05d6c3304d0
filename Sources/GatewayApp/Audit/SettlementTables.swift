internal import AuditTrail
internal import Billing
internal import Dispatch
internal import Foundation
internal import Governance
internal import GovernanceTypes
internal import Synchronization

/// The usage tables of a bundle, made from the settlements that pass by while its entries are written; the rows wait in files
/// that have no name, and are gone when this is, or the process.
///
/// Made on a thread of their own, page by page, at most one page behind the one who gives them.
final class SettlementTables: Sendable {
  private let state: Mutex<State>
  private let thread = DispatchQueue(label: "usage tables of a bundle")
  private let room = DispatchSemaphore(value: 1)

  /// - Parameter path: where files can be; what is there by this name is written over.
  init(gate: Gate, operatorName: String, path: String) throws {
    self.state = Mutex(
      State(
        gate: gate, focus: try FocusTable(issuer: operatorName, provider: operatorName),
        usageRows: try Spool(path: path, header: UsageCSV.header),
        focusRows: try Spool(path: path, header: FocusTable.header)))
  }

  /// Takes lines of the log, in order; waits until those before them are done.
  ///
  /// - Throws: what those before them failed with.
  func take(_ lines: [String]) throws {
    self.room.wait()
    do { try self.state.withLock { try $0.requireSound() } } catch {
      self.room.signal()
      throw error
    }
    self.thread.async {
      self.state.withLock { $0.take(lines) }
      self.room.signal()
    }
  }

  /// Read when the entries are all written: the contents are asked for afterwards.
  var contents: [BundleContent] {
    [
      BundleContent(path: BundlePath.usage) { emit in try self.afterAll { try $0.usageRows.writeAll(to: emit) } },
      BundleContent(path: BundlePath.focus) { emit in
        try self.afterAll { state in
          try state.focusRows.writeAll(to: emit)
          try state.focus.writeRows(to: emit)
        }
      },
    ]
  }

  private func afterAll(_ work: (inout State) throws -> Void) throws {
    self.room.wait()
    defer { self.room.signal() }
    try self.state.withLock { state in
      try state.requireSound()
      try work(&state)
    }
  }

  private struct State {
    let gate: Gate
    var focus: FocusTable
    var usageRows: Spool
    var focusRows: Spool
    /// That of the newest hold that was settled.
    private var day: CalendarDay?
    private var csv = UsageCSV()
    private var fields = EntryFields()
    private var failure: (any Error)?

    init(gate: Gate, focus: FocusTable, usageRows: Spool, focusRows: Spool) {
      self.gate = gate
      self.focus = focus
      self.usageRows = usageRows
      self.focusRows = focusRows
    }

    func requireSound() throws {
      if let failure = self.failure { throw failure }
    }

    mutating func take(_ lines: [String]) {
      do {
        for line in lines { try self.take(Array(line.utf8)) }
      } catch {
        self.failure = error
      }
    }

    private mutating func take(_ line: [UInt8]) throws {
      guard Self.isSettlement(line) else { return }
      try self.fields.read(line)
      let usage = try UsageLine(settlement: self.fields)
      try self.usageRows.write { self.csv.append(usage, to: &$0) }
      if let price = self.gate.price(usage.price) { try self.focus.add(usage, price: price) }
      try self.endDays(at: usage.heldAt.day)
    }

    /// Rows of days that are over need no memory: behind what was held today comes little that was held before, and that was held yesterday
    /// before midnight. What comes later still has rows of its own.
    private mutating func endDays(at today: CalendarDay) throws {
      let yesterday = self.day ?? today
      self.day = max(yesterday, today)
      guard today > yesterday else { return }
      guard let over = self.focus.takeDays(before: yesterday) else { return }
      try over.writeRows { rows in try self.focusRows.write { $0 += rows } }
    }

    /// Whether a canonical line has the member `"type":"settle"`: in a string its quotes would be escaped, and no settlement has an
    /// object in it. Most lines are none, and need not be parsed.
    private static func isSettlement(_ line: [UInt8]) -> Bool {
      let mark = Self.mark
      guard line.count >= mark.count else { return false }
      return (0...line.count - mark.count).reversed().contains { start in
        line[start] == mark[0] && line[start + 2] == mark[2] && line[start..<start + mark.count].elementsEqual(mark)
      }
    }

    private static let mark = Array(#","type":"settle","#.utf8)
  }
}

/// A table in the making, in a file without a name.
private struct Spool {
  private let file: FileHandle
  private var rows: [UInt8]

  private static let piece = 1 << 20

  init(path: String, header: [UInt8]) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
      throw StartFailure("\(path) cannot be written")
    }
    self.file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try FileManager.default.removeItem(atPath: path)
    self.rows = header
  }

  mutating func write(_ append: (inout [UInt8]) -> Void) throws {
    append(&self.rows)
    if self.rows.count >= Self.piece { try self.flush() }
  }

  private mutating func flush() throws {
    try self.file.write(contentsOf: Data(self.rows))
    self.rows.removeAll(keepingCapacity: true)
  }

  /// Hands over all that was written, in pieces.
  mutating func writeAll(to emit: ([UInt8]) throws -> Void) throws {
    try self.flush()
    try self.file.seek(toOffset: 0)
    while let piece = try self.file.read(upToCount: Self.piece), !piece.isEmpty { try emit(Array(piece)) }
  }
}

extension UsageLine {
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
