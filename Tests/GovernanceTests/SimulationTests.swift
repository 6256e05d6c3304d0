import Simulation
import Testing

@Suite("Simulated schedules against the real gate")
struct SimulationTests {
  @Test("Whatever goes wrong in whatever order, every promise is kept", arguments: 0..<8)
  func promises(portion: UInt64) {
    for seed in (portion * 12 + 1)...(portion * 12 + 12) {
      let outcome = Schedule.run(seed: seed)
      #expect(outcome.violations.isEmpty, "replay: swift run simulate --seed \(seed)\n\(outcome.violations.prefix(3))")
    }
  }

  @Test("Seeds with which a promise was broken once", arguments: [33_809, 34_153] as [UInt64])
  func brokenOnce(seed: UInt64) {
    let outcome = Schedule.run(seed: seed)
    #expect(outcome.violations.isEmpty, "replay: swift run simulate --seed \(seed)\n\(outcome.violations.prefix(3))")
  }

  @Test("A seed decides all that happens")
  func replay() {
    for seed: UInt64 in [3, 42, 1100] { #expect(Schedule.run(seed: seed) == Schedule.run(seed: seed)) }
  }

  @Test("Schedules meet what they are there for: kills, power cuts, jumps, failing disks, retries, ends of every kind")
  func variety() {
    var counts: [String: Int] = [:]
    for seed: UInt64 in 200..<240 { counts.merge(Schedule.run(seed: seed).counts, uniquingKeysWith: +) }
    for name in [
      "kill", "power cut", "jump", "disk", "ended settled", "ended voided", "corrections", "failed",
      "refused spend_limit_reached",
    ] {
      #expect(counts[name, default: 0] > 0, "\(name) never happened")
    }
  }
}
