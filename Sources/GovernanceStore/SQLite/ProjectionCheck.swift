internal import Documents
internal import Foundation
internal import GRDB
internal import Governance
internal import GovernanceTypes

/// What a rebuild of the projections from the log's entries found.
public struct ProjectionReport: Sendable, Equatable {
  public var entries = 0
  public var settled = 0
  public var voided = 0
  public var openHolds = 0
  /// The first differences between the log and the rows beside it, in words; empty where there are none.
  public var differences: [String] = []

  public static let mostDifferences = 20
}

extension SQLiteStore {
  /// Folds the log's entries into holds, usage and used credit, and compares them with the tables. In one consistent read; O(entries), some
  /// twenty microseconds each.
  public func checkProjections() async throws -> ProjectionReport {
    try await self.read { database in
      var check = ProjectionCheck(database: database)
      return try check.run()
    }
  }

  /// SQLite's own check of the whole file; nil where all is well, else what it says first.
  public func checkIntegrity() async throws -> String? {
    try await self.read { database in
      let answer = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)")
      return answer == "ok" ? nil : answer ?? "no answer"
    }
  }
}

/// The fold. Only open holds are kept in memory: what an entry closes is compared with its row at once.
private struct ProjectionCheck {
  private struct OpenHold {
    var customer: String
    var amount: Int128
  }

  private struct Used: Equatable {
    var used: Int128 = 0
    var expired: Int128 = 0
  }

  let database: Database
  private var report = ProjectionReport()
  private var holds: [String: OpenHold] = [:]
  private var credit: [String: Used] = [:]
  /// What corrections of a request come to.
  private var adjusted: [String: Int128] = [:]

  init(database: Database) { self.database = database }

  mutating func run() throws -> ProjectionReport {
    let rows = try Row.fetchCursor(self.database, sql: "SELECT seq, line FROM entry ORDER BY seq")
    while let row = try rows.next() {
      let (seq, line) = (row[0] as Int, row[1] as String)
      self.report.entries += 1
      guard let entry = self.parsed(line) else {
        self.differ("entry \(seq) cannot be read")
        continue
      }
      try self.take(entry, seq)
    }
    try self.compareHolds()
    try self.compareCredit()
    let closed = try Int.fetchOne(self.database, sql: "SELECT count(*) FROM usage") ?? 0
    if closed != self.report.settled + self.report.voided {
      self.differ("there are \(closed) usage rows, and the log closes \(self.report.settled + self.report.voided) requests")
    }
    self.report.openHolds = self.holds.count
    return self.report
  }

  private func parsed(_ line: String) -> JSON? {
    do { return JSON(try Document.parseJSON(Array(line.utf8))) } catch { return nil }
  }

  private mutating func differ(_ text: String) {
    if self.report.differences.count < ProjectionReport.mostDifferences { self.report.differences.append(text) }
  }

  private mutating func take(_ entry: JSON, _ seq: Int) throws {
    func text(_ name: String) -> String { if case .string(let text)? = entry[name] { text } else { "" } }
    func number(_ name: String) -> Int128 { Int128(text(name)) ?? 0 }
    let usage = text("usage")
    switch text("type") {
    case "hold":
      if self.holds[usage] != nil { self.differ("entry \(seq) holds \(usage) a second time") }
      self.holds[usage] = OpenHold(customer: text("customer"), amount: number("amount_nano"))
    case "extend":
      if self.holds[usage] == nil { self.differ("entry \(seq) extends \(usage), which is not open") }
      self.holds[usage]?.amount += number("amount_nano")
    case "settle", "void":
      let isSettled = text("type") == "settle"
      if isSettled { self.report.settled += 1 } else { self.report.voided += 1 }
      guard let hold = self.holds.removeValue(forKey: usage) else {
        return self.differ("entry \(seq) closes \(usage), which is not open")
      }
      if number("amount_nano") > hold.amount { self.differ("entry \(seq) settles more of \(usage) than is held") }
      try self.compareUsage(usage, seq, outcome: isSettled ? "settled" : "voided", entry, text, number)
      if case .array(let slices)? = entry["credits"] { self.use(slices) }
    case "adjust":
      try self.adjust(usage, by: number("amount_nano"), seq)
      if case .array(let slices)? = entry["credits"] { self.use(slices) }
    case "expire": self.credit[text("credit"), default: Used()].expired += number("amount_nano")
    default: break
    }
  }

  /// A correction is of a request that was settled, and leaves a charge that is not negative.
  private mutating func adjust(_ usage: String, by amount: Int128, _ seq: Int) throws {
    let sql = "SELECT amount FROM usage WHERE id = ? AND outcome = 'settled'"
    guard let charge = try Int64.fetchOne(self.database.cachedStatement(sql: sql), arguments: [usage]) else {
      return self.differ("entry \(seq) corrects \(usage), which has no settled row in usage")
    }
    let sum = self.adjusted[usage, default: 0] + amount
    self.adjusted[usage] = sum
    if Int128(charge) + sum < 0 { self.differ("entry \(seq) gives back more of \(usage) than it was charged") }
  }

  private mutating func use(_ slices: [JSON]) {
    for slice in slices {
      guard case .string(let grant)? = slice["credit"], case .string(let amount)? = slice["amount_nano"] else { continue }
      self.credit[grant, default: Used()].used += Int128(amount) ?? 0
    }
  }

  private mutating func compareUsage(
    _ usage: String, _ seq: Int, outcome: String, _ entry: JSON, _ text: (String) -> String, _ number: (String) -> Int128
  ) throws {
    let sql = """
      SELECT outcome, amount, customer, prompt_uncached, prompt_cached, completion, undelivered, policy, loss FROM usage WHERE id = ?
      """
    guard let row = try Row.fetchOne(self.database.cachedStatement(sql: sql), arguments: [usage]) else {
      return self.differ("entry \(seq) closes \(usage), which has no row in usage")
    }
    let rowed: [String] = (0..<9).map { (place: Int) in (row[place] as DatabaseValue).description.filter { $0 != "\"" } }
    let logged = [
      outcome, String(number("amount_nano")), text("customer"), String(number("prompt_uncached")),
      String(number("prompt_cached")),
      String(number("completion")), String(number("undelivered")), text("settlement_policy"), String(number("loss_nano")),
    ]
    for (name, (row, entry)) in zip(
      ["outcome", "amount", "customer", "prompt_uncached", "prompt_cached", "completion", "undelivered", "policy", "loss"],
      zip(rowed, logged)) where row != entry
    {
      self.differ("the \(name) of \(usage) is \(row) in its row and \(entry) in entry \(seq)")
    }
  }

  private mutating func compareHolds() throws {
    let rows = try Row.fetchCursor(self.database, sql: "SELECT usage, customer, amount FROM hold")
    var stored: [String: OpenHold] = [:]
    while let row = try rows.next() { stored[row[0]] = OpenHold(customer: row[1], amount: Int128(row[2] as Int64)) }
    for (usage, hold) in self.holds.sorted(by: { $0.key < $1.key }) {
      guard let row = stored.removeValue(forKey: usage) else {
        self.differ("\(usage) is open in the log and not in hold")
        continue
      }
      if row.amount != hold.amount || row.customer != hold.customer {
        self.differ("\(usage) holds \(row.amount) in its row and \(hold.amount) in the log")
      }
    }
    for usage in stored.keys.sorted() { self.differ("\(usage) is in hold and not open in the log") }
  }

  private mutating func compareCredit() throws {
    var stored: [String: Used] = [:]
    for use in try CreditUse.all(in: self.database) {
      stored[use.grant.description] = Used(used: use.used.nano, expired: use.expired.nano)
    }
    let logged = self.credit.filter { $0.value != Used() }
    for grant in Set(stored.keys).union(logged.keys).sorted() where stored[grant] ?? Used() != logged[grant] ?? Used() {
      self.differ("of the credit \(grant) the log and the row say different sums")
    }
  }
}
