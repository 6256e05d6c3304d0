internal import AuditTrail
internal import Billing
internal import Dispatch
internal import Foundation
internal import Governance
internal import GovernanceTypes
internal import Synchronization

/// The usage tables of a bundle, made from the settlements that pass by while its entries are written; the rows wait in a file.
///
/// Made on a thread of their own, page by page, at most one page behind the one who gives them.
final class SettlementTables: Sendable {
  private let path: String
  private let state: Mutex<State>
  private let thread = DispatchQueue(label: "usage tables of a bundle")
  private let room = DispatchSemaphore(value: 1)

  /// - Parameter path: of a file that is made here and removed by ``remove()``.
  init(gate: Gate, operatorName: String, path: String) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
      throw StartFailure("\(path) cannot be written")
    }
    self.path = path
    let spool = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    self.state = Mutex(
      State(spool: spool, gate: gate, focus: try FocusTable(issuer: operatorName, provider: operatorName)))
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
      BundleContent(path: BundlePath.usage) { emit in try self.afterAll { try $0.writeUsage(to: emit) } },
      BundleContent(path: BundlePath.focus) { emit in try self.afterAll { try $0.focus.write { try emit($0) } } },
    ]
  }

  func remove() throws {
    try self.afterAll { $0.spool.closeFile() }
    try FileManager.default.removeItem(atPath: self.path)
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
    let spool: FileHandle
    let gate: Gate
    var focus: FocusTable
    private var csv = UsageCSV()
    private var rows = UsageCSV.header
    private var fields = EntryFields()
    private var failure: (any Error)?

    private static let piece = 1 << 20

    init(spool: FileHandle, gate: Gate, focus: FocusTable) {
      self.spool = spool
      self.gate = gate
      self.focus = focus
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
      self.csv.append(usage, to: &self.rows)
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

    private mutating func flush() throws {
      try self.spool.write(contentsOf: Data(self.rows))
      self.rows.removeAll(keepingCapacity: true)
    }

    mutating func writeUsage(to emit: ([UInt8]) throws -> Void) throws {
      try self.flush()
      try self.spool.seek(toOffset: 0)
      while let piece = try self.spool.read(upToCount: Self.piece), !piece.isEmpty { try emit(Array(piece)) }
    }
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
