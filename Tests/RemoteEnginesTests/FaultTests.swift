import Completions
import NIOCore
import RemoteEngines
import Testing
import UpstreamFixtures

@Suite("Servers that fail", .timeLimit(.minutes(10)))
struct FaultTests {
  @Test(
    "before the first token the next server is asked",
    arguments: [
      Script.error(500), Script.error(502), Script.error(503), Script.error(401), Script.error(404), Script.error(408),
      Script.error(429), [.kill], [Script.head, .kill], [Script.head, .bytes("data: garbage\n\n"), .end],
      [Script.head, .bytes(#"data: {"error":{"message":"out of memory"}}"# + "\n\n"), .end],
      [.head(200, [("content-type", "text/html")]), .bytes("<html>"), .end],
      [Script.head, .bytes(": nothing but a comment\n\n"), .end],
    ])
  func nextServer(_ steps: [UpstreamStep]) async throws {
    let bad = try await ScriptedUpstream { _, _ in steps }
    let good = try await ScriptedUpstream { _, _ in Script.answer(["fine"], usage: (1, 1)) }
    let fixture = RemoteFixture([bad, good], weights: [1000, 1])
    let answer = try await fixture.ask()
    #expect(answer.text == "fine")
    #expect(answer.end?.usage.completion == 1, "nothing of an error is counted")
    #expect(bad.asked.count == 1)
    #expect(fixture.upstreams[0].statistics.retried == 1)
    #expect(answer.end?.attempts.map(\.outcome) == [.failed, .completed])
  }

  @Test("a server that is not there is passed over")
  func notThere() async throws {
    let gone = try await ScriptedUpstream { _, _ in [] }
    try await gone.stop()
    let good = try await ScriptedUpstream { _, _ in Script.answer(["fine"]) }
    #expect(try await RemoteFixture([gone, good], weights: [1000, 1]).ask().text == "fine")
  }

  @Test("one server alone is asked again, and then the client is told")
  func alone() async throws {
    let server = try await ScriptedUpstream { number, _ in number < 2 ? Script.error(503) : Script.answer(["third"]) }
    #expect(try await RemoteFixture([server]).ask().text == "third")
    let never = try await ScriptedUpstream { _, _ in Script.error(500, "the key secret-0 of 127.0.0.1 is bad") }
    let answer = try await RemoteFixture([never], settings: { $0.failuresToOpen = 100 }).ask()
    #expect(never.asked.count == 3)
    #expect(answer.error?.message == "The model's server failed.")
  }

  @Test("a request that the server refuses is not asked again, and its reason reaches the client without the server's address")
  func refused() async throws {
    let server = try await ScriptedUpstream { _, asked in
      Script.error(400, "temperature is wrong, see http://\(asked.header("host") ?? "")/docs")
    }
    let fixture = RemoteFixture([server])
    let answer = try await fixture.ask()
    #expect(server.asked.count == 1)
    #expect(answer.error?.code == .invalidRequest)
    #expect(answer.error?.message == "The model's server refuses the request: temperature is wrong, see http://…/docs")
    #expect(fixture.upstreams[0].statistics.isResting == false, "the request was at fault, not the server")
  }

  @Test("a prompt that is too long for the server is named as such")
  func tooLong() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in
      Script.error(400, "This model's maximum context length is 4096 tokens.")
    }
    #expect(try await fixture.ask().error?.code == .contextLengthExceeded)
  }

  @Test(
    "after the first token nothing is asked again: the client is told",
    arguments: [
      [.kill], [.bytes("data: {]\n\n"), .end], [.end],
      [.bytes(#"data: {"error":{"message":"CUDA error at 127.0.0.1"}}"# + "\n\n"), .end],
    ] as [[UpstreamStep]])
  func midStream(_ end: [UpstreamStep]) async throws {
    let server = try await ScriptedUpstream { _, _ in
      [Script.head, .bytes(Script.text("one")), .bytes(Script.text(" two"))] + end
    }
    let spare = try await ScriptedUpstream { _, _ in Script.answer(["other"]) }
    let answer = try await RemoteFixture([server, spare], weights: [1000, 1]).ask()
    #expect(answer.text == "one two")
    #expect(answer.error?.code == .failed)
    #expect(answer.error?.message.contains("127.0.0.1") == false)
    #expect(spare.asked.isEmpty)
  }

  @Test("a server that says why it ended may leave out [DONE]")
  func noDone() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in
      [Script.head, .bytes(Script.text("hi")), .bytes(Script.chunk("{}", finish: "length")), .kill]
    }
    let answer = try await fixture.ask()
    #expect(answer.text == "hi")
    #expect(answer.end?.reason == .length || answer.error?.code == .failed)
  }

  // MARK: Time

  // The server never goes on by itself: without an end of the phase the test does not end either.
  @Test("each phase has its end", arguments: [0, 1, 2])
  func phases(_ phase: Int) async throws {
    let server = try await ScriptedUpstream { _, _ in
      switch phase {
      case 0: [.pause(.seconds(86_400))]
      case 1: [Script.head, .bytes(Script.text("a")), .pause(.seconds(86_400))]
      default:
        [Script.head] + Array(repeating: [.bytes(Script.text("a")), .pause(.milliseconds(20))], count: 5000).flatMap { $0 }
      }
    }
    let fixture = RemoteFixture([server], attempts: 1) { settings in
      settings.timeouts.firstByte = .milliseconds(phase == 0 ? 150 : 600_000)
      settings.timeouts.betweenChunks = .milliseconds(phase == 1 ? 1000 : 600_000)
      settings.timeouts.total = .milliseconds(phase == 2 ? 6000 : 600_000)
    }
    let answer = try await fixture.ask()
    #expect(answer.error?.message.hasPrefix("The model's server took too long to send") == true)
    #expect(answer.error?.code == (phase == 0 ? .unavailable : .failed))
    #expect(fixture.upstreams[0].statistics.failed == 1)
    try await until("the connection is closed") { server.abandoned == 1 }
  }

  @Test("a slow client does not use up the server's time")
  func slowClient() async throws {
    let server = try await ScriptedUpstream { _, _ in Script.answer(["a", "b", "c", "d"], usage: (1, 4)) }
    let fixture = RemoteFixture([server]) { $0.timeouts.betweenChunks = .seconds(5) }
    let allowance = TokenAllowance(tokens: 1, isFinal: false)
    async let answer = fixture.ask(allowance: allowance)
    try await Task.sleep(for: .seconds(7))
    allowance.raise(to: 10, isFinal: true)
    #expect(try await answer.text == "abcd")
  }

  // MARK: Health

  @Test("a server that fails repeatedly is left alone until a probe finds it well")
  func circuit() async throws {
    let server = try await ScriptedUpstream { number, asked in
      number < 4 ? Script.error(500) : Script.answer(["back"])
    }
    let fixture = RemoteFixture([server], attempts: 1) {
      $0.failuresToOpen = 2
      $0.restSeconds = 600
    }
    _ = try await fixture.ask()
    #expect(fixture.upstreams[0].statistics.isResting == false)
    _ = try await fixture.ask()
    #expect(fixture.upstreams[0].statistics.isResting)
    #expect(fixture.reports.all.contains(.rests(upstream: "s0", seconds: 600)))
    let asked = server.asked.count
    #expect(try await fixture.ask().error?.code == .unavailable)
    #expect(server.asked.count == asked, "a resting server is not asked")
    // A probe that finds it failing leaves it resting; one that finds it well closes the circuit at once.
    await fixture.upstreams[0].probe()
    #expect(fixture.upstreams[0].statistics.isResting)
    server.follow { _, _ in Script.answer(["back"]) }
    await fixture.upstreams[0].probe()
    #expect(!fixture.upstreams[0].statistics.isResting)
    #expect(fixture.reports.all.last == .recovered(upstream: "s0"))
    #expect(try await fixture.ask().text == "back")
  }

  @Test("a server that is busy is left alone for as long as it asks, and others are not")
  func busy() async throws {
    let full = try await ScriptedUpstream { _, _ in Script.error(429, headers: [("retry-after", "60")]) }
    let free = try await ScriptedUpstream { _, _ in Script.answer(["ok"]) }
    let fixture = RemoteFixture([full, free], weights: [1000, 1])
    let start = ContinuousClock.now
    for _ in 0..<5 { #expect(try await fixture.ask().text == "ok") }
    // A machine that is so busy may ask it once more.
    #expect(full.asked.count == 1 || ContinuousClock.now - start > .seconds(60))
    let alone = RemoteFixture([full])
    #expect(try await alone.ask().error?.code == .overloaded)
  }

  @Test("idle servers are asked in proportion to their weights")
  func weights() async throws {
    let servers = [
      try await ScriptedUpstream { _, _ in Script.answer(["a"]) }, try await ScriptedUpstream { _, _ in Script.answer(["b"]) },
    ]
    let fixture = RemoteFixture(servers, weights: [3, 1])
    for _ in 0..<40 { _ = try await fixture.ask() }
    #expect(servers.map(\.asked.count) == [30, 10])
  }

  @Test("no more requests at once than a server may have")
  func limit() async throws {
    let server = try await ScriptedUpstream { _, _ in Script.answer(["a"], pause: .seconds(86_400)) }
    let fixture = RemoteFixture([server]) { $0.concurrentRequests = 2 }
    try await withThrowingTaskGroup(of: CompletionError?.self) { group in
      for _ in 0..<5 { group.addTask { try await fixture.ask().error } }
      // The two that the server has do not end: the first three to end are those that it does not get.
      for _ in 0..<3 {
        let refused = try await group.next()
        #expect(refused??.code == .unavailable)
      }
      try await until("the server has two") { server.asked.count == 2 }
      group.cancelAll()
    }
    #expect(server.asked.count == 2)
  }
}
