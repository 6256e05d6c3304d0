internal import Documents
internal import Foundation
internal import GRDB
internal import Governance
internal import GovernanceTypes

/// A row that GRDB holds: where there are few, or where they outlive their statement's step.
struct StoredRow: StoredColumns {
  let row: Row
  /// What the row is, for errors.
  let name: String

  func columnName(_ column: Int) -> String? { self.row.columnNames.dropFirst(column).first }
  func isNull(_ column: Int) -> Bool { self.row.hasNull(atIndex: column) }
  func integer(_ column: Int) -> Int64 { self.row[column] }
  func text(_ column: Int) -> String { self.row[column] }

  func currency(_ column: Int) throws -> Currency {
    guard let currency = Currency(self.text(column)) else { throw self.wrong(column) }
    return currency
  }

  func digest(_ column: Int) throws -> Digest {
    guard let digest = Digest(self.row[column] as Data) else { throw self.wrong(column) }
    return digest
  }

  func json(_ column: Int) throws -> JSON {
    do {
      return JSON(try Document.parseJSON(Array(self.text(column).utf8)))
    } catch {
      throw CorruptRow("\(self.wrong(column).detail): \(error)")
    }
  }

  func value<Value: RawRepresentable<String>>(_ column: Int) throws -> Value {
    guard let value = Value(rawValue: self.text(column)) else { throw self.wrong(column) }
    return value
  }
}

extension HoldRecord {
  static let columns = """
    usage, boot, decision, customer, project, key, model, price, currency, amount, tokens, prompt_tokens, held_at, is_prepaid, \
    delivered, high_water
    """

  init(_ row: Row) throws {
    let row = StoredRow(row: row, name: "hold")
    self.init(
      usage: try row.id(0), boot: try row.id(1), decision: try row.id(2), customer: try row.id(3), project: try row.optionalID(4),
      key: try row.id(5), model: ModelID(row.text(6)), price: try row.id(7), currency: try row.currency(8),
      amount: try row.amount(9), tokens: try row.tokens(10), promptTokens: try row.tokens(11), heldAt: row.instant(12),
      isPrepaid: row.row[13], delivered: try row.tokens(14), highWater: try row.tokens(15))
  }

  /// In the order in which they were made.
  static func open(in database: Database) throws -> [HoldRecord] {
    let rows = try Row.fetchCursor(database, sql: "SELECT \(Self.columns) FROM hold ORDER BY held_at, usage")
    var holds: [HoldRecord] = []
    while let row = try rows.next() { holds.append(try HoldRecord(row)) }
    return holds
  }
}

extension StoredObject {
  static func all(in database: Database) throws -> [StoredObject] {
    let rows = try Row.fetchCursor(database, sql: "SELECT kind, id, customer, body, salt FROM object ORDER BY kind, id")
    var objects: [StoredObject] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "object")
      objects.append(
        StoredObject(
          kind: try row.value(0), id: row.text(1), customer: try row.optionalID(2), body: try row.json(3),
          salt: Array(row.row[4] as Data)))
    }
    return objects
  }
}

extension IdempotencyRecord {
  static func unexpired(at now: Timestamp, in database: Database) throws -> [IdempotencyRecord] {
    let rows = try Row.fetchCursor(
      database, sql: "SELECT customer, key_digest, request_digest, usage, expires FROM idempotency WHERE expires > ?",
      arguments: [now.nanoseconds])
    var records: [IdempotencyRecord] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "idempotency")
      records.append(
        IdempotencyRecord(
          customer: try row.id(0), keyDigest: try row.digest(1), requestDigest: try row.digest(2), usage: try row.id(3),
          expires: row.instant(4)))
    }
    return records
  }
}

extension ActiveUserMark {
  static func from(_ month: CalendarMonth, in database: Database) throws -> [ActiveUserMark] {
    let rows = try Row.fetchCursor(
      database, sql: "SELECT month, scope, fingerprint FROM active_user WHERE month >= ? ORDER BY month, scope, fingerprint",
      arguments: [month.number])
    var marks: [ActiveUserMark] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "active_user")
      guard let month = CalendarMonth(number: row.row[0]) else { throw row.wrong(0) }
      // Rows come by scope, and a scope has many users: its text is kept once.
      let text = row.text(1)
      let scope = marks.last.flatMap { $0.scope == text ? $0.scope : nil } ?? text
      marks.append(ActiveUserMark(month: month, scope: scope, fingerprint: UInt64(bitPattern: row.row[2])))
    }
    return marks
  }
}
