internal import AcceptableUse
internal import GovernanceTypes

/// The acceptable-use policy as it holds for one customer, with what it costs to have it ready.
///
/// Shared by all requests until something is set anew, or an exemption begins or ends.
final class EffectiveConduct: Sendable {
  let policy: AcceptableUsePolicy
  let stream: StreamTerms
  /// Exemptions in force: named in every decision that they may have changed.
  let exemptions: [ExemptionID]
  private let permitted: Set<ProhibitedUseID>
  /// When an exemption begins or ends next.
  let until: Timestamp?
  private let prompts: PromptScanners
  private let systems: PromptScanners

  /// - Parameter isShared: whether many customers have it; scanners of one customer alone are not kept in numbers.
  init(
    policy: AcceptableUsePolicy, stream: StreamTerms, exemptions: [ExemptionID] = [], permitted: Set<ProhibitedUseID> = [],
    until: Timestamp? = nil, isShared: Bool
  ) {
    self.policy = policy
    self.stream = stream
    self.exemptions = exemptions
    self.permitted = permitted
    self.until = until
    self.prompts = PromptScanners(.prompt, kept: isShared ? 8 : 1)
    self.systems = PromptScanners(.system, kept: isShared ? 2 : 1)
  }

  func holds(at now: Timestamp) -> Bool { self.until.map { now < $0 } ?? true }

  /// One assessment for each text, in their order.
  func assess(_ texts: [PromptText]) -> [Assessment] {
    let systems = texts.filter(\.isSystem)
    guard !systems.isEmpty else { return self.prompts.assess(texts.map(\.text), self.policy) }
    return self.systems.assess(systems.map(\.text), self.policy)
      + self.prompts.assess(texts.filter { !$0.isSystem }.map(\.text), self.policy)
  }

  /// A guard for one answer.
  ///
  /// - Parameter hasOpinion: Whether somebody else will be asked about the whole answer: then a hold of all waits for that too.
  func streamGuard(hasOpinion: Bool) -> StreamGuard {
    self.policy.streamGuard(
      maximumHold: self.stream.maximumBytes, hold: self.stream.hold, waitsForMore: hasOpinion && self.stream.hold == .all)
  }

  func adding(_ codes: [String], of opinion: SecondOpinion, to assessment: Assessment) -> Assessment {
    assessment.adding(codes, of: opinion.prompt, digest: opinion.digest, mode: opinion.mode, permitted: self.permitted)
  }
}

extension [PromptText] {
  /// The same texts in the order in which they are assessed.
  var systemFirst: [PromptText] { self.filter(\.isSystem) + self.filter { !$0.isSystem } }
}

/// One text of a prompt, and whether it is what the application tells the model about its task.
struct PromptText: Sendable {
  var text: String
  var isSystem: Bool
}

/// How much of an answer waits for what is still being looked at.
struct StreamTerms: Sendable, Hashable {
  var hold = StreamHold.live
  var maximumBytes = StreamGuard.defaultHold

  /// Most that may be held of one answer.
  static let mostBytes = 1 << 20
}
