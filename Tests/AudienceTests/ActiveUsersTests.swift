import Audience
import GovernanceTypes
import Testing

@Suite("Active users of a month")
struct ActiveUsersTests {
  private let customer = AudienceScope("cus")
  private let license = AudienceScope("license")

  @Test("counts a user once per month and scope")
  func counting() throws {
    var active = ActiveUsers()
    let (november, december) = (try month("2026-11"), try month("2026-12"))
    let first = active.count(user(1), in: [self.customer, self.license], caps: [], month: november)
    let again = active.count(user(1), in: [self.customer], caps: [], month: november)
    let later = active.count(user(1), in: [self.customer], caps: [], month: december)
    #expect(first == .counted(newIn: [self.customer, self.license]) && again == .counted(newIn: []))
    #expect(later == .counted(newIn: [self.customer]))
    #expect(active.totals(month: november).map(\.scope) == [self.customer, self.license])
    #expect(active.totals(month: november).map(\.users) == [1, 1])
    #expect(active.total(self.license, month: december) == 0 && active.totals(month: december.next).isEmpty)
  }

  @Test(
    "a cap refuses new users from the cap on, never those counted; refused users are counted nowhere",
    arguments: [0, 1, 10, 5000])
  func caps(most: Int) throws {
    var active = ActiveUsers()
    let month = try month("2026-11")
    let cap = AudienceCap(scope: self.customer, atMost: most)
    for number in 0..<most {
      // The license's count has no cap and may be a sketch, in which not every new user shows.
      guard case .counted(let fresh) = active.count(user(number), in: [self.customer, self.license], caps: [cap], month: month),
        fresh.first == self.customer
      else {
        Issue.record("user \(number) was not counted as new")
        return
      }
    }
    #expect(active.state(of: cap, month: month) == .reached && active.total(self.customer, month: month) == most)
    let others = active.sketch(self.license, month: month)
    let refused = active.count(user(most), in: [self.customer, self.license], caps: [cap], month: month)
    #expect(refused == .refused(cap) && active.sketch(self.license, month: month) == others)
    for number in 0..<min(most, 20) {
      let outcome = active.count(user(number), in: [self.customer, self.license], caps: [cap], month: month)
      #expect(outcome == .counted(newIn: []))
    }
    let nextMonth = active.count(user(most), in: [self.license], caps: [], month: month.next)
    #expect(nextMonth == .counted(newIn: [self.license]))
  }

  @Test(
    "a scope with a cap stays exact up to the cap, or up to the limit for caps",
    arguments: [
      (cap: 6000, limit: 10_000, isExact: true), (cap: 6000, limit: 5000, isExact: false),
      (cap: 100, limit: 10_000, isExact: false),
    ])
  func exactness(cap: Int, limit: Int, isExact: Bool) throws {
    let month = try month("2026-11")
    let cap = AudienceCap(scope: self.customer, atMost: cap)
    var active = ActiveUsers(limits: ActiveUsers.Limits(exactUnderCap: limit))
    active.expect([cap])
    for number in 0..<5500 {
      active.insert(user(number), in: self.customer, month: month)
      active.insert(user(number), in: self.license, month: month)
    }
    #expect(active.estimate(self.customer, month: month).isExact == isExact)
    #expect(!active.estimate(self.license, month: month).isExact)
  }

  @Test("a cap below the usual limit does not make a scope less exact")
  func smallCap() throws {
    let month = try month("2026-11")
    var active = ActiveUsers()
    active.expect([AudienceCap(scope: self.customer, atMost: 100)])
    for number in 0..<4096 { active.insert(user(number), in: self.customer, month: month) }
    #expect(active.estimate(self.customer, month: month) == AudienceEstimate(exactly: 4096))
  }

  @Test("a cap that comes while the count is exact lets it stay exact")
  func lateCap() throws {
    let month = try month("2026-11")
    var active = ActiveUsers()
    for number in 0..<4000 { active.insert(user(number), in: self.customer, month: month) }
    active.expect([AudienceCap(scope: self.customer, atMost: 8000)])
    for number in 4000..<6000 { active.insert(user(number), in: self.customer, month: month) }
    #expect(active.estimate(self.customer, month: month) == AudienceEstimate(exactly: 6000))
  }

  @Test("at a cap that a sketch watches, refusal begins with the upper bound, and the count does not pass the cap")
  func sketchedCap() throws {
    let month = try month("2026-11")
    let cap = AudienceCap(scope: self.customer, atMost: 20_000)
    var active = ActiveUsers(limits: ActiveUsers.Limits(exactUnderCap: 4096))
    var refused = 0
    for number in 0..<60_000 {
      let outcome = active.count(user(number), in: [self.customer], caps: [cap], month: month)
      if outcome == .refused(cap) { refused += 1 }
    }
    let estimate = active.estimate(self.customer, month: month)
    #expect(refused > 0 && active.state(of: cap, month: month) == .possiblyReached)
    #expect(estimate.upper >= 20_000 && estimate.upper < 20_010 && estimate.users < 20_000)
    // Those who were counted before the cap was near are all still served.
    let served = (0..<15_000).allSatisfy {
      active.count(user($0), in: [self.customer], caps: [cap], month: month) == .counted(newIn: [])
    }
    #expect(served)
  }

  @Test("what was called new restores the same counts in any order", arguments: [1, 2] as [UInt64])
  func restoring(seed: UInt64) throws {
    let month = try month("2026-11")
    let cap = AudienceCap(scope: self.customer, atMost: 6000)
    var active = ActiveUsers()
    var marks: [(Int, AudienceScope)] = []
    for number in 0..<9000 {
      guard case .counted(let scopes) = active.count(user(number), in: [self.customer, self.license], caps: [cap], month: month)
      else { continue }
      marks += scopes.map { (number, $0) }
    }
    var generator = SplitMix64(seed: seed)
    var restored = ActiveUsers()
    restored.expect([cap])
    for (number, scope) in marks.shuffled(using: &generator) { restored.insert(user(number), in: scope, month: month) }
    for scope in [self.customer, self.license] {
      #expect(restored.sketch(scope, month: month) == active.sketch(scope, month: month), "seed \(seed), \(scope.name)")
    }
    #expect(active.total(self.customer, month: month) == 6000)
  }

  @Test("takes back a user whose counting did not become durable")
  func removing() throws {
    let month = try month("2026-11")
    var active = ActiveUsers()
    active.insert(user(1), in: self.customer, month: month)
    active.remove(user(2), from: self.customer, month: month)
    active.remove(user(1), from: self.license, month: month)
    #expect(active.total(self.customer, month: month) == 1)
    active.remove(user(1), from: self.customer, month: month)
    #expect(active.total(self.customer, month: month) == 0 && !active.contains(user(1), in: self.customer, month: month))
  }

  @Test("forgets months, and only those before")
  func retention() throws {
    var active = ActiveUsers()
    for text in ["2026-10", "2026-11", "2026-12"] { active.insert(user(1), in: self.customer, month: try month(text)) }
    active.forget(before: try month("2026-11"))
    #expect(active.total(self.customer, month: try month("2026-10")) == 0)
    #expect(active.total(self.customer, month: try month("2026-11")) == 1)
    #expect(active.total(self.customer, month: try month("2026-12")) == 1)
  }

  @Test("a group of affiliates counts users of two of them once; other nodes' users are added")
  func rollUp() throws {
    let month = try month("2026-11")
    let affiliates = (0..<3).map { AudienceScope("affiliate \($0)") }
    var active = ActiveUsers()
    for (scope, range) in zip(affiliates, [0..<3000, 2000..<5000, 4500..<8000]) {
      for number in range { active.insert(user(number), in: scope, month: month) }
    }
    let two = try #require(active.union(of: Array(affiliates.prefix(2)) + [AudienceScope("nobody")], month: month))
    #expect(two == sketch(0..<5000))
    #expect(active.union(of: affiliates, month: month) == sketch(0..<8000))
    #expect(active.union(of: [AudienceScope("nobody")], month: month) == nil)

    active.merge(sketch(2500..<3500), into: affiliates[0], month: month)
    #expect(active.total(affiliates[0], month: month) == 3500)
    active.merge(sketch(2500..<3500), into: affiliates[0], month: month)
    #expect(active.total(affiliates[0], month: month) == 3500)
    active.merge(sketch(0..<10), into: AudienceScope("new"), month: month)
    #expect(active.total(AudienceScope("new"), month: month) == 10)
  }

  @Test("anonymous calls count as one user a key, and are bounded by one user a call")
  func anonymous() throws {
    let month = try month("2026-11")
    var active = ActiveUsers()
    for number in 0..<10 { _ = active.count(user(number), in: [self.customer], caps: [], month: month) }
    #expect(active.range(self.customer, month: month).least == 10 && active.range(self.customer, month: month).most == 10)
    for call in 0..<30 {
      _ = active.count(user(100 + call % 2), in: [self.customer], caps: [], month: month, isAnonymous: true)
    }
    #expect(active.total(self.customer, month: month) == 12)
    let anonymous = active.anonymous(self.customer, month: month)
    #expect(anonymous.keys == AudienceEstimate(exactly: 2) && anonymous.calls == 30)
    let range = active.range(self.customer, month: month)
    #expect(range.least == 12 && range.most == 40)
    #expect(active.anonymous(self.license, month: month) == .none && active.anonymous(self.customer, month: month.next) == .none)

    let cap = AudienceCap(scope: self.customer, atMost: 12)
    let refused = active.count(user(200), in: [self.customer], caps: [cap], month: month, isAnonymous: true)
    #expect(
      refused == .refused(cap) && active.anonymous(self.customer, month: month).calls == 30, "a refused call is not counted")

    active.restoreAnonymous(key: user(100), calls: .max, in: self.customer, month: month)
    active.restoreAnonymous(key: user(100), calls: -5, in: self.customer, month: month)
    #expect(active.range(self.customer, month: month).most >= AudienceEstimate.largest)
  }
}
