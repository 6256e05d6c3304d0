internal import Documents

/// Whom a clause binds.
public enum BoundParty: String, Sendable, Hashable, CaseIterable {
  case `operator`
  case customer
  case endUser = "end_user"
}

/// One clause of a license, in the reading of its term file. Immutable and shared like the file.
public final class Clause: Sendable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    case grant
    case condition
    case prohibition
    case obligation
    case exemption
    case termination
    case information
  }

  public let id: String
  /// The place in the source text.
  public let ref: String
  /// The sections of the source text that the clause accounts for.
  public let sections: [String]
  public let kind: Kind
  public let summary: String
  /// The reading was held against the source text; otherwise it is recalled or taken from others, and every result says so.
  public let isVerified: Bool
  public let binds: Set<BoundParty>
  /// Customers are bound only where this is true; nil binds them always.
  public let bindsCustomersWhen: Predicate?
  public let moments: Set<Moment>
  /// The clause applies only where this is true.
  public let when: Predicate?
  /// The clause does not apply where this is true; unknown does not exempt.
  public let exemptWhen: Predicate?
  /// The exception that lifts the clause.
  public let curedBy: String?
  /// What a grant allows.
  public let grants: Set<Action>
  /// What a condition asks.
  public let requirement: Predicate?
  public let forbids: Prohibition?
  public let duties: [Duty]
  /// The clauses that an exemption switches off.
  public let exempts: [String]
  /// The fact that dates a termination.
  public let from: String?
  public let onTrue: Effect
  public let onFalse: Effect
  public let onUnknown: Effect
  /// Unknown because nothing looked for a use of critical severity.
  public let onUnknownCritical: Effect
  public let passThrough: Bool
  /// Statements that nothing is computed from (`governing_law`, `territory`), for readers.
  public let notes: [Note]
  /// The actions that the clause is looked at for.
  let lookedAtFor: ActionSet

  /// Members that are carried for readers; nothing is computed from them.
  private static let noteKeys = [
    "transferable", "territory", "fee", "governing_law", "venue", "applies_to", "model_scope", "pass_through_by",
  ]

  init(_ document: Document, path: String, _ references: inout TermReferences) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    self.id = try reader.name("id")
    self.ref = try reader.string("ref")
    self.kind = try reader.choice("kind")
    self.summary = try reader.string("summary")
    self.isVerified = try reader.optionalBool("verified") ?? true
    let sections = try reader.uniqueStrings("sections")
    self.sections = sections.isEmpty ? [self.ref] : sections
    self.binds = try reader.choices("binds")
    self.bindsCustomersWhen = try reader.predicate("binds_customers_when", &references)
    let moments: Set<Moment> = try reader.choices("moments")
    self.moments = moments
    self.lookedAtFor = ActionSet(atMoments: moments)
    self.when = try reader.predicate("when", &references)
    self.exemptWhen = try reader.predicate("exempt_when", &references)
    self.curedBy = try reader.optionalString("cured_by")
    self.grants = try reader.choices("actions")
    self.requirement = try reader.predicate("require", &references)
    self.forbids = try reader.document("forbids").map { (document) throws(DocumentError) in
      try Prohibition(document, path: reader.field("forbids"), &references)
    }
    self.duties = try reader.duties(&references)
    self.exempts = try reader.uniqueStrings("exempts")
    self.from = try reader.date("from", &references)
    let effects = Self.standardEffects(self.kind)
    let effect: Effect? = try reader.optionalChoice("effect")
    self.onTrue = try reader.optionalChoice("on_true") ?? effect ?? effects.onTrue
    self.onFalse = try reader.optionalChoice("on_false") ?? effects.onFalse
    self.onUnknown = try reader.optionalChoice("on_unknown") ?? effects.onUnknown
    self.onUnknownCritical = try reader.optionalChoice("on_unknown_critical") ?? .deny
    self.passThrough = try reader.optionalBool("pass_through") ?? false
    self.notes = try reader.notes(Self.noteKeys)
    try self.check(reader, references)
    try reader.finish()
  }
}

extension Action {
  /// The moments whose clauses stand for the action.
  var moments: Set<Moment> { Self.momentsByAction[self] ?? [] }

  private static let momentsByAction = Dictionary(
    uniqueKeysWithValues: Self.allCases.map { action in (action, Set(Moment.allCases.filter { $0.isLookedAt(for: action) })) })
}

extension Moment {
  /// What is asked at registration or onboarding stands for every action after.
  fileprivate func isLookedAt(for action: Action) -> Bool {
    switch self {
    case .register, .onboard, .request, .response, .report, .event: true
    case .distribute: action == .distribute
    case .train: action == .finetune || action == .train || action == .trainOnOutput
    case .export: action == .export
    }
  }
}

/// A set of actions in one word.
struct ActionSet: Sendable, Hashable {
  private var bits: UInt16 = 0

  /// The actions that clauses with these moments are looked at for; no moment means all.
  init(atMoments moments: Set<Moment>) {
    for action in Action.allCases where moments.isEmpty || moments.contains(where: { $0.isLookedAt(for: action) }) {
      self.bits |= action.bit
    }
  }

  func contains(_ action: Action) -> Bool { self.bits & action.bit != 0 }
}

extension Action {
  fileprivate var bit: UInt16 {
    switch self {
    case .use: 1
    case .host: 2
    case .reproduce: 4
    case .distribute: 8
    case .modify: 16
    case .finetune: 32
    case .train: 64
    case .trainOnOutput: 128
    case .export: 256
    case .brandUse: 512
    }
  }
}

/// A name and a text that nothing is computed from.
public struct Note: Sendable, Hashable {
  public let key: String
  public let value: String
}

/// What a prohibition is about: actions, or uses from the list.
public struct Prohibition: Sendable, Hashable {
  /// Empty for uses.
  public let actions: Set<Action>
  /// Makes the actions happen under another name: a purpose declared with a request.
  public let declaredBy: Predicate?
  public let unless: Predicate?
  /// Ids of the uses forbidden; empty for actions.
  public let uses: [String]
  /// The set fact with the ids of uses that were found in a request.
  public let findings: String?
  /// The set fact with the ids of uses that were looked for.
  public let checked: String?
  /// The set fact with a party's declared purposes, as ids or categories of uses.
  public let purposes: String?
}

/// Something to be done.
public enum Duty: Sendable, Hashable {
  case provideDocument(role: String, to: String, before: String, proof: String)
  /// `check` tells whether it is done.
  case includeNotice(notice: String, check: Predicate?, blockingAt: Set<Moment>)
  case display(text: String, places: [String])
  case namePrefix(String)
  case bindRecipient(document: String, proof: String, blockingAt: Set<Moment>, fact: String?)
  case attest(fact: String, blockingAt: Set<Moment>)
  case register(fact: String, blockingAt: Set<Moment>)
  case deleteMaterials(withinDays: Int, proof: String)
  case report(to: String)
  case showText(places: [String])
  /// A response header.
  case header(name: String, value: String)
}
