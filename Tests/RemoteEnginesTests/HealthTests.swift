import Testing

@testable import RemoteEngines

@Suite("A server's health as a value")
struct HealthTests {
  @Test("a circuit opens after failures in a row, tries one request after its rest, and rests twice as long when that fails")
  func circuit() {
    var health = UpstreamHealth(failuresToOpen: 2, rest: .seconds(5))
    health.take()
    #expect(health.finish(.failed, at: .seconds(0)) == nil)
    health.take()
    #expect(health.finish(.succeeded, at: .seconds(0)) == nil, "a success in between starts the count anew")
    health.take()
    #expect(health.finish(.failed, at: .seconds(1)) == nil)
    health.take()
    #expect(health.finish(.failed, at: .seconds(1)) == .seconds(5))
    #expect(!health.mayTake(at: .seconds(5), limit: 9))
    #expect(health.mayTake(at: .seconds(6), limit: 9))
    health.take()
    #expect(!health.mayTake(at: .seconds(6), limit: 9), "one on trial at a time")
    #expect(health.finish(.failed, at: .seconds(7)) == .seconds(10))
    #expect(health.mayTake(at: .seconds(17), limit: 9))
    health.take()
    #expect(health.finish(.succeeded, at: .seconds(18)) == nil)
    #expect(health.circuit == .closed)
  }

  @Test("a trial that ends without saying anything is followed by another")
  func neutralTrial() {
    var health = UpstreamHealth(failuresToOpen: 1, rest: .seconds(5))
    health.take()
    _ = health.finish(.failed, at: .zero)
    health.take()
    #expect(health.finish(.neutral, at: .seconds(5)) == nil)
    #expect(health.mayTake(at: .seconds(5), limit: 1))
  }

  @Test("a pause that the server asked for ends by itself, whatever else happens")
  func busy() {
    var health = UpstreamHealth(failuresToOpen: 1, rest: .seconds(5))
    health.take()
    #expect(health.finish(.busy(.seconds(3)), at: .seconds(1)) == nil)
    #expect(!health.mayTake(at: .seconds(3), limit: 1))
    #expect(health.mayTake(at: .seconds(4), limit: 1))
  }

  @Test("rests grow to a bound")
  func bounded() {
    var health = UpstreamHealth(failuresToOpen: 1, rest: .seconds(1))
    var rests: [Duration?] = []
    for _ in 0..<8 {
      health.take()
      rests.append(health.finish(.failed, at: .zero))
    }
    #expect(rests == [1, 2, 4, 8, 16, 32, 32, 32].map { .seconds($0) })
  }
}
