import GovernanceTypes
import Testing

@testable import UsageLedger

private func at(_ text: String) -> Timestamp { Timestamp(text) ?? Timestamp(seconds: 0) }

/// Zones as the IANA database has them in 2026, written down here so that the tests need no zone data.
private enum Zones {
  static func make(_ name: String, _ first: Int64, _ changes: [(String, Int64)]) -> ZoneRules {
    guard let zone = ZoneRules(name: name, first: first, changes: changes.map { .init(at: at($0.0), offset: $0.1) }) else {
      preconditionFailure("\(name) is a zone")
    }
    return zone
  }

  static let berlin = Self.make(
    "Europe/Berlin", 3600, [("2026-03-29T01:00:00Z", 7200), ("2026-10-25T01:00:00Z", 3600), ("2027-03-28T01:00:00Z", 7200)])
  static let newYork = Self.make(
    "America/New_York", -18_000, [("2026-03-08T07:00:00Z", -14_400), ("2026-11-01T06:00:00Z", -18_000)])
  static let lordHowe = Self.make(
    "Australia/Lord_Howe", 39_600, [("2026-04-04T15:00:00Z", 37_800), ("2026-10-03T15:30:00Z", 39_600)])
  /// Clocks go forward at midnight: the day has no 00:00.
  static let beirut = Self.make("Asia/Beirut", 7200, [("2026-03-28T22:00:00Z", 10_800), ("2026-10-24T21:00:00Z", 7200)])
  static let kolkata = Self.make("Asia/Kolkata", 19_800, [])
  static let kathmandu = Self.make("Asia/Kathmandu", 20_700, [])
  static let kiritimati = Self.make("Pacific/Kiritimati", 50_400, [])

  static let all = [ZoneRules.utc, berlin, newYork, lordHowe, beirut, kolkata, kathmandu, kiritimati]
}

@Suite("Calendar windows")
struct WindowTests {
  @Test(
    "A window begins and ends where local calendars say, also where clocks are set",
    arguments: [
      (Window.day, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", Zones.berlin),
      (.day, "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", Zones.berlin),
      (.month, "2026-03-31T22:30:00Z", "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z", Zones.berlin),
      (.month, "2026-10-31T23:30:00Z", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", Zones.berlin),
      (.week, "2026-11-29T23:30:00Z", "2026-11-29T23:00:00Z", "2026-12-06T23:00:00Z", Zones.berlin),
      (.week, "2026-11-29T22:30:00Z", "2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z", Zones.berlin),
      // The hour from 2 to 3 comes twice, and each is a window.
      (.hour, "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", Zones.berlin),
      (.hour, "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z", Zones.berlin),
      (.day, "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", Zones.newYork),
      // Half an hour is skipped and comes twice.
      (.hour, "2026-10-03T15:45:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z", Zones.lordHowe),
      (.day, "2026-04-04T20:00:00Z", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z", Zones.lordHowe),
      (.day, "2026-03-28T23:00:00Z", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z", Zones.beirut),
      // The clocks go back at midnight: the hour before it comes twice and belongs to the old day.
      (.day, "2026-10-24T21:30:00Z", "2026-10-23T21:00:00Z", "2026-10-24T22:00:00Z", Zones.beirut),
      (.month, "2026-11-30T18:45:00Z", "2026-11-30T18:30:00Z", "2026-12-31T18:30:00Z", Zones.kolkata),
      (.day, "2026-11-23T18:15:00Z", "2026-11-23T18:15:00Z", "2026-11-24T18:15:00Z", Zones.kathmandu),
      (.month, "2026-11-30T10:00:00Z", "2026-11-30T10:00:00Z", "2026-12-31T10:00:00Z", Zones.kiritimati),
      (.week, "1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z", .utc),
    ] as [(Window, String, String, String, ZoneRules)])
  func spans(window: Window, instant: String, start: String, end: String, zone: ZoneRules) {
    let span = window.span(at: at(instant), in: zone)
    let first = start.hasPrefix("1969") ? Timestamp(seconds: -3 * 86_400) : at(start)
    #expect(span == CalendarSpan(start: first, end: at(end)))
  }

  @Test("Windows meet without a gap and without overlap, in every zone, the whole year", arguments: Zones.all)
  func partition(zone: ZoneRules) {
    for window in [Window.hour, .day, .week, .month] {
      var instant = at("2026-01-05T00:00:00Z")
      let end = at("2027-02-01T00:00:00Z")
      var turns = 0
      while instant < end {
        let span = window.span(at: instant, in: zone)
        #expect(span.contains(instant))
        #expect(
          window.span(at: Timestamp(nanoseconds: span.end.nanoseconds - 1), in: zone) == span, "\(window) \(zone.name) \(instant)"
        )
        #expect(window.span(at: span.end, in: zone).start == span.end, "\(window) \(zone.name) \(instant)")
        #expect(span.start.nanoseconds % 900_000_000_000 == 0)
        instant = span.end
        turns += 1
      }
      #expect(turns > 11)
    }
  }

  @Test("A zone is refused whose changes are out of order, too large, or between two quarters of an hour")
  func zones() {
    func zone(_ first: Int64, _ changes: [(Int64, Int64)]) -> ZoneRules? {
      ZoneRules(name: "x", first: first, changes: changes.map { .init(at: Timestamp(seconds: $0.0), offset: $0.1) })
    }
    #expect(zone(0, [(900, 3600), (1800, 0)]) != nil)
    #expect(zone(0, [(1800, 3600), (900, 0)]) == nil)
    #expect(zone(0, [(900, 3600), (900, 0)]) == nil)
    #expect(zone(1, []) == nil)
    #expect(zone(90_000, []) == nil)
    #expect(zone(0, [(901, 0)]) == nil)
  }

  fileprivate static let usd = Currency("USD") ?? { preconditionFailure("USD is a currency") }()

  fileprivate static func hold(
    _ ledger: inout Ledger, _ usage: UInt128, _ amount: Int128, at now: Timestamp
  ) -> Result<Hold, LedgerRefusal> {
    ledger.hold(
      usage: UsageID(usage), customer: CustomerID(1), chain: [.key(KeyID(2)), .customer(CustomerID(1))], currency: usd,
      amount: NanoAmount(amount), tokens: TokenCount(1), at: now)
  }

  @Test("A limit set late counts what was spent before, in a window of its own zone")
  func lateLimit() throws {
    var ledger = Ledger()
    // 23:30 in Berlin on the 30th, and 00:30 on the 1st.
    for (usage, time) in [(UInt128(1), "2026-11-30T22:30:00Z"), (2, "2026-11-30T23:30:00Z")] {
      _ = try Self.hold(&ledger, usage, 60, at: at(time)).get()
      _ = try ledger.settle(UsageID(usage), amount: NanoAmount(50), tokens: TokenCount(1), at: at(time)).get()
    }
    ledger.set(
      Limit(id: LimitID(1), subject: .key(KeyID(2)), measure: .spend(NanoAmount(100), Self.usd, .month), zone: Zones.berlin))
    #expect((try? Self.hold(&ledger, 3, 51, at: at("2026-12-01T12:00:00Z")).get()) == nil)
    #expect((try? Self.hold(&ledger, 3, 50, at: at("2026-12-01T12:00:00Z")).get()) != nil)
  }

  @Test("The kept answer of each limit is that of the history, through windows, restarts and folded days", arguments: 1...12)
  func keptAnswers(seed: UInt64) {
    var generator = SplitMix(seed: seed)
    var ledger = Ledger()
    var spent: [(at: Timestamp, amount: Int128)] = []
    let limits = Window.allCases.enumerated().map { number, window in
      Limit(
        id: LimitID(UInt128(number + 1)), subject: .key(KeyID(2)), measure: .spend(NanoAmount(1 << 60), Self.usd, window),
        zone: Zones.all[Int(generator.next() % UInt64(Zones.all.count))])
    }
    limits.forEach { ledger.set($0) }
    var now = at("2026-02-20T00:00:00Z")
    for usage in 1...600 as ClosedRange<UInt128> {
      now = now.advanced(by: .seconds(Int64(generator.next() % 40_000)))
      guard case .success(let hold) = Self.hold(&ledger, usage, 1000, at: now) else {
        Issue.record("a hold below every limit is refused")
        return
      }
      let amount = Int128(generator.next() % 1000)
      // Some stay open for a while, over the ends of windows.
      if generator.next() % 4 > 0 {
        _ = ledger.settle(hold.usage, amount: NanoAmount(amount), tokens: .zero, at: now)
        spent.append((now, amount))
      } else {
        spent.append((now, 1000))
      }
      for limit in limits {
        let span = limit.measure.window.span(at: now, in: limit.zone)
        let wanted = spent.filter { span.contains($0.at) }.reduce(Int128(0)) { $0 + $1.amount }
        let balance = ledger.balance(.key(KeyID(2)), Self.usd, window: limit.measure.window, at: now, zone: limit.zone)
        #expect(balance.committed.nano == wanted, "seed \(seed), \(limit.measure.window) in \(limit.zone.name) at \(now)")
        let room = ledger.headroom(chain: [.key(KeyID(2))], customer: CustomerID(1), currency: Self.usd, heldAt: now).amount
        #expect(room.map { $0 <= NanoAmount((1 << 60) - wanted) } == true, "seed \(seed)")
      }
    }
  }
}

extension WindowTests {
  @Test("A start from sums as coarse as a ledger allows answers every window as before, on that day and later", arguments: 1...12)
  func restart(seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    var ledger = Ledger()
    var settled: [(at: Timestamp, amount: NanoAmount)] = []
    var open: [Hold] = []
    var now = at("2026-02-20T00:00:00Z")
    for usage in 1...500 as ClosedRange<UInt128> {
      now = now.advanced(by: .seconds(Int64(generator.next() % 30_000)))
      let hold = try Self.hold(&ledger, usage, 1000, at: now).get()
      if usage > 480, generator.next() % 4 == 0 {
        open.append(hold)
      } else {
        let amount = NanoAmount(Int128(generator.next() % 1000))
        try ledger.settle(usage: hold, amount, at: now)
        settled.append((now, amount))
      }
    }
    let (kept, fine) = Ledger.detail(seenFrom: open.reduce(now.day) { min($0, $1.heldAt.day) })
    let sums = Dictionary(grouping: settled) { place in
      if place.at < kept { return Timestamp(nanoseconds: 0) }
      let isFine = fine.contains { $0.contains(place.at) }
      return isFine ? Timestamp(seconds: place.at.seconds / 900 * 900) : place.at.day.start
    }
    var second = Ledger()
    for (since, places) in sums.sorted(by: { $0.key < $1.key }) {
      let whole = Hold(
        usage: UsageID(0), customer: CustomerID(1), chain: [.key(KeyID(2)), .customer(CustomerID(1))], currency: Self.usd,
        amount: .zero, tokens: .zero, heldAt: since, isPrepaid: false)
      second.restore(
        settled: places.reduce(.zero) { $0 + $1.amount }, tokens: TokenCount(places.count), as: whole)
    }
    second.compact()
    for hold in open { second.restore(open: hold) }
    #expect(sums.count < settled.count * 3 / 4, "seed \(seed): the sums are coarser than the requests")
    for usage in 1001...1100 as ClosedRange<UInt128> {
      for (window, zone) in Window.allCases.flatMap({ window in Zones.all.map { (window, $0) } }) {
        let balances = [ledger, second].map { $0.balance(.key(KeyID(2)), Self.usd, window: window, at: now, zone: zone) }
        #expect(balances[0] == balances[1], "seed \(seed), \(window) in \(zone.name) at \(now)")
      }
      now = now.advanced(by: .seconds(Int64(generator.next() % 80_000)))
      let amount = NanoAmount(Int128(generator.next() % 1000))
      try ledger.settle(usage: try Self.hold(&ledger, usage, 1000, at: now).get(), amount, at: now)
      try second.settle(usage: try Self.hold(&second, usage, 1000, at: now).get(), amount, at: now)
    }
  }
}

extension Ledger {
  fileprivate mutating func settle(usage hold: Hold, _ amount: NanoAmount, at now: Timestamp) throws {
    _ = try self.settle(hold.usage, amount: amount, tokens: TokenCount(1), at: now).get()
  }
}

private struct SplitMix {
  private var state: UInt64
  init(seed: UInt64) { self.state = seed }

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var z = self.state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
