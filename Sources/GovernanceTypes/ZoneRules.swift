/// The clock of one time zone, as data: how far it is ahead of UTC, and when that changes.
///
/// Read from the system's zone data by whoever may touch files, and handed in, so that a domain can reckon in local days without one.
public struct ZoneRules: Sendable, Equatable {
  /// From `at` on, local clocks are `offset` seconds ahead of UTC.
  public struct Change: Sendable, Equatable {
    public var at: Timestamp
    public var offset: Int64

    public init(at: Timestamp, offset: Int64) {
      self.at = at
      self.offset = offset
    }
  }

  /// The name in the zone data: `Europe/Berlin`.
  public let name: String
  private let first: Int64
  private let changes: [Change]

  public static let utc = ZoneRules(unchecked: "UTC", first: 0, changes: [])
  /// All instants at which a window can begin or end are multiples of this.
  public static let quarterHour: Int64 = 900

  private init(unchecked name: String, first: Int64, changes: [Change]) {
    self.name = name
    self.first = first
    self.changes = changes
  }

  /// Nil unless changes ascend, offsets are within 24 hours, and all of them are whole quarters of an hour, as in every zone since 1990.
  public init?(name: String, first: Int64, changes: [Change]) {
    let offsets = [first] + changes.map(\.offset)
    guard offsets.allSatisfy({ abs($0) <= 86_400 && $0 % Self.quarterHour == 0 }) else { return nil }
    guard changes.allSatisfy({ $0.at.nanoseconds % (Self.quarterHour * 1_000_000_000) == 0 }) else { return nil }
    guard zip(changes, changes.dropFirst()).allSatisfy({ $0.at < $1.at }) else { return nil }
    self.init(unchecked: name, first: first, changes: changes)
  }

  /// Seconds that local clocks are ahead of UTC. O(log changes).
  public func offset(at instant: Timestamp) -> Int64 { self.place(instant).map { self.changes[$0].offset } ?? self.first }

  /// The day that local calendars show.
  public func day(at instant: Timestamp) -> CalendarDay {
    CalendarDay(number: Int(floorDivide(self.local(instant), 86_400)))
  }

  /// When the local hour of an instant began. Where clocks are set within it, that is where it begins anew: an hour that comes twice is two.
  public func hourStart(at instant: Timestamp) -> Timestamp {
    let local = self.local(instant)
    let start = Timestamp(seconds: instant.seconds - (local - floorDivide(local, 3600) * 3600))
    guard let place = self.place(instant) else { return start }
    return max(start, self.changes[place].at)
  }

  /// The first instant after which local calendars never show an earlier day again.
  ///
  /// Where midnight is skipped that is the end of the gap; where it comes twice, the second one.
  public func start(of day: CalendarDay) -> Timestamp {
    let midnight = Int64(day.number) * 86_400
    let before = self.place(Timestamp(seconds: midnight - 3 * 86_400))
    let near = self.changes[(before.map { $0 + 1 } ?? 0)...].prefix { $0.at.seconds <= midnight + 3 * 86_400 }
    let offsets = [before.map { self.changes[$0].offset } ?? self.first] + near.map(\.offset)
    let candidates = offsets.map { Timestamp(seconds: midnight - $0) }.filter { self.local($0) == midnight }
    if let last = candidates.max() { return last }
    let gap = near.last { self.local($0.at) >= midnight && self.local(Timestamp(seconds: $0.at.seconds - 1)) < midnight }
    return gap?.at ?? Timestamp(seconds: midnight - (offsets.last ?? 0))
  }

  private func local(_ instant: Timestamp) -> Int64 { instant.seconds + self.offset(at: instant) }

  /// The newest change at or before an instant.
  private func place(_ instant: Timestamp) -> Int? {
    var low = 0
    var high = self.changes.count
    while low < high {
      let middle = (low + high) / 2
      if self.changes[middle].at <= instant { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : low - 1
  }
}
