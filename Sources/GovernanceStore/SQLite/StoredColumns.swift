internal import GovernanceTypes

/// Columns of one row, read by position: what a value of each kind must be, whoever holds the row.
///
/// The schema's CHECKs hold for every row that the store has written; a row for which they do not was written by someone else, and is
/// an error that names it.
protocol StoredColumns {
  /// What the row is, for errors.
  var name: String { get }
  func columnName(_ column: Int) -> String?
  func isNull(_ column: Int) -> Bool
  func integer(_ column: Int) -> Int64
  func text(_ column: Int) -> String
  func id<Kind: IdentifierKind>(_ column: Int) throws -> Identifier<Kind>
}

extension StoredColumns {
  func wrong(_ column: Int) -> CorruptRow {
    CorruptRow("a row of \(self.name) has no valid \(self.columnName(column) ?? "column \(column)")")
  }

  func id<Kind: IdentifierKind>(_ column: Int) throws -> Identifier<Kind> {
    guard let id = Identifier<Kind>(self.text(column)) else { throw self.wrong(column) }
    return id
  }

  func optionalID<Kind: IdentifierKind>(_ column: Int) throws -> Identifier<Kind>? {
    self.isNull(column) ? nil : try self.id(column)
  }

  func tokens(_ column: Int) throws -> TokenCount {
    let value = self.integer(column)
    guard value >= 0, value <= TokenCount.largest.value else { throw self.wrong(column) }
    return TokenCount(Int(value))
  }

  func amount(_ column: Int) throws -> NanoAmount {
    let value = self.integer(column)
    guard value >= 0 else { throw self.wrong(column) }
    return NanoAmount(Int128(value))
  }

  func instant(_ column: Int) -> Timestamp { Timestamp(nanoseconds: self.integer(column)) }
}

// MARK: Sums

/// Sums over any number of rows. SQLite fails where a sum leaves 64 bits, so two are asked for, of the upper and the lower part.
enum SplitSum {
  private static let bits = 20
  private static let unit = 1_000_000_000

  /// Two columns of SQL: see ``StoredColumns/sum(_:)``.
  static func of(_ column: String) -> String { "sum(\(column) >> \(Self.bits)), sum(\(column) & \((1 << Self.bits) - 1))" }

  /// Two columns of SQL: see ``StoredColumns/sumOfAmounts(_:)``.
  static func ofAmounts(_ column: String) -> String { "sum(\(column) / \(Self.unit)), sum(\(column) % \(Self.unit))" }

  fileprivate static func whole(_ upper: Int64, _ lower: Int64) -> Int128 { Int128(upper) << Self.bits + Int128(lower) }

  fileprivate static func wholeAmount(_ units: Int64, _ nano: Int64) -> NanoAmount {
    NanoAmount(Int128(units) * Int128(Self.unit) + Int128(nano))
  }
}

extension StoredColumns {
  /// What the columns of ``SplitSum/of(_:)`` say, from this one on.
  func sum(_ column: Int) -> Int128 { SplitSum.whole(self.integer(column), self.integer(column + 1)) }

  /// A sum of tokens, at most as many as there can be.
  func sumOfTokens(_ column: Int) -> TokenCount {
    TokenCount(Int(clamping: min(self.sum(column), Int128(TokenCount.largest.value))))
  }

  /// Whole units of a currency in this column and the billionths in the next: a sum of ``SplitSum/ofAmounts(_:)``, or stored so.
  func sumOfAmounts(_ column: Int) -> NanoAmount { SplitSum.wholeAmount(self.integer(column), self.integer(column + 1)) }
}
