internal import GovernanceTypes

/// The columns of `usage.csv` that the verifier reads, by their place.
struct UsageColumns {
  let usage, customer, currency, amount: Int

  /// - Throws: ``LineError`` where a column is missing.
  init(header bytes: [UInt8]) throws(LineError) {
    let names = separatedFields(bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
    self.usage = try Self.place(of: "usage", in: names)
    self.customer = try Self.place(of: "customer", in: names)
    self.currency = try Self.place(of: "currency", in: names)
    self.amount = try Self.place(of: "amount_nano", in: names)
  }

  private static func place(of name: String, in names: [String]) throws(LineError) -> Int {
    guard let place = names.firstIndex(of: name) else { throw LineError("has no column '\(name)'") }
    return place
  }

  /// Takes one row off the settlements.
  func account(_ bytes: [UInt8], _ rules: inout EntryRules) throws(LineError) {
    let fields = separatedFields(bytes)
    guard max(self.usage, self.customer, self.currency, self.amount) < fields.count else { throw LineError("has too few fields") }
    guard let usage = parseIdentifier(bytes, fields[self.usage], prefix: EntryField.usagePrefix),
      let customer = parseIdentifier(bytes, fields[self.customer], prefix: EntryField.customerPrefix),
      let currency = parseCurrency(bytes, fields[self.currency]),
      let amount = parseDecimal(bytes, fields[self.amount], atMost: EntryRecord.amountMaximum)
    else { throw LineError("has a malformed usage, customer, currency or amount_nano") }
    if let problem = rules.account(usage: usage, customer: customer, currency: currency, amount: Int64(amount)) {
      throw LineError(problem)
    }
  }
}

/// The fields of a row (RFC 4180), without their outer quotes; doubled quotes inside are left as they are.
func separatedFields(_ bytes: [UInt8]) -> [Range<Int>] {
  var fields: [Range<Int>] = []
  var start = 0
  var isQuoted = false
  let end = bytes.last == 0x0D ? bytes.count - 1 : bytes.count
  for index in 0..<end {
    if bytes[index] == UInt8(ascii: "\"") {
      isQuoted.toggle()
    } else if bytes[index] == UInt8(ascii: ","), !isQuoted {
      fields.append(unquoted(start..<index, in: bytes))
      start = index + 1
    }
  }
  fields.append(unquoted(start..<end, in: bytes))
  return fields
}

private func unquoted(_ range: Range<Int>, in bytes: [UInt8]) -> Range<Int> {
  guard range.count >= 2, bytes[range.lowerBound] == UInt8(ascii: "\""), bytes[range.upperBound - 1] == UInt8(ascii: "\"") else {
    return range
  }
  return range.lowerBound + 1..<range.upperBound - 1
}

extension BundleVerification {
  /// `usage.csv` against the settlements: each row belongs to one, and the rows of each add up to it.
  mutating func readUsage(_ rules: inout EntryRules) {
    guard var reader = self.lines(of: BundlePath.usage) else { return }
    var number = 0
    do {
      try self.walk(&reader, &rules, &number)
      try self.finish(reader)
    } catch {
      self.report.add(BundlePath.usage, line: number + 1, "cannot be read: \(error)")
    }
    let first = self.report.manifest?.firstSequence ?? 0
    let incomplete = rules.usages.filter { $0.value.phase == .settled && (!$0.value.isReported || $0.value.amount != 0) }
    for (id, usage) in incomplete.sorted(by: { $0.value.sequence < $1.value.sequence }) {
      let rest = usage.isReported ? "\(usage.amount) nano-units of" : "the row of"
      self.report.add(
        BundlePath.usage, "lacks \(rest) \(UsageID(id)), settled in \(BundlePath.entries) line \(usage.sequence - first + 1)")
    }
  }

  private mutating func walk(_ reader: inout LineReader, _ rules: inout EntryRules, _ number: inout Int) throws {
    var row: [UInt8] = []
    var columns: UsageColumns?
    while true {
      row.removeAll(keepingCapacity: true)
      let line = number + 1
      // A quoted field may hold newlines: the row goes on while a quote is open.
      repeat {
        if !row.isEmpty { row.append(0x0A) }
        let outcome = try reader.next(into: &row, limit: max(0, LogEntry.bytesMaximum - row.count))
        if outcome == .tooLong { self.report.add(BundlePath.usage, line: line, "is longer than \(LogEntry.bytesMaximum) bytes") }
        guard outcome == .line else {
          if outcome == .end, !row.isEmpty { self.report.add(BundlePath.usage, line: line, "ends inside quotes") }
          if columns == nil { self.report.add(BundlePath.usage, line: 1, "is missing: the columns are named there") }
          return
        }
        number += 1
      } while row.count { $0 == UInt8(ascii: "\"") } % 2 == 1
      do throws(LineError) {
        guard let known = columns else {
          columns = try UsageColumns(header: row)
          continue
        }
        try known.account(row, &rules)
      } catch {
        self.report.add(BundlePath.usage, line: line, error.message)
        if columns == nil { return }
      }
    }
  }
}
