internal import GovernanceTypes

/// Settled requests as JSON Lines: an object a line, with the columns of ``UsageCSV`` as members in the same order.
///
/// Money is in decimal strings, tokens are whole numbers below 2^53, and what has no value is `null`. Model names are exact here:
/// the apostrophe of ``CSVText`` is for spreadsheets only.
public enum UsageJSONLines {
  /// Writes one line, its end included. O(1) but for the lengths of its texts.
  public static func append(_ line: UsageLine, to bytes: inout [UInt8]) {
    for (column, opening) in Self.openings {
      bytes.append(contentsOf: opening)
      let value = column.value(in: line)
      if column.isTokenCount { value.append(plain: &bytes) } else { value.append(asJSON: &bytes) }
    }
    bytes.append(contentsOf: "}\n".utf8)
  }

  /// What stands before each value: the brace or comma, the name and the colon.
  private static let openings: [(UsageColumn, [UInt8])] = UsageColumn.allCases.map { column in
    (column, Array("\(column == .usage ? "{" : ",")\"\(column.rawValue)\":".utf8))
  }
}

extension UsageColumn {
  var isTokenCount: Bool {
    switch self {
    case .promptUncached, .promptCached, .completion, .training, .undelivered: true
    default: false
    }
  }
}
