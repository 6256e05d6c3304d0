internal import Foundation
internal import Testing

extension EndToEnd {
  /// What metering services bill by, whatever happens on the way there.
  @Suite("pushes to metering services") struct MeteringPushTests {
    /// A gateway under a clock that can be put forward, two customers, and services that are told of them.
    private struct Scene {
      let gateway: Gateway
      let clock: ShiftedClock
      let services: [MeteringService]
      let customers: [Customer]

      /// What a service calls a customer.
      func name(_ customer: Customer, at service: MeteringService) -> String {
        service.kind == .stripe ? "cus_" + customer.id.dropFirst(5) : customer.id
      }

      func configuration() -> String {
        let receivers = self.services.map { service -> String in
          let form =
            switch service.kind {
            case .openmeter: #"source: "gateway/node-1""#
            case .lago: "code: llm_tokens"
            case .stripe: "event_prefix: llm_"
            }
          let names = self.customers.map { #"{customer: "\#($0.id)", name: "\#(self.name($0, at: service))"}"# }
          return """
                - {id: \(service.kind), format: \(service.kind), url: "\(service.url)", token_env: WEIGHBRIDGE_ADMIN_KEY,
                   origin: node-1, timeout_seconds: 2, \(form), customers: [\(names.joined(separator: ", "))]}
            """
        }
        return "billing:\n  pushes:\n" + receivers.joined(separator: "\n")
      }

      func all(_ holds: (MeteringService) -> Bool) -> Bool { self.services.allSatisfy(holds) }

      /// Deliveries in a state.
      func count(_ state: String) async throws -> Int {
        let counts = try await self.gateway.admin("GET", "/deliveries")["counts"].elements
        return counts.filter { $0["state"].string == state }.compactMap { $0["count"].integer }.reduce(0, +)
      }

      /// Puts the clock forward to the next attempt again and again, until something holds. Where nothing waits, a little.
      func pass(_ what: String, until isDone: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(200)
        while !(try await isDone()) {
          let waiting = try await self.gateway.admin("GET", "/deliveries?state=pending")["data"].elements
          guard ContinuousClock.now < deadline else {
            throw Failure("not in time: \(what); \(self.services.map(\.faults)), \(waiting.prefix(3))")
          }
          let now = self.clock.now
          let attempts = try waiting.map { try #require($0["at"].seconds, "\($0)") }.filter { $0 >= now }
          // Those of a lane that wait for its oldest have no time of their own.
          try self.clock.advance(seconds: waiting.isEmpty ? 8 : attempts.min().map { $0 - now + 1 } ?? 0)
          try await Task.sleep(for: .milliseconds(150))
        }
      }

      /// Every customer has an answer, a stream to its end and a stream that it leaves in the middle.
      func use() async throws {
        for customer in self.customers {
          _ = try await self.gateway.ask(Chat(maxTokens: 7), key: customer.key)
          let whole = try self.gateway.call(try Chat(maxTokens: 9, isStreamed: true).request(key: customer.key))
          try await Exchange.finish([whole], within: .seconds(30))
        }
        let left = try self.streams()
        try await Exchange.drive(left, within: .seconds(30), "streams are in the middle") {
          left.allSatisfy { $0.body.count > 2000 }
        }
        for call in left { call.close() }
        _ = try await Exchange.await("what was left is settled") {
          try await self.gateway.metrics().sum("weighbridge_holds") == 0 ? true : nil
        }
      }

      func streams() throws -> [HTTPCall] {
        try self.customers.map {
          try self.gateway.call(try Chat(prompt: Prompt.story, maxTokens: 100, isStreamed: true).request(key: $0.key))
        }
      }

      /// Each service has what the ledger has, by customer and category, and nothing else.
      func compare() async throws {
        for service in self.services { try await self.compare(service) }
      }

      private func compare(_ service: MeteringService) async throws {
        var settled: [MeteredPlace: Int] = [:]
        for customer in self.customers {
          let total = try await self.gateway.total(customer: customer.id)
          let cached = try #require(total["cached_tokens"].integer)
          let counts = [
            "prompt_uncached": try #require(total["prompt_tokens"].integer) - cached, "prompt_cached": cached,
            "completion": try #require(total["completion_tokens"].integer), "request": try #require(total["requests"].integer),
          ]
          for (category, count) in counts where count > 0 {
            settled[MeteredPlace(customer: self.name(customer, at: service), category: category)] = count
          }
        }
        #expect(service.billed == settled, "\(service.kind)")
        #expect(service.faults.isEmpty, "\(service.kind)")
      }
    }

    private func within(_ kinds: [MeteringService.Kind], _ body: (Scene) async throws -> Void) async throws {
      try await Workplace.within { workplace in
        let clock = try await ShiftedClock(in: workplace)
        // Noon: what is tried again by night is not, before a test says so.
        try clock.advance(past: 86_400, seconds: 43_200)
        let gateway = try Gateway(in: workplace, environment: clock.environment)
        var services: [MeteringService] = []
        for kind in kinds { services.append(try await MeteringService(kind, token: gateway.adminKey) { clock.now }) }
        do {
          try await gateway.start()
          let customers = [try await gateway.open(), try await gateway.onboard("Other")]
          try await gateway.stop()
          let scene = Scene(gateway: gateway, clock: clock, services: services, customers: customers)
          try workplace.write(Gateway.configuration(more: scene.configuration()), to: "weighbridge.yaml")
          try await gateway.start()
          // Requests are told of from the first look at the ledger on.
          try clock.advance(past: 60, seconds: 1)
          try await Task.sleep(for: .milliseconds(1200))
          try await body(scene)
        } catch {
          await gateway.end()
          for service in services { try await service.stop() }
          throw error
        }
        await gateway.end()
        for service in services { try await service.stop() }
      }
    }

    @Test(
      "every settled token arrives exactly once, through errors, throttling, broken connections, silence, a crash and refusals")
    func exactlyOnce() async throws {
      try await self.within(MeteringService.Kind.allCases) { scene in
        try await self.troubles(scene)
        try await self.crash(scene)
        try await self.refusal(scene)
        try await scene.compare()
        #expect(scene.all { $0.repetitions > 0 }, "what was taken without an answer came again")
      }
    }

    private func troubles(_ scene: Scene) async throws {
      try await scene.use()
      #expect(scene.all { $0.calls == 0 }, "a minute is told of when it is over")
      for service in scene.services {
        service.meet([
          .status(500), .throttled(seconds: 9), .status(401), .status(503), .broken(taken: false), .broken(taken: true), .silent,
          .late(milliseconds: 400),
        ])
      }
      try scene.clock.advance(past: 60, seconds: 61)
      _ = try await Exchange.await("what waits is in the metrics, and for how long") {
        let metrics = try await scene.gateway.metrics()
        let (waiting, oldest) = (
          metrics.sum("weighbridge_deliveries_waiting"), metrics.sum("weighbridge_delivery_oldest_seconds")
        )
        return waiting > 0 && oldest > 0 ? true : nil
      }
      try await scene.pass("all is delivered through the troubles") {
        try await scene.count("pending") == 0 && scene.all { $0.troublesLeft == 0 && $0.eventCount > 0 }
      }
      #expect(try await scene.count("dead") == 0)
      try await scene.compare()
    }

    /// The process is killed between sending and knowing that it arrived, while streams are in the middle.
    private func crash(_ scene: Scene) async throws {
      try await scene.use()
      let before = scene.services.map { (events: $0.eventCount, repetitions: $0.repetitions) }
      for service in scene.services { service.meet(Array(repeating: .silent, count: 8)) }
      try scene.clock.advance(past: 60, seconds: 61)
      let streams = try scene.streams()
      try await Exchange.drive(streams, within: .seconds(30), "events are taken while streams are in the middle") {
        zip(scene.services, before).allSatisfy { $0.eventCount > $1.events }
          && streams.allSatisfy { $0.isOver || $0.body.count > 1000 }
      }
      scene.gateway.crash()
      await scene.gateway.end()
      try await scene.gateway.start()
      try scene.clock.advance(past: 60, seconds: 61)
      try await scene.pass("all is delivered after the crash") {
        try await scene.count("pending") == 0 && zip(scene.services, before).allSatisfy { $0.repetitions > $1.repetitions }
      }
      // The settlements of the restart are in a minute of their own.
      try scene.clock.advance(past: 60, seconds: 61)
      try await Task.sleep(for: .milliseconds(1500))
      try await scene.pass("all is delivered") { try await scene.count("pending") == 0 }
      #expect(try await scene.count("dead") == 0, "what the service says that it has is acknowledged")
      try await scene.compare()
    }

    /// What a service refuses is listed; when the day is over it is tried again.
    private func refusal(_ scene: Scene) async throws {
      let refused = scene.customers[1]
      for service in scene.services { service.forget(customers: [scene.name(refused, at: service)]) }
      try await scene.use()
      try scene.clock.advance(past: 60, seconds: 61)
      try await scene.pass("events of the unknown customer are given up, and no others") {
        let (pending, dead) = (try await scene.count("pending"), try await scene.count("dead"))
        return pending == 0 && dead > 0
      }
      let letters = try await scene.gateway.admin("GET", "/deliveries?state=dead")["data"].elements
      let metrics = try await scene.gateway.metrics()
      #expect(metrics.sum("weighbridge_deliveries_dead") == Double(letters.count))
      #expect(scene.all { metrics.sum("weighbridge_deliveries_dead", ["receiver": $0.kind.rawValue]) > 0 })
      #expect(metrics.sum("weighbridge_deliveries_waiting") == 0)
      #expect(metrics.sum("weighbridge_delivery_attempts_total", ["outcome": "refused"]) >= Double(letters.count))
      #expect(metrics.sum("weighbridge_delivery_attempts_total", ["outcome": "accepted"]) > 0)
      #expect(letters.allSatisfy { $0["payload"].string?.contains(refused.id) == true && $0["failure"].string == "status 422" })
      for service in scene.services { service.forget(customers: []) }
      // One by hand, the others by night.
      let (receiver, id) = (try #require(letters.first?["receiver"].string), try #require(letters.first?["id"].string))
      try await scene.gateway.admin("POST", "/deliveries/replay", #"{"receiver":"\#(receiver)","id":"\#(id)"}"#)
      try await scene.pass("the one that was replayed arrives") {
        let (pending, dead) = (try await scene.count("pending"), try await scene.count("dead"))
        return pending == 0 && dead == letters.count - 1
      }
      try scene.clock.advance(past: 86_400, seconds: 61)
      try await scene.pass("the night brings the rest") {
        let (pending, dead) = (try await scene.count("pending"), try await scene.count("dead"))
        return pending == 0 && dead == 0
      }
    }

    @Test("a service that forgets what it was sent is not sent it again unasked")
    func forgetful() async throws {
      try await self.within([.stripe]) { scene in
        let service = scene.services[0]
        _ = try await scene.gateway.ask(Chat(maxTokens: 7), key: scene.customers[0].key)
        service.meet(Array(repeating: .silent, count: 8))
        try scene.clock.advance(past: 60, seconds: 61)
        _ = try await Exchange.await("the events are taken") { service.eventCount >= 3 ? true : nil }
        scene.gateway.crash()
        await scene.gateway.end()
        try scene.clock.advance(seconds: 25 * 3600)
        try await scene.gateway.start()
        _ = try await Exchange.await("they wait for someone to look") {
          let (pending, dead) = (try await scene.count("pending"), try await scene.count("dead"))
          return pending == 0 && dead >= 3 ? true : nil
        }
        let letters = try await scene.gateway.admin("GET", "/deliveries")["data"].elements
        #expect(letters.allSatisfy { $0["failure"].string?.contains("count it twice") == true })
        // Others of the same customer and meter are not held up.
        _ = try await scene.gateway.ask(Chat(maxTokens: 7), key: scene.customers[0].key)
        try scene.clock.advance(past: 60, seconds: 61)
        try await scene.pass("what is new arrives") { service.eventCount >= 6 }
        try await scene.compare()
      }
    }
  }
}
