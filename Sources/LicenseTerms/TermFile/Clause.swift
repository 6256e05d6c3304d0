/// Whom a clause binds.
public enum BoundParty: String, Sendable, Hashable, CaseIterable {
  case `operator`
  case customer
  case endUser = "end_user"
}

/// One clause of a license, in the reading of its term file.
public struct Clause: Sendable, Hashable {
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
  let lookedAtFor: Set<Action>
}

extension Action {
  /// The moments whose clauses stand for the action.
  var moments: Set<Moment> {
    let always: Set<Moment> = [.register, .onboard, .request, .response, .report, .event]
    switch self {
    case .use, .host, .reproduce, .modify, .brandUse: return always
    case .distribute: return always.union([.distribute])
    case .finetune, .train, .trainOnOutput: return always.union([.train])
    case .export: return always.union([.export])
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
