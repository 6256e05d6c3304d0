internal import Foundation
internal import GovernanceTypes
internal import Synchronization

/// Time zones by the system's zone data, read once each, for the calendar windows of limits.
///
/// Years from 2020 to 2100 are covered; what is asked about later is answered with the last rule.
final class SystemZones: Sendable {
  private let known = Mutex<[String: ZoneRules]>([:])

  private static let years = (from: 1_577_836_800, to: 4_102_444_800)

  /// Nil where the zone data has no such zone, or one whose clocks are set between two quarters of an hour.
  func zone(_ name: String) -> ZoneRules? {
    if name == ZoneRules.utc.name { return .utc }
    if let zone = self.known.withLock({ $0[name] }) { return zone }
    guard TimeZone.knownTimeZoneIdentifiers.contains(name), let zone = TimeZone(identifier: name) else { return nil }
    guard let rules = Self.rules(name, zone) else { return nil }
    self.known.withLock { $0[name] = rules }
    return rules
  }

  private static func rules(_ name: String, _ zone: TimeZone) -> ZoneRules? {
    func offset(_ second: Int) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(second))) }
    let first = offset(Self.years.from)
    var changes: [ZoneRules.Change] = []
    var now = first
    for day in stride(from: Self.years.from, to: Self.years.to, by: 86_400) where offset(day + 86_400) != now {
      // The second at which clocks are set lies within this day.
      var low = day
      var high = day + 86_400
      while high - low > 1 {
        let middle = (low + high) / 2
        if offset(middle) == now { low = middle } else { high = middle }
      }
      now = offset(high)
      changes.append(ZoneRules.Change(at: Timestamp(seconds: Int64(high)), offset: Int64(now)))
    }
    return ZoneRules(name: name, first: Int64(first), changes: changes)
  }
}
