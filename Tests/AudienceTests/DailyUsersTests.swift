import Audience
import GovernanceTypes
import Testing

@Suite("Users of a day")
struct DailyUsersTests {
  private let scope = AudienceScope("cus_a")
  private let other = AudienceScope("cus_b")
  private let day = CalendarDay(number: 20_785)

  @Test("each user counts once a day, in each scope by itself, and once over several scopes of the running day")
  func counting() {
    var days = DailyUsers()
    let first = days.count(user(1), in: [self.scope, self.other], on: self.day)
    let again = days.count(user(1), in: [self.scope], on: self.day)
    let second = days.count(user(2), in: [self.other], on: self.day)
    #expect(first && !again && second)
    #expect(days.users(of: [self.scope], on: self.day) == 1 && days.users(of: [self.scope, self.other], on: self.day) == 2)
    #expect(days.users(of: [self.scope], on: self.day.next) == 0)
  }

  @Test("an ended day keeps its number, the busiest is found by month and from a day on, and old days are let go of")
  func ended() throws {
    var days = DailyUsers()
    var day = try #require(CalendarDay("2026-10-30"))
    for users in [3, 7, 5] {
      for number in 0..<users { days.count(user(number), in: [self.scope], on: day) }
      day = day.next
    }
    let (october, november) = (try month("2026-10"), try month("2026-11"))
    #expect(days.peak(of: [self.scope], in: october) == 7 && days.peak(of: [self.scope], in: november) == 5)
    #expect(days.peak(of: [self.scope], from: try #require(CalendarDay("2026-11-01"))) == 5)
    #expect(days.peak(of: [self.scope, self.other], from: try #require(CalendarDay("2026-10-01"))) == 7)
    days.begin(CalendarDay(number: day.number + DailyUsers.keptDays))
    #expect(days.peak(of: [self.scope], in: october) == 0)
  }

  @Test("a clock set back brings no day back, and what is restored is there again")
  func setBack() throws {
    var days = DailyUsers()
    days.count(user(1), in: [self.scope], on: self.day)
    let isCounted = days.count(user(2), in: [self.scope], on: CalendarDay(number: self.day.number - 1))
    #expect(!isCounted && days.users(of: [self.scope], on: self.day) == 1)
    var again = DailyUsers()
    again.restore(41, in: self.scope, of: CalendarDay(number: self.day.number - 1))
    again.count(user(1), in: [self.scope], on: self.day)
    #expect(again.users(of: [self.scope], on: CalendarDay(number: self.day.number - 1)) == 41)
    #expect(again.totals(of: CalendarDay(number: self.day.number - 1)).map(\.users) == [41])
  }
}
