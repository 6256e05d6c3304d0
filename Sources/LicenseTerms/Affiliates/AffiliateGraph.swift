public import GovernanceTypes

/// One company's share in another, while it lasts.
public struct AffiliateEdge: Sendable, Hashable {
  /// Who holds the share; ids as in ``Subject/party(_:)``, `operator` for the operator.
  public var parent: String
  public var child: String
  public var share: ControlShare
  /// The first day; nil where the share was always held.
  public var from: CalendarDay?
  /// The first day on which the share is no longer held; nil while it lasts.
  public var until: CalendarDay?
  /// What proves it.
  public var reference: String

  public init(
    parent: String, child: String, share: ControlShare, from: CalendarDay? = nil, until: CalendarDay? = nil, reference: String
  ) {
    self.parent = parent
    self.child = child
    self.share = share
    self.from = from
    self.until = until
    self.reference = reference
  }

  public func holds(at day: CalendarDay) -> Bool {
    (self.from.map { $0 <= day } ?? true) && (self.until.map { day < $0 } ?? true)
  }
}

/// A share of the votes in millionths, from 0 to 1.
public struct ControlShare: Sendable, Hashable, Comparable, CustomStringConvertible {
  public static let whole = ControlShare(unchecked: 1_000_000)
  public static let half = ControlShare(unchecked: 500_000)

  public let millionths: Int

  private init(unchecked millionths: Int) { self.millionths = millionths }

  public init?(millionths: Int) {
    guard (0...1_000_000).contains(millionths) else { return nil }
    self.millionths = millionths
  }

  /// Reads `0.5`, `0.500001`, `1`: no sign, at most six decimals, at most 1.
  public init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard text.utf8.count <= 8, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }), let whole = parts.first,
      let units = Int(String(decoding: whole, as: UTF8.self))
    else { return nil }
    let decimals = parts.count == 2 ? Array(parts[1]) : []
    guard decimals.count <= 6 else { return nil }
    let padded = decimals + [UInt8](repeating: UInt8(ascii: "0"), count: 6 - decimals.count)
    guard let fraction = Int(String(decoding: padded, as: UTF8.self)), units <= 1 else { return nil }
    self.init(millionths: units * 1_000_000 + fraction)
  }

  public var description: String {
    let fraction = String(self.millionths % 1_000_000)
    let zeros = String(repeating: "0", count: 6 - fraction.utf8.count)
    return "\(self.millionths / 1_000_000).\(zeros)\(fraction)"
  }

  public static func < (left: Self, right: Self) -> Bool { left.millionths < right.millionths }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

/// From which share on a company controls another. Licenses differ: more than a half, or a half and more.
public enum ControlRule: Sendable, Hashable {
  case above(ControlShare)
  case atLeast(ControlShare)

  func isMet(by millionths: Int) -> Bool {
    switch self {
    case .above(let share): millionths > share.millionths
    case .atLeast(let share): millionths >= share.millionths
    }
  }
}

/// Who holds how much of whom, with dates: the group that a license calls "licensee and affiliates".
///
/// A value; edges are only ever added, and a share that ends is an edge with an end, so the group of any past day can be told.
public struct AffiliateGraph: Sendable, Hashable {
  public private(set) var edges: [AffiliateEdge]

  public static let empty = AffiliateGraph([])

  /// Edges of a company with itself are left out: they say nothing.
  public init(_ edges: some Sequence<AffiliateEdge>) { self.edges = edges.filter { $0.parent != $0.child } }

  public mutating func add(_ edge: AffiliateEdge) {
    if edge.parent != edge.child { self.edges.append(edge) }
  }

  /// Everyone who controls the party, whom it controls, and who is controlled by the same company; sorted, without the party.
  ///
  /// Control passes on: a company controls another if it and those that it controls hold together as much of it as `control`
  /// asks for. Cycles of shares do no harm. O(companies × edges) of the party's connected part.
  public func affiliates(of party: String, at day: CalendarDay, control: ControlRule) -> [String] {
    let holdings = Holdings(self.edges.lazy.filter { $0.holds(at: day) })
    var group: Set<String> = []
    for company in holdings.upward(from: party) {
      let controlled = holdings.controlled(by: company, control)
      guard company == party || controlled.contains(party) else { continue }
      group.formUnion(controlled)
      group.insert(company)
    }
    group.remove(party)
    return group.sorted()
  }

  /// The days after `day` on which some group may be another one: shares begin or end.
  public func nextChange(after day: CalendarDay) -> CalendarDay? {
    self.edges.lazy.flatMap { [$0.from, $0.until] }.compactMap { $0 }.filter { $0 > day }.min()
  }
}

/// The shares of one day.
private struct Holdings {
  private var children: [String: [(company: String, millionths: Int)]] = [:]
  private var parents: [String: [String]] = [:]

  init(_ edges: some Sequence<AffiliateEdge>) {
    // Two records of one share of one day are one share; the greater counts, since control must not be missed.
    var shares: [String: [String: Int]] = [:]
    for edge in edges {
      shares[edge.parent, default: [:]][edge.child, default: 0] = max(
        shares[edge.parent]?[edge.child] ?? 0, edge.share.millionths)
    }
    for (parent, held) in shares {
      self.children[parent] = held.map { ($0.key, $0.value) }
      for child in held.keys { self.parents[child, default: []].append(parent) }
    }
  }

  /// The company and all that hold something of it, directly or not.
  func upward(from company: String) -> Set<String> {
    var seen: Set<String> = [company]
    var open = [company]
    while let next = open.popLast() {
      for parent in self.parents[next] ?? [] where seen.insert(parent).inserted { open.append(parent) }
    }
    return seen
  }

  /// All that `company` controls, itself left out.
  func controlled(by company: String, _ rule: ControlRule) -> Set<String> {
    var members: Set<String> = [company]
    var held: [String: Int] = [:]
    var open = [company]
    while let next = open.popLast() {
      for (child, millionths) in self.children[next] ?? [] where !members.contains(child) {
        held[child, default: 0] = min(1_000_000, held[child, default: 0] + millionths)
        guard rule.isMet(by: held[child] ?? 0) else { continue }
        members.insert(child)
        open.append(child)
      }
    }
    members.remove(company)
    return members
  }
}
