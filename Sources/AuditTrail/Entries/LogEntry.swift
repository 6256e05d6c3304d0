public import Documents
public import GovernanceTypes

/// One entry of the log: a canonical JSON object on one line, whose bytes are what the tree hashes.
public enum LogEntry {
  /// A longer line is refused. C2SP entry tiles hold entries up to this length.
  public static let bytesMaximum = 65_535

  /// The line, without its newline, for `members` and the four fields that every entry has.
  ///
  /// - Parameters:
  ///   - sequence: The number of entries before this one in the log; it is the index of its leaf.
  ///   - at: No earlier than the `at` of the entry before.
  ///   - members: The fields of the type. Money and tokens as decimal strings; keys in ASCII and none of the four common ones.
  public static func line(
    type: String, sequence: Int, at: Timestamp, boot: BootID, members: [JSONMember]
  ) -> [UInt8] {
    let common = [
      JSONMember("at", .string(at.description)), JSONMember("boot", .string(boot.description)),
      JSONMember("seq", .integer(sequence)), JSONMember("type", .string(type)),
    ]
    return JSON.object(common + members).canonicalBytes
  }
}

/// A hold that no settlement or release has ended, at one point of the log.
public struct OpenHold: Hashable, Sendable {
  public var usage: UsageID
  public var customer: CustomerID
  /// The hold and all its extensions.
  public var held: Money
  /// The sequence number of the hold's entry.
  public var sequence: Int

  public init(usage: UsageID, customer: CustomerID, held: Money, sequence: Int) {
    self.usage = usage
    self.customer = customer
    self.held = held
    self.sequence = sequence
  }
}

/// What one customer was charged in one currency, summed over settlements.
public struct SettledTotal: Hashable, Sendable {
  public var customer: CustomerID
  public var settled: Money
  /// The number of settlements.
  public var requests: Int
  public var promptUncached: TokenCount
  public var promptCached: TokenCount
  public var completion: TokenCount

  public init(
    customer: CustomerID, settled: Money, requests: Int, promptUncached: TokenCount, promptCached: TokenCount,
    completion: TokenCount
  ) {
    self.customer = customer
    self.settled = settled
    self.requests = requests
    self.promptUncached = promptUncached
    self.promptCached = promptCached
    self.completion = completion
  }
}
