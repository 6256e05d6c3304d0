import CKernels
import Synchronization
import Testing

struct PoolTests {
  /// What the tasks of one job write: how often each ran, and whether on a worker that does not exist.
  final class Record: Sendable {
    let runs: [Counter]
    let strangers = Counter()
    let workers: Int

    init(_ count: Int, workers: Int) {
      self.runs = (0..<count).map { _ in Counter() }
      self.workers = workers
    }
  }

  final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  @Test("every task of every job runs once, on a worker of the pool", arguments: [1, 2, 3, 8])
  func once(workers: Int) throws {
    let pool = try #require(ck_pool_create(workers, nil))
    defer { ck_pool_destroy(pool) }
    for tasks in [0, 1, 2, 3, 7, 100, 1000] {
      for _ in 0..<20 {
        let record = Record(tasks, workers: workers)
        ck_pool_run(
          pool, tasks,
          { context, index, worker in
            guard let context else { return }
            let record = Unmanaged<Record>.fromOpaque(context).takeUnretainedValue()
            record.runs[index].value.add(1, ordering: .relaxed)
            if worker >= record.workers { record.strangers.value.add(1, ordering: .relaxed) }
          }, Unmanaged.passUnretained(record).toOpaque(), nil)
        #expect(record.runs.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
        #expect(record.strangers.value.load(ordering: .relaxed) == 0)
      }
    }
  }

  @Test("a job after a long pause finds the sleeping helpers")
  func sleep() async throws {
    let pool = try #require(ck_pool_create(4, nil))
    defer { ck_pool_destroy(pool) }
    let counter = Counter()
    for _ in 0..<5 {
      try await Task.sleep(for: .milliseconds(20))
      ck_pool_run(
        pool, 50,
        { context, _, _ in
          guard let context else { return }
          Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().value.add(1, ordering: .relaxed)
        }, Unmanaged.passUnretained(counter).toOpaque(), nil)
    }
    #expect(counter.value.load(ordering: .relaxed) == 250)
  }

  @Test(
    "helpers bound to processors that there are, or are not, do all tasks",
    arguments: [[0, 0, 0], [0, 100_000, -1], [0, 1, 2]])
  func bound(processors: [Int32]) throws {
    let pool = try #require(ck_pool_create(3, processors))
    defer { ck_pool_destroy(pool) }
    let counter = Counter()
    for _ in 0..<20 {
      ck_pool_run(
        pool, 100,
        { context, _, _ in
          guard let context else { return }
          Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().value.add(1, ordering: .relaxed)
        }, Unmanaged.passUnretained(counter).toOpaque(), nil)
    }
    #expect(counter.value.load(ordering: .relaxed) == 2_000)
  }

  @Test("shares cover all tasks, each once")
  func shares() {
    for (tasks, workers) in [(0, 3), (1, 4), (7, 3), (1000, 7)] {
      let firsts = (0...workers).map { ck_pool_first(tasks, $0, workers) }
      #expect(firsts.first == 0 && firsts.last == tasks && firsts == firsts.sorted())
    }
  }

  @Test("what may be read ahead need not be readable")
  func ahead() throws {
    let pool = try #require(ck_pool_create(2, nil))
    defer { ck_pool_destroy(pool) }
    let nowhere: [UnsafePointer<UInt8>?] = [nil, UnsafePointer(bitPattern: 4_096)]
    let counter = Counter()
    for _ in 0..<50 {
      ck_pool_run(
        pool, 3,
        { context, _, _ in
          guard let context else { return }
          Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().value.add(1, ordering: .relaxed)
        }, Unmanaged.passUnretained(counter).toOpaque(), nowhere)
    }
    #expect(counter.value.load(ordering: .relaxed) == 150)
  }

  @Test("sizes that are refused", arguments: [0, 1025])
  func refused(workers: Int) { #expect(ck_pool_create(workers, nil) == nil) }
}
