internal import Foundation
internal import Testing

extension EndToEnd {
  /// Clients that mean harm: each is bounded in time and memory, and others are served meanwhile.
  @Suite("hostile clients") struct HostileClientTests {
    private static let impatient = "body_seconds: 2, idle_seconds: 2"

    /// Feeds each connection a byte now and then until the gateway has closed all of them; a client that behaves is served all the while.
    private func trickle(_ calls: [HTTPCall], _ gateway: Gateway, _ customer: Customer, byte: UInt8) async throws {
      let start = ContinuousClock.now
      var next = start
      var served = 0
      try await Exchange.drive(calls, within: .seconds(30), "the gateway closes those that trickle") {
        guard calls.contains(where: { !$0.isOver }) else { return true }
        if ContinuousClock.now > next {
          next = ContinuousClock.now + .milliseconds(200)
          for call in calls { call.send([byte]) }
        }
        return false
      }
      #expect(ContinuousClock.now - start >= .seconds(1), "they were not refused for something else")
      for _ in 0..<3 {
        let asked = ContinuousClock.now
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        if ContinuousClock.now - asked < .seconds(15) { served += 1 }
      }
      #expect(served == 3)
    }

    @Test("a head that never comes to its end is cut off in time, whatever trickles in")
    func slowHeads() async throws {
      try await Gateway.within(server: Self.impatient) { gateway in
        let customer = try await gateway.open()
        let begun = Array("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-Slow: ".utf8)
        let calls = try (0..<60).map { _ in try HTTPCall(port: gateway.port, bytes: begun) }
        async let answer = gateway.ask(Chat(maxTokens: 2), key: customer.key)
        try await self.trickle(calls, gateway, customer, byte: UInt8(ascii: "a"))
        #expect(try await answer["choices"][0]["finish_reason"].string != nil, "served while they trickled")
        #expect(calls.allSatisfy { $0.status == nil || ($0.status ?? 0) >= 400 })
      }
    }

    @Test("a body that never comes to its end is cut off in time")
    func slowBodies() async throws {
      try await Gateway.within(server: Self.impatient) { gateway in
        let customer = try await gateway.open()
        let head =
          "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(customer.key)\r\nContent-Type: application/json\r\n"
          + "Content-Length: 100000\r\n\r\n{"
        let calls = try (0..<60).map { _ in try HTTPCall(port: gateway.port, bytes: Array(head.utf8)) }
        try await self.trickle(calls, gateway, customer, byte: UInt8(ascii: " "))
        #expect(try await gateway.metrics().sum("weighbridge_holds") == 0)
      }
    }

    @Test("a client that closes its half of the connection is let go of, in the middle of a request or before one")
    func halfClosed() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let idle = try (0..<100).map { _ in try HTTPCall(port: gateway.port, bytes: []) }
        let begun = try (0..<100).map { _ in try HTTPCall(port: gateway.port, bytes: Array("GET /v1/mod".utf8)) }
        let running = try (0..<4).map { _ in
          try gateway.call(try Chat(prompt: Prompt.story, maxTokens: 280).request(key: customer.key))
        }
        for call in idle + begun + running {
          call.advance()
          call.closeSending()
        }
        try await Exchange.drive(idle + begun + running, within: .seconds(20), "the gateway closes its side") {
          (idle + begun + running).allSatisfy(\.isOver)
        }
        try await Exchange.await("nothing is held or running for them") {
          let metrics = try await gateway.metrics()
          return metrics.sum("weighbridge_holds") == 0 && metrics.sum("weighbridge_engine_running") == 0 ? true : nil
        }
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
      }
    }

    private static let garbage = [
      "\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\nHELO mail\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n", "GET / HTTP/1.1\r\n: no name\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]

    @Test("garbage behind a request, or in place of one, ends the connection and nothing else")
    func pipelinedGarbage() async throws {
      try await Gateway.within(server: Self.impatient) { gateway in
        let sound = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        for garbage in Self.garbage {
          let alone = try HTTPCall(port: gateway.port, bytes: Array(garbage.utf8))
          let behind = try HTTPCall(port: gateway.port, bytes: Array((sound + garbage).utf8))
          try await Exchange.finish([alone, behind], within: .seconds(20))
          let name = garbage.debugDescription
          #expect(alone.status != 200, "\(name)")
          #expect(behind.status == 200, "what came before the garbage is answered: \(name)")
        }
        #expect(try await gateway.get("/healthz").status == 200)
      }
    }

    @Test("bodies of 100 MB are refused before they are in memory, with a length and without, from strangers and from customers")
    func largeBodies() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let before = try gateway.residentMebibytes
        let piece = [UInt8](repeating: 0x20, count: 1 << 20)
        let calls = try (0..<12).map { number in
          let framing = number % 2 == 0 ? "Content-Length: 104857600" : "Transfer-Encoding: chunked"
          let key = number % 3 == 0 ? "wb-nobody" : customer.key
          return try HTTPCall(
            port: gateway.port,
            bytes: Array(
              "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\nContent-Type: application/json\r\n\(framing)\r\n\r\n"
                .utf8))
        }
        var sent = 0
        var peak = before
        try await Exchange.drive(calls, within: .seconds(60), "all are refused") {
          guard calls.contains(where: { !$0.isOver }) else { return true }
          if sent < 100, calls.allSatisfy({ $0.isOver || $0.waitingBytes < 1 << 19 }) {
            sent += 1
            for (number, call) in calls.enumerated() where !call.isOver {
              call.send(number % 2 == 0 ? piece : Array("100000\r\n".utf8) + piece + Array("\r\n".utf8))
            }
            peak = max(peak, try gateway.residentMebibytes)
          }
          return false
        }
        let refused = calls.compactMap(\.status)
        #expect(refused.allSatisfy { $0 == 413 || $0 == 401 }, "\(refused)")
        #expect(refused.count >= 4, "most are told why: \(refused)")
        // The limit of a body is 8 MiB, and eight of these hold a key.
        #expect(peak - before < 160, "\(before) to \(peak) MiB")
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
      }
    }

    @Test("a flood of headers is refused: one that is too large, too many, and one without an end")
    func headerFlood() async throws {
      try await Gateway.within { gateway in
        let before = try gateway.residentMebibytes
        let start = "GET /healthz HTTP/1.1\r\nHost: x\r\n"
        let floods = [
          start + "X-Large: \(String(repeating: "a", count: 64 << 10))\r\n\r\n",
          start + (0..<5000).map { "X-\($0): a\r\n" }.joined() + "\r\n",
          start + "X-Endless: " + String(repeating: "b", count: 4 << 20),
        ]
        let calls = try (0..<60).map { try HTTPCall(port: gateway.port, bytes: Array(floods[$0 % 3].utf8)) }
        try await Exchange.drive(calls, within: .seconds(30), "all are over") { calls.allSatisfy(\.isOver) }
        #expect(calls.allSatisfy { $0.status != 200 }, "\(calls.compactMap(\.status))")
        #expect(try gateway.residentMebibytes - before < 64)
        #expect(try await gateway.get("/healthz").status == 200)
      }
    }

    @Test("ten thousand connections that ask nothing cost little, and others are served")
    func idleConnections() async throws {
      let allowed = OpenFiles.raise()
      let count = min(10_000, allowed - 1000)
      try #require(count >= 500, "this machine allows \(allowed) open files")
      try await Gateway.within(server: "connections: 20000") { gateway in
        let customer = try await gateway.open()
        let before = try gateway.residentMebibytes
        var idle: [HTTPCall] = []
        for _ in 0..<count { idle.append(try HTTPCall(port: gateway.port, bytes: [])) }
        for call in idle.suffix(20) { call.send(HTTPRequest(path: "/healthz").bytes) }
        // The last of them are answered, so all of them were taken.
        try await Exchange.finish(Array(idle.suffix(20)), within: .seconds(60))
        #expect(idle.suffix(20).allSatisfy { $0.status == 200 })
        let asked = ContinuousClock.now
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        #expect(ContinuousClock.now - asked < .seconds(15))
        let used = try gateway.residentMebibytes - before
        #expect(used < 0.05 * Double(count), "\(count) connections took \(used) MiB")
      }
    }
  }
}
