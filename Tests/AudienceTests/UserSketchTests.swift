import Audience
import Testing

@Suite("A sketch of users: exact up to its limit, estimated beyond")
struct UserSketchTests {
  @Test("is exact up to the limit and a sketch from the next user on", arguments: [256, 1000, 4096])
  func switching(limit: Int) {
    var users = UserSketch(exactUpTo: limit)
    for number in 0..<limit {
      let isNew = users.insert(user(number))
      let again = users.insert(user(number))
      #expect(isNew && !again)
    }
    #expect(users.isExact && users.estimate == AudienceEstimate(exactly: limit))
    #expect(users.contains(user(limit - 1)) && !users.contains(user(limit)))

    let isNew = users.insert(user(limit))
    #expect(isNew, "the user at the switch is new for certain")
    #expect(!users.isExact && !users.estimate.isExact)
    #expect(users.estimate.lower >= limit + 1, "more than the limit are known for certain")
    #expect((0...limit).allSatisfy { users.contains(user($0)) }, "nobody who was counted becomes unknown")
  }

  @Test(
    "the limit is held within what is supported",
    arguments: [
      (asked: -1, held: 256), (255, 256), (256, 256), (257, 257), (1 << 24, 1 << 24), (1 << 24 + 1, 1 << 24), (.max, 1 << 24),
    ])
  func limits(asked: Int, held: Int) {
    #expect(UserSketch(exactUpTo: asked).exactLimit == held)
  }

  @Test("forgets a user while exact, and only then")
  func removing() {
    var exact = sketch(0..<10)
    let removed = exact.remove(user(3))
    let removedAgain = exact.remove(user(3))
    #expect(removed && !removedAgain)
    #expect(exact == sketch([0, 1, 2, 4, 5, 6, 7, 8, 9]))

    var large = sketch(0..<5000)
    let before = large
    let removedFromSketch = large.remove(user(3))
    #expect(!removedFromSketch && large == before)
  }

  @Test("an exact set can be let stay exact; a sketch stays a sketch")
  func stayingExact() {
    var users = sketch(0..<256, exactUpTo: 256)
    users.stayExact(upTo: 300)
    for number in 256..<300 { users.insert(user(number)) }
    #expect(users.estimate == AudienceEstimate(exactly: 300))
    users.stayExact(upTo: 10)
    #expect(users.exactLimit == 300, "the limit is not lowered")
    users.insert(user(300))
    users.stayExact(upTo: 1000)
    #expect(!users.isExact && users.exactLimit == 300)
  }

  @Test(
    "the sketch is a function of the set: order, repetition and the users not called new make no difference",
    arguments: 1...5 as ClosedRange<UInt64>)
  func history(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let numbers = Array(0..<20_000)
    var called: [Int] = []
    var ordered = UserSketch()
    for number in numbers where ordered.insert(user(number, seed: seed)) { called.append(number) }
    let shuffled = sketch((numbers + numbers.prefix(5000)).shuffled(using: &generator), seed: seed)
    let replayed = sketch(called.shuffled(using: &generator), seed: seed)
    #expect(called.count < numbers.count)
    #expect(shuffled == ordered && shuffled.bytes == ordered.bytes && shuffled.estimate == ordered.estimate, "seed \(seed)")
    #expect(replayed == ordered && replayed.bytes == ordered.bytes, "seed \(seed)")
  }

  @Test("the stated share of new users is called new", arguments: [5000, 50_000, 200_000])
  func novelty(count: Int) {
    let users = sketch(0..<count)
    let trials = 20_000
    let shown = (count..<count + trials).count { !users.contains(user($0)) }
    let expected = users.chanceNewUserShows * Double(trials)
    // Five standard deviations of a binomial.
    #expect((Double(shown) - expected).magnitude < 5 * expected.squareRoot() + 1, "\(shown) of \(trials), expected \(expected)")
    #expect(sketch(0..<10).chanceNewUserShows == 1)
  }
}

@Suite("The error of a sketch")
struct SketchErrorTests {
  /// Bounds are from the Fisher information at this count, and the number of seeds: rms within five of its own standard errors.
  @Test(
    "is as stated",
    arguments: [
      (count: 1000, seeds: 40, theory: 0.0), (4096, 10, 0.0), (4097, 60, 0.001_855), (10_000, 60, 0.001_864),
      (100_000, 20, 0.002_000),
      (1_000_000, 3, 0.002_657),
    ] as [(count: Int, seeds: Int, theory: Double)])
  func relativeError(count: Int, seeds: Int, theory: Double) {
    var squares = 0.0
    for seed in 1...seeds {
      let estimate = sketch(0..<count, seed: UInt64(seed)).estimate
      let error = Double(estimate.users) / Double(count) - 1
      squares += error * error
      #expect(estimate.lower <= count && count <= estimate.upper, "seed \(seed): \(estimate) of \(count)")
      #expect(estimate.isExact == (count <= 4096))
    }
    let rms = (squares / Double(seeds)).squareRoot()
    #expect(rms <= theory * (1 + 5 / (2 * Double(seeds)).squareRoot()), "rms \(rms) of \(seeds) seeds, theory \(theory)")
  }

  @Test("the bounds are the estimate and three standard errors, rounded outwards")
  func bounds() {
    let estimate = sketch(0..<50_000).estimate
    let three = Double(estimate.users) * 3 * estimate.sigma
    #expect(estimate.sigma == 0.002_84)
    #expect((Double(estimate.users) + three - Double(estimate.upper)).magnitude <= 2)
    #expect((Double(estimate.users) - three - Double(estimate.lower)).magnitude <= 2)
    #expect(AudienceEstimate(exactly: 7).lower == 7 && AudienceEstimate(exactly: 7).upper == 7)
  }
}
