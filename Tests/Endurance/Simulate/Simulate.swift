// simulate: plays seeded schedules against the real gate and says which promise was broken, if one was.
// Holds the loop over seeds, the report and the replay of one seed.
// It must never know what a schedule does.

internal import Dispatch
internal import Glibc
internal import Simulation
internal import Synchronization

/// `simulate [--seeds N] [--from N] [--seed N]`
@main
struct Simulate {
  var first: UInt64 = 1
  var count = 1000
  var replays = false

  static func main() {
    Self.fixHashing()
    guard let simulate = Simulate(CommandLine.arguments.dropFirst()) else {
      print("usage: simulate [--seeds N] [--from N] | --seed N")
      exit(2)
    }
    exit(simulate.replays ? simulate.replay() : simulate.run())
  }

  /// Dictionaries go through their keys in an order that is new in every process, unless the environment says otherwise.
  private static func fixHashing() {
    guard getenv("SWIFT_DETERMINISTIC_HASHING") == nil else { return }
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv("/proc/self/exe", &arguments)
  }

  private init?(_ arguments: ArraySlice<String>) {
    var rest = Array(arguments)
    while !rest.isEmpty {
      let option = rest.removeFirst()
      guard !rest.isEmpty, let value = UInt64(rest.removeFirst()) else { return nil }
      switch option {
      case "--seeds": self.count = Int(clamping: value)
      case "--from": self.first = value
      case "--seed":
        self.first = value
        self.replays = true
      default: return nil
      }
    }
  }

  private func run() -> Int32 {
    let start = ContinuousClock.now
    let next = Atomic<Int>(0)
    let total = Mutex((done: 0, failed: [ScheduleOutcome](), counts: [String: Int]()))
    let workers = max(1, min(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 16))
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      while true {
        let number = next.add(1, ordering: .relaxed).oldValue
        guard number < self.count, total.withLock({ $0.failed.count < 3 }) else { return }
        let outcome = Schedule.run(seed: self.first + UInt64(number))
        let done = total.withLock { total in
          total.done += 1
          total.counts.merge(outcome.counts, uniquingKeysWith: +)
          if !outcome.violations.isEmpty { total.failed.append(outcome) }
          return total.done
        }
        if done % 10_000 == 0 { print("\(done) schedules, \(ContinuousClock.now - start)") }
      }
    }
    let (done, failed, counts) = total.withLock { $0 }
    print("\(done) schedules in \(ContinuousClock.now - start): \(failed.count) with a violation")
    print(counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
    for outcome in failed.sorted(by: { $0.seed < $1.seed }) { Self.report(outcome) }
    return failed.isEmpty ? 0 : 1
  }

  private func replay() -> Int32 {
    let outcome = Schedule.run(seed: self.first)
    let again = Schedule.run(seed: self.first)
    print(
      "trace \(String(outcome.trace, radix: 16)); \(outcome == again ? "the second run is the same" : "THE SECOND RUN DIFFERS")")
    Self.report(outcome)
    return outcome.violations.isEmpty && outcome == again ? 0 : 1
  }

  private static func report(_ outcome: ScheduleOutcome) {
    print("seed \(outcome.seed) (replay: simulate --seed \(outcome.seed))")
    for violation in outcome.violations.prefix(8) { print("  \(violation)") }
  }
}
