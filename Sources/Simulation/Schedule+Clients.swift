internal import Completions
internal import Documents
internal import Governance
internal import GovernanceTypes
internal import Synchronization

extension Schedule {
  private static let actor = Actor("simulation")

  /// Prices the model and makes customers, keys, limits and credit, before anything goes wrong.
  func settleIn() {
    while self.process?.isReady == false { self.pump() }
    let tariff = self.auditor.tariff
    self.complete { process in
      _ = try await process.gate.createPrice(SimulatedWorld.document(tariff.document), by: Self.actor)
    }
    for number in 0..<Int.random(in: 1...2, using: &self.generator) { self.addTenant(number) }
  }

  private func addTenant(_ number: Int) {
    let made = Mutex<SimulatedTenant?>(nil)
    self.complete { process in
      let customer = try await process.gate.createCustomer(SimulatedWorld.document(#"{"name":"Customer"}"#), by: Self.actor)
      guard case .string(let text)? = customer["id"], let id = CustomerID(text) else { return }
      let (key, secret) = try await process.gate.createKey(
        of: id, SimulatedWorld.document(#"{"name":"key","scopes":["inference"]}"#), by: Self.actor)
      made.withLock { $0 = SimulatedTenant(customer: id, key: key.id, secret: secret) }
    }
    guard var tenant = made.withLock({ $0 }) else { preconditionFailure("a customer can be made where nothing fails") }
    self.limit(tenant)
    if Int.random(in: 0..<3, using: &self.generator) == 0 { self.grant(&tenant) }
    self.tenants.append(tenant)
  }

  private func limit(_ tenant: SimulatedTenant) {
    let windows: [(String, Int64?)] = [("total", nil), ("day", 86_400), ("hour", 3600)]
    for subject in [tenant.customer.description, tenant.key.description] {
      for kind in [AuditedLimit.Kind.spend, .tokens, .concurrent] where Int.random(in: 0..<5, using: &self.generator) < 2 {
        let (window, seconds) = windows[Int.random(in: 0..<3, using: &self.generator)]
        let most: Int
        let body: String
        switch kind {
        case .spend:
          most = Int.random(in: 12...400, using: &self.generator)
          body = #""kind":"spend","amount":"\#(NanoAmount(Int128(most)))","currency":"USD","window":"\#(window)""#
        case .tokens:
          most = Int.random(in: 5...150, using: &self.generator)
          body = #""kind":"tokens","amount":\#(most),"window":"\#(window)""#
        case .concurrent:
          most = Int.random(in: 1...4, using: &self.generator)
          body = #""kind":"concurrent_requests","amount":\#(most)"#
        }
        self.complete { process in
          _ = try await process.gate.createLimit(
            SimulatedWorld.document(#"{"subject":"\#(subject)",\#(body)}"#), by: Self.actor)
        }
        let limit = AuditedLimit(
          subject: subject, kind: kind, most: Int128(most), seconds: kind == .concurrent ? nil : seconds)
        self.auditor.state.withLock { $0.limits.append(limit) }
      }
    }
  }

  private func grant(_ tenant: inout SimulatedTenant) {
    for _ in 0..<Int.random(in: 1...3, using: &self.generator) {
      let amount = Int.random(in: 20...300, using: &self.generator)
      let expires = Int.random(in: 0..<4, using: &self.generator) == 0
      let until = self.wall.now.advanced(by: .seconds(7200)).description
      let terms = expires ? #","expires":"\#(until)""# : ""
      let customer = tenant.customer
      self.complete { process in
        _ = try await process.gate.grantCredit(
          to: customer,
          SimulatedWorld.document(#"{"amount":"\#(NanoAmount(Int128(amount)))","currency":"USD"\#(terms)}"#), by: Self.actor)
      }
      self.auditor.state.withLock { $0.granted[customer, default: 0] += Int128(amount) }
      tenant.hasExpiringCredit = tenant.hasExpiringCredit || expires
    }
  }

  /// Runs an act of administration to its end.
  private func complete(_ body: @escaping @Sendable (SimulatedProcess) async throws -> Void) {
    guard let process = self.process else { return }
    let isDone = Mutex(false)
    let auditor = self.auditor
    self.spawn {
      do { try await body(process) } catch { auditor.require(false, "the world could not be made: \(error)") }
      isDone.withLock { $0 = true }
    }
    while !isDone.withLock({ $0 }) { self.pump() }
  }

  private func pump() {
    self.executor.runAll(choosing: &self.generator)
    self.process?.store.write(most: 64)
    self.process?.store.sync()
  }

  // MARK: Calls

  func arrive() {
    guard self.process?.isReady == true, let tenant = self.tenants.randomElement(using: &self.generator) else { return }
    _ = self.arrive(tenant, isProbe: false)
  }

  /// A client calls; the number of its call.
  func arrive(_ tenant: SimulatedTenant, isProbe: Bool) -> Int {
    guard let process = self.process else { return -1 }
    self.calls += 1
    let number = self.calls
    let plan = isProbe ? self.probePlan(number, tenant) : self.plan(number, tenant)
    self.auditor.note("call", number)
    self.spawn { await process.serve(plan) }
    return number
  }

  private func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self.generator) < percent }

  private func plan(_ number: Int, _ tenant: SimulatedTenant) -> CallPlan {
    let length = Int.random(in: 0...40, using: &self.generator)
    self.process?.engine.expect(
      number,
      SimulatedEngine.Script(
        promptTokens: self.world.promptTokens, length: length,
        breaksAfter: self.chance(6) ? Int.random(in: 0...20, using: &self.generator) : nil,
        fallsSilentAfter: self.chance(3) ? Int.random(in: 0...10, using: &self.generator) : nil, vanishes: self.chance(10)))
    // Few keys, and often the last one again, so that retries meet requests that run, have ended, were voided or were killed.
    let new = self.chance(35) ? "key \(Int.random(in: 0..<3, using: &self.generator))" : nil
    let key = self.chance(35) ? self.lastKeys[tenant.customer] ?? new : new
    if let key { self.lastKeys[tenant.customer] = key }
    let body = key.map { self.chance(90) ? "body of \($0)" : "another body" } ?? "body \(number)"
    return CallPlan(
      number: number,
      call: self.call(
        number, tenant, most: self.chance(40) ? Int.random(in: 1...30, using: &self.generator) : nil, key: key, body: body),
      leavesAfter: self.chance(25) ? Int.random(in: 0...20, using: &self.generator) : .max, isWhole: self.chance(25))
  }

  private func probePlan(_ number: Int, _ tenant: SimulatedTenant) -> CallPlan {
    self.process?.engine.expect(
      number, SimulatedEngine.Script(promptTokens: self.world.promptTokens, length: 1, breaksAfter: nil, fallsSilentAfter: nil))
    return CallPlan(
      number: number, call: self.call(number, tenant, most: 1, key: nil, body: "probe \(number)"), leavesAfter: .max,
      isWhole: false)
  }

  private func call(_ number: Int, _ tenant: SimulatedTenant, most: Int?, key: String?, body: String) -> Call {
    Call(
      secret: tenant.secret, model: "m",
      request: CompletionRequest(
        prompt: .chat([ChatMessage(role: .user, content: String(number))]), maximumCompletionTokens: most),
      idempotencyKey: key.map { "\(tenant.customer) \($0)" }, bodyDigest: mixed(Array(body.utf8)))
  }
}

extension IndependentAuditor {
  /// What must be true when everything has come to its end.
  func checkTheEnd() {
    self.state.withLock { state in
      for (usage, item) in state.durable where item.end == nil { state.violations.append("\(usage) is open on disk at the end") }
      for (usage, item) in state.belief where state.durable[usage]?.end != item.end {
        state.violations.append("\(usage) is not on disk as it was submitted")
      }
      for (usage, seen) in state.seen where !seen.isWhole && seen.epoch == state.epoch {
        let charged = state.durable[usage]?.end?.tokens.completion.value ?? 0
        if charged != seen.received {
          state.violations.append("\(usage) is charged \(charged) of \(seen.received) tokens at the end")
        }
      }
      for (usage, seen) in state.seen where seen.wasTold && state.durable[usage]?.end?.finish == "crash" {
        state.violations.append("\(usage) had ended for its client and was recovered as if it had not")
      }
      state.checkMonths()
      for (key, usages) in state.keyed {
        let paid = usages.compactMap { state.durable[$0] }.filter { $0.end?.outcome == .settled }.map(\.second).sorted()
        for (first, second) in zip(paid, paid.dropFirst()) where second - first < 86_400 {
          state.violations.append("two requests under the idempotency \(key) are charged")
        }
      }
    }
  }

  /// Whether a tenant has money and tokens left for a prompt and one token.
  func canAfford(_ tenant: SimulatedTenant, prompt: Int, at now: Timestamp) -> Bool {
    self.state.withLock { state in
      let price = self.tariff.most(prompt: prompt, completion: 1)
      for (place, limit) in state.limits.enumerated()
      where limit.subject == tenant.customer.description || limit.subject == tenant.key.description {
        let window = AuditedLimit.Window(limit: place, number: limit.seconds.map { now.nanoseconds / 1_000_000_000 / $0 } ?? 0)
        let left = limit.most - (state.committed[window] ?? 0)
        switch limit.kind {
        case .spend: if left < price { return false }
        case .tokens: if left < Int128(prompt + 1) { return false }
        case .concurrent: if left < 1 { return false }
        }
      }
      guard let granted = state.granted[tenant.customer] else { return true }
      let totals = state.spent[tenant.customer] ?? Totals()
      return granted - totals.held - totals.settled - (state.expired[tenant.customer] ?? 0) >= price
    }
  }

  func wasServed(_ call: Int) -> Bool { self.state.withLock { $0.seen.values.contains { $0.call == call } } }
}
