internal import Synchronization

/// Runs the jobs of tasks one at a time, on the thread that asks, in an order that a generator decides.
///
/// A task that prefers this executor, and all that it calls, runs nowhere else; whatever it waits for must be completed on the same
/// thread. Then a seed decides the whole interleaving, and the same seed decides it again.
final class SeededExecutor: TaskExecutor, Sendable {
  private let jobs = Mutex<[UnownedJob]>([])

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    self.jobs.withLock { $0.append(job) }
  }

  /// Jobs that could run now.
  var ready: Int { self.jobs.withLock { $0.count } }

  /// Runs one of the jobs that are ready, to its next suspension; false where there is none.
  func runOne(choosing generator: inout SeededGenerator) -> Bool {
    let count = self.ready
    guard count > 0 else { return false }
    let place = Int.random(in: 0..<count, using: &generator)
    let job = self.jobs.withLock { $0.remove(at: place) }
    job.runSynchronously(on: self.asUnownedTaskExecutor())
    return true
  }

  func runAll(choosing generator: inout SeededGenerator) {
    while self.runOne(choosing: &generator) {}
  }
}
