import Testing

@testable import Audience

@Suite("How far a count has come towards its cap")
struct CapTests {
  private static func state(_ users: AudienceEstimate, of cap: Int) -> CapState {
    CapState(of: users, against: AudienceCap(scope: AudienceScope("cus"), atMost: cap))
  }

  @Test(
    "exact counts, on both sides of each boundary",
    arguments: [
      (0, 1000, .below), (499, 1000, .below), (500, 1000, .nearing(percent: 50)), (799, 1000, .nearing(percent: 50)),
      (800, 1000, .nearing(percent: 80)), (899, 1000, .nearing(percent: 80)), (900, 1000, .nearing(percent: 90)),
      (949, 1000, .nearing(percent: 90)), (950, 1000, .nearing(percent: 95)), (999, 1000, .nearing(percent: 95)),
      (1000, 1000, .reached), (1001, 1000, .reached),
      // Shares of a cap that is no multiple of 100 are rounded up.
      (1, 3, .below), (2, 3, .nearing(percent: 50)), (3, 3, .reached), (349, 700, .below), (350, 700, .nearing(percent: 50)),
      (0, 1, .below), (1, 1, .reached), (0, 0, .reached), (0, -1, .reached), (5, .max, .below),
      (Int.max / 2 - 100, .max, .below), (Int.max / 2 + 1, .max, .nearing(percent: 50)),
    ] as [(Int, Int, CapState)])
  func exact(users: Int, cap: Int, expected: CapState) {
    #expect(Self.state(AudienceEstimate(exactly: users), of: cap) == expected)
  }

  /// About 100,000 with 0.1 %: bounds 99,700 and 100,300.
  @Test(
    "estimates: alerts and refusal by the upper bound, certainty by the lower",
    arguments: [
      (200_601, .below), (200_600, .nearing(percent: 50)), (125_376, .nearing(percent: 50)), (125_375, .nearing(percent: 80)),
      (105_579, .nearing(percent: 90)), (105_578, .nearing(percent: 95)), (100_301, .nearing(percent: 95)),
      (100_300, .possiblyReached), (99_701, .possiblyReached), (99_700, .reached),
    ] as [(Int, CapState)])
  func estimated(cap: Int, expected: CapState) {
    let users = AudienceEstimate(about: 100_000, sigma: 0.001)
    #expect(users.lower == 99_700 && users.upper == 100_300)
    let state = Self.state(users, of: cap)
    #expect(state == expected)
    #expect(state.refusesNewUsers == (cap <= 100_300))
  }

  @Test(
    "a limit that was attested is warned of by the upper bound and refuted by the lower",
    arguments: [
      (.atMost, 100_301, .within), (.atMost, 100_300, .warn), (.atMost, 99_701, .warn), (.atMost, 99_700, .warn),
      (.atMost, 99_699, .refuted), (.fewerThan, 100_301, .within), (.fewerThan, 100_300, .warn), (.fewerThan, 99_701, .warn),
      (.fewerThan, 99_700, .refuted),
    ] as [(MeasuredThreshold.Strictness, Int, MeasuredThreshold.Finding)])
  func thresholds(strictness: MeasuredThreshold.Strictness, limit: Int, expected: MeasuredThreshold.Finding) {
    #expect(MeasuredThreshold(strictness, limit).finding(for: AudienceEstimate(about: 100_000, sigma: 0.001)) == expected)
  }

  @Test(
    "exactly 700 million passes where more are refused, and not where fewer are asked for",
    arguments: [
      (.atMost, 699_999_999, .within), (.atMost, 700_000_000, .warn), (.atMost, 700_000_001, .refuted),
      (.fewerThan, 699_999_999, .within), (.fewerThan, 700_000_000, .refuted),
    ] as [(MeasuredThreshold.Strictness, Int, MeasuredThreshold.Finding)])
  func strictness(strictness: MeasuredThreshold.Strictness, users: Int, expected: MeasuredThreshold.Finding) {
    #expect(MeasuredThreshold(strictness, 700_000_000).finding(for: AudienceEstimate(exactly: users)) == expected)
  }

  @Test(
    "estimates out of range are held",
    arguments: [
      (Double.infinity, 0.1, AudienceEstimate.largest), (1e30, 0.1, AudienceEstimate.largest), (-5, 0.1, 0), (.nan, 0.1, 0),
    ])
  func clamped(users: Double, sigma: Double, expected: Int) {
    let estimate = AudienceEstimate(about: users, sigma: sigma)
    #expect(estimate.users == expected && estimate.lower == expected && estimate.upper == expected)
  }
}
