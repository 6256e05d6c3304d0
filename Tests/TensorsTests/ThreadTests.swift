import Synchronization
import Tensors
import Testing

struct ThreadTests {
  final class Counter: Sendable { let value = Atomic<Int>(0) }

  @Test("rings before a wait count as one; each later one wakes")
  func signal() throws {
    let signal = WakeSignal()
    signal.ring()
    signal.ring()
    signal.wait()
    let counter = Counter()
    let thread = try DedicatedThread(name: "a name longer than the system takes") {
      for _ in 0..<100 {
        signal.wait()
        counter.value.add(1, ordering: .releasing)
      }
    }
    for wanted in 1...100 {
      signal.ring()
      while counter.value.load(ordering: .acquiring) < wanted {}
    }
    thread.join()
    #expect(counter.value.load(ordering: .acquiring) == 100)
  }

  @Test("pools of impossible size are refused", arguments: [0, -1, 1025])
  func pool(threads: Int) {
    #expect(throws: TensorError.self) { try WorkerPool(threads: threads) }
  }
}
