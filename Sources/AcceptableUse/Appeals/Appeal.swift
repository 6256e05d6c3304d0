public import Documents
public import GovernanceTypes

/// Someone's word that a refusal was a mistake, and what came of it. It names the decision, never the text.
public struct Appeal: Sendable, Hashable {
  public enum Outcome: String, Sendable, Hashable, CaseIterable {
    /// The refusal was right.
    case upheld
    /// The text was harmless in its context; the rule stays.
    case overturned
    /// The rule is wrong.
    case ruleBug = "rule_bug"
  }

  public enum State: Sendable, Hashable {
    case open
    case closed(Outcome, by: String, at: Timestamp, note: String)
  }

  public let id: String
  public let decision: String
  public let raisedAt: Timestamp
  /// What the appellant says, at most ``noteBytes`` long.
  public let note: String
  public private(set) var state = State.open

  public static let noteBytes = 2000

  public init(id: String, decision: String, note: String, at now: Timestamp) throws(AcceptableUseError) {
    guard !decision.isEmpty else { throw AcceptableUseError(message: "an appeal names the decision it is against") }
    guard note.utf8.count <= Self.noteBytes else {
      throw AcceptableUseError(message: "the note has \(note.utf8.count) bytes; at most \(Self.noteBytes) are kept")
    }
    self.id = id
    self.decision = decision
    self.note = note
    self.raisedAt = now
  }

  /// Closes it, once, by someone who is not the appellant's decision's author to judge: the caller checks who may.
  public mutating func close(_ outcome: Outcome, by reviewer: String, note: String, at now: Timestamp) throws(AcceptableUseError)
  {
    guard case .open = self.state else { throw AcceptableUseError(message: "appeal '\(self.id)' has been decided already") }
    guard !reviewer.isEmpty else { throw AcceptableUseError(message: "an outcome names the person who decided it") }
    guard note.utf8.count <= Self.noteBytes else {
      throw AcceptableUseError(message: "the note has \(note.utf8.count) bytes; at most \(Self.noteBytes) are kept")
    }
    self.state = .closed(outcome, by: reviewer, at: max(now, self.raisedAt), note: note)
  }

  public var json: JSON {
    var members = [
      JSONMember("id", .string(self.id)), JSONMember("object", "appeal"), JSONMember("decision", .string(self.decision)),
      JSONMember("raised_at", .string(self.raisedAt.description)), JSONMember("note", .string(self.note)),
    ]
    switch self.state {
    case .open: members.append(JSONMember("status", "open"))
    case .closed(let outcome, let reviewer, let time, let note):
      members += [
        JSONMember("status", "closed"), JSONMember("outcome", .string(outcome.rawValue)),
        JSONMember("reviewer", .string(reviewer)),
        JSONMember("closed_at", .string(time.description)), JSONMember("outcome_note", .string(note)),
      ]
    }
    return .object(members)
  }
}

/// How a rule's refusals fared on appeal: a rule that is overturned too often goes back to shadow by itself.
public struct AppealRecord: Sendable, Hashable {
  public private(set) var decided = 0
  public private(set) var overturned = 0

  /// Fewest decided appeals before a rate says anything.
  public static let fewest = 5
  /// Overturned of a thousand decided appeals, above which a rule is demoted.
  public static let mostPerMille = 200

  public init() {}

  public mutating func add(_ outcome: Appeal.Outcome) {
    self.decided += 1
    if outcome != .upheld { self.overturned += 1 }
  }

  public var isDemoted: Bool { self.decided >= Self.fewest && self.overturned * 1000 > self.decided * Self.mostPerMille }
}

/// A report to whom the policy says violations are to be reported, or to an authority: that it was due, and that it was made.
public struct IncidentReport: Sendable, Hashable {
  public let id: String
  public let decision: String
  public let uses: [ProhibitedUseID]
  /// To whom, as the policy names it: an address or an authority.
  public let recipient: String
  public let dueBy: Timestamp
  public private(set) var sent: (at: Timestamp, by: String, receipt: Digest)?

  public init(id: String, decision: String, uses: [ProhibitedUseID], recipient: String, dueBy: Timestamp) {
    self.id = id
    self.decision = decision
    self.uses = uses.sorted()
    self.recipient = recipient
    self.dueBy = dueBy
  }

  /// - Parameter receipt: SHA-256 of what was sent; the report itself is not kept here.
  public mutating func markSent(at now: Timestamp, by person: String, receipt: Digest) throws(AcceptableUseError) {
    guard self.sent == nil else { throw AcceptableUseError(message: "incident '\(self.id)' has been reported already") }
    guard !person.isEmpty else { throw AcceptableUseError(message: "a report names the person who sent it") }
    self.sent = (now, person, receipt)
  }

  public func isOverdue(at now: Timestamp) -> Bool { self.sent == nil && now > self.dueBy }

  public static func == (left: Self, right: Self) -> Bool { left.json == right.json }
  public func hash(into hasher: inout Hasher) { hasher.combine(self.id) }

  public var json: JSON {
    var members = [
      JSONMember("id", .string(self.id)), JSONMember("object", "incident"), JSONMember("decision", .string(self.decision)),
      JSONMember("uses", .array(self.uses.map { .string($0.name) })), JSONMember("recipient", .string(self.recipient)),
      JSONMember("due_by", .string(self.dueBy.description)), JSONMember("status", .string(self.sent == nil ? "due" : "sent")),
    ]
    if let sent = self.sent {
      members += [
        JSONMember("sent_at", .string(sent.at.description)), JSONMember("sent_by", .string(sent.by)),
        JSONMember("receipt", .string(sent.receipt.hexadecimal)),
      ]
    }
    return .object(members)
  }
}
