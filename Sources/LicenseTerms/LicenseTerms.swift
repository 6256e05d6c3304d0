// LicenseTerms: a license as data and the pure, three-valued decision that it yields, with the clause cited.
// Holds term files and their strict loading, facts and what they prove, standing and request verdicts, decision tables.
// It must never know a license or licensor by name, a clock, a store, or a wire protocol.

/// A truth value of Kleene's strong three-valued logic.
public enum Truth: String, Sendable, Hashable, CaseIterable {
  case `false`
  case unknown
  case `true`

  public init(_ value: Bool) { self = value ? .true : .false }

  /// Exchanges true and false; unknown stays unknown.
  public static prefix func ! (truth: Truth) -> Truth {
    switch truth {
    case .true: .false
    case .false: .true
    case .unknown: .unknown
    }
  }

  /// False if either is false, else unknown if either is unknown.
  public func and(_ other: Truth) -> Truth {
    if self == .false || other == .false { return .false }
    return self == .unknown || other == .unknown ? .unknown : .true
  }

  /// True if either is true, else unknown if either is unknown.
  public func or(_ other: Truth) -> Truth { !(!self).and(!other) }
}

/// What is done with a model or its output. ``use`` is serving requests.
public enum Action: String, Sendable, Hashable, CaseIterable {
  case use
  case host
  case reproduce
  case distribute
  case modify
  case finetune
  /// Improving another model with the materials or their output.
  case train
  case trainOnOutput = "train_on_output"
  case export
  case brandUse = "brand_use"
}

/// When a clause is looked at.
public enum Moment: String, Sendable, Hashable, CaseIterable {
  case register
  case onboard
  case request
  case response
  case train
  case export
  case distribute
  case report
  case event
}

/// What follows from a clause, mildest first.
public enum Effect: String, Sendable, Hashable, CaseIterable, Comparable {
  case allow
  case allowAndRecord = "allow_and_record"
  case requireRecord = "require_record"
  case deny

  private var severity: Int {
    switch self {
    case .allow: 0
    case .allowAndRecord: 1
    case .requireRecord: 2
    case .deny: 3
    }
  }

  public static func < (left: Self, right: Self) -> Bool { left.severity < right.severity }
}
