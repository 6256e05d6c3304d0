internal import GovernanceTypes

/// Text that the database gives back as it was: SQLite's strings end at a zero.
func storable(_ text: String, _ field: String, most: Int = 4096) throws -> String {
  guard text.utf8.count <= most else { throw Conflict("\(field) has \(text.utf8.count) bytes; at most \(most) are stored") }
  guard !text.utf8.contains(0) else { throw Conflict("\(field) contains a zero byte") }
  return text
}

/// An amount as the database holds it.
func storable(_ amount: NanoAmount, _ field: String) throws -> Int64 {
  guard let value = Int64(exactly: amount.nano) else {
    throw Conflict("\(field) is \(amount), more than one record can hold (9223372036.854775807)")
  }
  guard value >= 0 else { throw Conflict("\(field) is negative (\(amount))") }
  return value
}
