public import GovernanceTypes

/// What was settled and voided in one currency since the log began.
public struct RunningTotal: Hashable, Sendable {
  public var currency: Currency
  /// Nano-units; a sum over all time may be above what one entry can move.
  public var amount: Int128
  /// Settlements, and voids.
  public var requests: Int
  public var voided: Int
  public var promptUncached: Int128
  public var promptCached: Int128
  public var completion: Int128

  public init(
    currency: Currency, amount: Int128 = 0, requests: Int = 0, voided: Int = 0, promptUncached: Int128 = 0,
    promptCached: Int128 = 0, completion: Int128 = 0
  ) {
    self.currency = currency
    self.amount = amount
    self.requests = requests
    self.voided = voided
    self.promptUncached = promptUncached
    self.promptCached = promptCached
    self.completion = completion
  }
}

/// How far the entries of one customer are numbered.
public struct CustomerCount: Hashable, Sendable {
  public var customer: CustomerID
  /// The `customer_seq` of its next entry.
  public var next: Int

  public init(customer: CustomerID, next: Int) {
    self.customer = customer
    self.next = next
  }
}

/// What the rules need to know of the log before the first entry of a bundle. The bundle that has those entries proves it.
public struct BundleOpening: Equatable, Sendable {
  /// Holds without an end, by sequence number.
  public var openHolds: [OpenHold] = []
  /// By customer.
  public var customers: [CustomerCount] = []
  /// By currency.
  public var running: [RunningTotal] = []

  public init() {}

  public init(openHolds: [OpenHold], customers: [CustomerCount], running: [RunningTotal]) {
    self.openHolds = openHolds
    self.customers = customers
    self.running = running
  }
}

/// The log from its beginning to some entry, as far as the rules look at it. Memory for open holds and for customers.
public struct LogPrefix: Sendable {
  private var rules = EntryRules(firstSequence: 0, opening: BundleOpening(), forgetsEnded: true)
  private var scanner = CanonicalLine()

  public init() {}

  /// Takes the next entry.
  ///
  /// - Throws: ``BundleError`` where it breaks a rule.
  public mutating func take(_ line: [UInt8]) throws(BundleError) {
    do throws(LineError) {
      try self.scanner.scan(line, from: 0)
      try self.rules.admit(try EntryRecord(self.scanner, in: line), in: line)
    } catch {
      throw BundleError(file: BundlePath.entries, line: self.rules.nextSequence, message: error.message)
    }
  }

  public var opening: BundleOpening {
    BundleOpening(openHolds: self.rules.open, customers: self.rules.customerCounts, running: self.rules.runningTotals)
  }
}
