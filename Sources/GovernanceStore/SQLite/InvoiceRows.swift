internal import GRDB
internal import Governance
internal import GovernanceTypes

extension InvoiceRecord {
  static func stored(_ id: InvoiceID, in database: Database) throws -> InvoiceRecord? {
    let statement = try database.cachedStatement(sql: "SELECT \(InvoiceSummary.columns), body FROM invoice WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id.description]).map {
      InvoiceRecord(summary: try InvoiceSummary($0), body: $0[10])
    }
  }
}

extension InvoiceSummary {
  static let columns = "id, series, number, customer, period, currency, gross, corrects, finalised_at, digest"
  /// More than ten thousand lines and the positions of a million scattered entries take.
  static let longestBody = 64 << 20

  init(_ row: Row) throws {
    let row = StoredRow(row: row, name: "invoice")
    guard let period = CalendarMonth(row.text(4)) else { throw row.wrong(4) }
    guard let gross = NanoAmount(decimal: row.text(6)) else { throw row.wrong(6) }
    self.init(
      id: try row.id(0), series: row.text(1), number: row.text(2), customer: try row.id(3), period: period,
      currency: try row.currency(5), gross: gross, corrects: try row.optionalID(7), finalisedAt: row.instant(8),
      digest: try row.digest(9))
  }

  /// In the order in which they were finalised.
  static func all(in database: Database) throws -> [InvoiceSummary] {
    let rows = try Row.fetchCursor(database, sql: "SELECT \(Self.columns) FROM invoice ORDER BY place")
    var summaries: [InvoiceSummary] = []
    while let row = try rows.next() { summaries.append(try InvoiceSummary(row)) }
    return summaries
  }
}
