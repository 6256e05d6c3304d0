import Audience
import GovernanceTypes
import Testing

@Suite("The day on which a cap will be reached")
struct ForecastTests {
  @Test(
    "at an even pace, without an end of the period",
    arguments: [
      (cap: 1000, users: 1000, day: "2026-03-10"), (1000, 1001, "2026-03-10"), (1000, 999, "2026-03-11"),
      (1000, 990, "2026-03-11"),
      (1000, 989, "2026-03-12"), (1000, 0, "2026-06-18"), (3650, 0, "2027-03-10"), (3651, 0, nil), (.max, 0, nil),
    ] as [(cap: Int, users: Int, day: String?)])
  func unending(cap: Int, users: Int, day expected: String?) throws {
    let forecast = AudienceForecast(newUsersPerDay: [Int](repeating: 10, count: 28))
    let found = forecast.day(reaching: cap, from: users, at: try day("2026-03-10"), period: .unending)
    #expect(found?.description == expected)
  }

  @Test(
    "a count of the month begins anew with the next",
    arguments: [
      // The 29th and 30th of November add to what is there; then December from zero, at ten a day.
      (cap: 120, users: 100, day: "2026-11-30"), (121, 100, "2026-12-13"), (310, 100, "2026-12-31"), (311, 100, nil),
    ] as [(cap: Int, users: Int, day: String?)])
  func monthly(cap: Int, users: Int, day expected: String?) throws {
    let forecast = AudienceForecast(newUsersPerDay: [Int](repeating: 10, count: 28))
    let found = forecast.day(reaching: cap, from: users, at: try day("2026-11-28"))
    #expect(found?.description == expected)
  }

  @Test(
    "the pace is the higher median of 7 and of 28 days, whatever single days did",
    arguments: [
      (days: [], perDay: nil), ([0, 0, 0], nil), ([-5, -5, -5], nil), ([10], 10), ([10, 1_000_000, 10], 10), ([10, 0, 10], 10),
      ([Int](repeating: 20, count: 21) + [Int](repeating: 10, count: 7), 20),
      ([Int](repeating: 10, count: 21) + [Int](repeating: 20, count: 7), 20),
      ([Int](repeating: 90, count: 30) + [Int](repeating: 10, count: 28), 10),
      ([Int](repeating: 10, count: 24) + [20, 20, 20, 20], 20), ([Int](repeating: 10, count: 25) + [20, 20, 20], 10),
    ] as [(days: [Int], perDay: Int?)])
  func pace(days: [Int], perDay: Int?) throws {
    let forecast = AudienceForecast(newUsersPerDay: days)
    let start = try day("2026-03-10")
    let found = forecast.day(reaching: 100, from: 0, at: start, period: .unending)
    #expect(found == perDay.map { CalendarDay(number: start.number + (100 + $0 - 1) / $0) })
  }

  @Test("half users are kept")
  func halves() throws {
    let forecast = AudienceForecast(newUsersPerDay: [1, 2])
    let start = try day("2026-03-10")
    #expect(forecast.day(reaching: 3, from: 0, at: start, period: .unending)?.number == start.number + 2)
    #expect(forecast.day(reaching: 4, from: 0, at: start, period: .unending)?.number == start.number + 3)
  }

  @Test("no numbers make it overflow")
  func extremes() throws {
    let start = try day("2026-03-10")
    let forecast = AudienceForecast(newUsersPerDay: [.max, .max, .min])
    for cap in [1, Int.max / 2, .max] {
      for users in [Int.min, 0, .max - 1] {
        _ = forecast.day(reaching: cap, from: users, at: start)
        _ = forecast.day(reaching: cap, from: users, at: start, period: .unending)
      }
    }
    #expect(forecast.day(reaching: 1, from: 0, at: start) == start.next)
  }
}
