import Audience
import GovernanceTypes
import Testing

@Suite("the days past of an audience")
struct HistoryTests {
  let scope = AudienceScope("license:x")

  func day(_ text: String) throws -> CalendarDay { try #require(CalendarDay(text)) }

  @Test("new users of a day are what its end has more than the day before; a month begins at nothing")
  func differences() throws {
    var history = AudienceHistory()
    history.note(100, in: self.scope, at: try self.day("2026-10-30"))
    history.note(130, in: self.scope, at: try self.day("2026-10-31"))
    history.note(40, in: self.scope, at: try self.day("2026-11-01"))
    history.note(70, in: self.scope, at: try self.day("2026-11-03"))
    #expect(history.newUsersPerDay(in: self.scope, before: try self.day("2026-11-04")) == [100, 30, 40, 0, 30])
    #expect(history.newUsersPerDay(in: AudienceScope("other"), before: try self.day("2026-11-04")) == [])
    #expect(history.newestDay == (try self.day("2026-11-03")))
  }

  @Test("a cap is forecast for the day that the pace of the last days comes to it")
  func forecast() throws {
    var history = AudienceHistory()
    for number in 1...7 { history.note(10 * number, in: self.scope, at: try self.day("2026-11-0\(number)")) }
    let cap = AudienceCap(scope: self.scope, atMost: 100)
    #expect(history.day(reaching: cap, from: 70, at: try self.day("2026-11-08")) == (try self.day("2026-11-11")))
    #expect(
      history.day(reaching: AudienceCap(scope: self.scope, atMost: 100_000), from: 70, at: try self.day("2026-11-08")) == nil)
    #expect(AudienceHistory().day(reaching: cap, from: 70, at: try self.day("2026-11-08")) == nil)
  }

  @Test("no more days are kept than a forecast looks at")
  func bounded() throws {
    var history = AudienceHistory()
    let first = try self.day("2025-01-01").number
    for number in first..<(first + 400) { history.note(1, in: self.scope, at: CalendarDay(number: number)) }
    #expect(history.newUsersPerDay(in: self.scope, before: CalendarDay(number: first + 400)).count == AudienceHistory.keptDays)
  }
}
