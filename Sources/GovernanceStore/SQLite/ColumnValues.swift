internal import GRDB
internal import GRDBSQLite
internal import GovernanceTypes

/// The columns of the row that a statement stands on, read where SQLite has them: a table of a million rows has twenty million values,
/// and most need no string or box of their own.
///
/// Each value is good until the statement goes on to its next row.
struct ColumnValues: StoredColumns {
  /// What the rows are, for errors.
  let name: String
  // Kept, so that its handle below stays alive. SQLite itself checks the number of a column.
  private let statement: Statement
  private let handle: OpaquePointer

  init(of statement: Statement, name: String) {
    self.name = name
    self.statement = statement
    self.handle = statement.sqliteStatement
  }

  /// An integer; 0 where there is none.
  func integer(_ column: Int) -> Int64 { sqlite3_column_int64(self.handle, Int32(clamping: column)) }

  /// The bytes of a text; none where there is none.
  func withText<Result>(_ column: Int, _ read: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
    let text = sqlite3_column_text(self.handle, Int32(clamping: column))
    // Asked for after the text, as SQLite wants it; both hold until the next step.
    let count = sqlite3_column_bytes(self.handle, Int32(clamping: column))
    return try read(UnsafeBufferPointer(start: text, count: text == nil ? 0 : Int(count)))
  }

  func text(_ column: Int) -> String { self.withText(column) { String(decoding: $0, as: UTF8.self) } }

  func id<Kind: IdentifierKind>(_ column: Int) throws -> Identifier<Kind> {
    guard let id = self.withText(column, { Identifier<Kind>(ascii: $0.span) }) else { throw self.wrong(column) }
    return id
  }

  func columnName(_ column: Int) -> String? { self.statement.columnNames.dropFirst(column).first }

  func isNull(_ column: Int) -> Bool { sqlite3_column_type(self.handle, Int32(clamping: column)) == SQLITE_NULL }
}

/// What many rows in a row have alike in one column: made again only where the text is another.
struct RecurringValue<Value> {
  private let make: (String) -> Value?
  private var text: [UInt8] = []
  private var value: Value?

  /// - Parameter make: nil for a text that is no value.
  init(_ make: @escaping (String) -> Value?) { self.make = make }

  mutating func value(of column: Int, in values: ColumnValues) throws -> Value {
    try values.withText(column) { text in
      if let value = self.value, self.isLast(text) { return value }
      guard let value = self.make(String(decoding: text, as: UTF8.self)) else { throw values.wrong(column) }
      self.text = Array(text)
      self.value = value
      return value
    }
  }

  private func isLast(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard text.count == self.text.count else { return false }
    for place in text.indices where text[place] != self.text[place] { return false }
    return true
  }
}
