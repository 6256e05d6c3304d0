public import Documents
public import GovernanceTypes
internal import Synchronization

/// The durable log and its projections, as this module needs them.
///
/// All that governance does is a record: a log entry, the rows that follow from it, or both, written in one transaction.
public protocol Journal: Sendable {
  /// Takes records for the next group commit, in the order of the calls, without blocking and without a suspension.
  ///
  /// The records of one call are written together or not at all. A journal whose queue is full, whose disk is full or which is
  /// closed fails the ticket; nothing of the call is then written. What is submitted later may rest on it: where a call fails for a reason
  /// of the journal's, all that was waiting behind it fails too, and tickets end in the order of the calls.
  func submit(_ records: [JournalRecord]) -> CommitTicket
}

/// One step of governance.
public struct JournalRecord: Sendable {
  /// Goes into the tamper-evident log; nil for what is only a mark of progress.
  public var entry: LogEntry?
  public var effects: [StoreEffect]

  public init(_ entry: LogEntry?, effects: [StoreEffect] = []) {
    self.entry = entry
    self.effects = effects
  }
}

/// An entry of the log, before the journal adds its place: `seq`, `at` and `boot`.
public struct LogEntry: Sendable, Equatable {
  public enum EntryType: String, Sendable, CaseIterable {
    case boot, clock, heartbeat
    case logKey = "log_key"
    case audience
    case termFile = "term_file"
    case price, customer, key, project, limit, credit, invoice, acceptance, attestation, grant, termination, standing, decision
    case hold, extend, settle, void, expire, adjust, delivery, export, admin
  }

  public var type: EntryType
  /// When it happened; the journal never lets `at` run backwards.
  public var at: Timestamp
  public var fields: [JSONMember]
  /// An id by which the entry can be looked up later.
  public var lookup: String?

  /// Whom it concerns, by its field `customer`; the journal numbers the entries of each customer without a gap.
  public var customer: CustomerID? {
    guard case .string(let text)? = self.fields.first(where: { $0.key == "customer" })?.value else { return nil }
    return CustomerID(text)
  }

  public init(_ type: EntryType, at: Timestamp, _ fields: [JSONMember], lookup: String? = nil) {
    self.type = type
    self.at = at
    self.fields = fields
    self.lookup = lookup
  }
}

/// Where an entry stands: what a customer keeps, to ask later for the proof that it is in the log.
public struct EntryReceipt: Sendable, Equatable {
  public var sequence: Int
  /// Its place among the entries that concern the same customer; nil where it concerns none.
  public var customerSequence: Int?
  /// The hash of its leaf in the log's tree.
  public var leaf: Digest

  public init(sequence: Int, customerSequence: Int?, leaf: Digest) {
    self.sequence = sequence
    self.customerSequence = customerSequence
    self.leaf = leaf
  }
}

/// A change of the rows beside the log.
public enum StoreEffect: Sendable {
  /// Writes or replaces an administrative object.
  case object(StoredObject)
  case holdOpened(HoldRecord)
  case holdExtended(UsageID, amount: NanoAmount, tokens: TokenCount)
  /// `delivered` completion tokens are with the client for certain; none beyond `highWater` will be before the next mark.
  case progress(UsageID, delivered: TokenCount, highWater: TokenCount)
  /// Closes the hold and writes the request's usage record.
  case usage(UsageRecord)
  case activeUser(month: CalendarMonth, scope: String, fingerprint: UInt64)
  case idempotency(IdempotencyRecord)
  /// Frees a key, unless it stands for another request by now.
  case idempotencyFreed(customer: CustomerID, keyDigest: Digest, usage: UsageID)
  /// Adds to what has been used of a grant of credit, or has expired of it.
  case creditUsed(CreditUse)
  case attempt(AttemptRecord)
  /// Keeps a finalised invoice or credit note, which never changes again.
  case invoice(InvoiceRecord)
  /// Keeps a delivery, or what became of it.
  case delivery(DeliveryRecord)
  /// Forgets deliveries that were acknowledged before an instant.
  case deliveriesForgotten(receiver: String, acknowledgedBefore: Timestamp)
  /// How far a service has come, by its name.
  case bookmark(name: String, value: String)
}

/// Why records could not be made durable.
public struct JournalError: Error, Sendable, Equatable {
  public enum Code: String, Sendable, CaseIterable {
    case diskFull, readOnly, queueFull, closed, conflict, failed
  }

  public var code: Code
  /// For the operator's log only.
  public var detail: String

  public init(_ code: Code, _ detail: String) {
    self.code = code
    self.detail = detail
  }
}

/// What was submitted and is on its way to disk.
public final class CommitTicket: Sendable {
  private enum State {
    case pending([CheckedContinuation<Result<Int, JournalError>, Never>])
    case done(Result<Int, JournalError>)
  }

  private let state = Mutex(State.pending([]))
  private let place = Mutex(EntryReceipt?.none)

  public init() {}

  /// Where the last entry of the submission stands; nil until it is on disk, and for one without entries.
  public var receipt: EntryReceipt? { self.place.withLock { $0 } }

  /// Returns once the records are on disk: the sequence number of their first log entry, or of the next one where they had none.
  ///
  /// - Throws: ``JournalError`` if they never will be. Not affected by cancellation of the task: what was promised is finished.
  @discardableResult
  public func durable() async throws(JournalError) -> Int {
    let result = await withCheckedContinuation { continuation in
      let done = self.state.withLock { state -> Result<Int, JournalError>? in
        switch state {
        case .done(let result): return result
        case .pending(let waiting):
          state = .pending(waiting + [continuation])
          return nil
        }
      }
      if let done { continuation.resume(returning: done) }
    }
    return try result.get()
  }

  /// The outcome, if it is known already.
  public var outcome: Result<Int, JournalError>? {
    self.state.withLock { if case .done(let result) = $0 { result } else { nil } }
  }

  /// Called by the journal, once. Later calls change nothing.
  public func complete(_ result: Result<Int, JournalError>, receipt: EntryReceipt? = nil) {
    if let receipt { self.place.withLock { $0 = $0 ?? receipt } }
    let waiting = self.state.withLock { state -> [CheckedContinuation<Result<Int, JournalError>, Never>] in
      guard case .pending(let waiting) = state else { return [] }
      state = .done(result)
      return waiting
    }
    for continuation in waiting { continuation.resume(returning: result) }
  }
}
