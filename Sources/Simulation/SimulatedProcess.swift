internal import Completions
internal import Governance
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

/// One call and what its client does with the answer.
struct CallPlan: Sendable {
  var number: Int
  var call: Call
  /// Goes away when so many pieces have come.
  var leavesAfter: Int
  /// Takes the answer as one piece at its end.
  var isWhole: Bool
}

/// One process: a gate with its journal and engine, until it is killed.
final class SimulatedProcess: Sendable {
  private struct Life: Sendable {
    var isAlive = true
    var isReady = false
    var clients = 0
    var live: [UsageID: LiveRequest] = [:]
    var failure: String?
  }

  struct Gone: Error {}

  let gate: Gate
  let store: SimulatedStore
  let engine = SimulatedEngine()
  let epoch: Int
  private let auditor: IndependentAuditor
  private let life = Mutex(Life())

  init(_ schedule: Schedule) {
    let wall = schedule.wall
    let monotonic = schedule.monotonic
    let epoch = schedule.auditor.state.withLock { $0.epoch }
    let random = Mutex(SeededGenerator(seed: schedule.seed &* 31 &+ UInt64(epoch) &* 7919))
    self.epoch = epoch
    self.auditor = schedule.auditor
    self.store = SimulatedStore(disk: schedule.disk, auditor: schedule.auditor, queueLimit: schedule.world.queueLimit)
    self.gate = Gate(
      environment: GateEnvironment(
        now: { wall.now }, uptime: { monotonic.now },
        randomBytes: { count in
          random.withLock { generator in (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) } }
        },
        digest: { mixed($0) }, keyedDigest: { mixed($1, key: UInt64($0.count)) }, tagKey: [1, 2, 3],
        boot: BootID(UInt128(epoch + 1))),
      policy: schedule.world.policy, journal: self.store, archive: self.store, acceptableUse: schedule.world.acceptableUse,
      terms: [schedule.world.terms])
  }

  var isReady: Bool { self.life.withLock { $0.isReady } }
  var isAlive: Bool { self.life.withLock { $0.isAlive } }
  /// Clients whose call is not over.
  var clientsInside: Int { self.life.withLock { $0.clients } }
  var failure: String? { self.life.withLock { $0.failure } }

  /// Takes up what the disk holds; calls are let in when that is done.
  func recover(_ state: StoredState) async {
    do {
      try self.gate.register(
        ServedModel(
          id: ModelID("m"), engine: self.engine, weights: mixed([1]), terms: [TermFileID("test")], facts: .empty,
          registeredAt: Timestamp(seconds: 1_795_424_400), owner: "simulation"))
      _ = try await self.gate.recover(state, version: "simulation")
      self.life.withLock { $0.isReady = $0.isAlive }
    } catch {
      self.life.withLock { $0.failure = "\(error)" }
    }
  }

  /// Nobody is there any more: what still runs finds its client gone and its engine cancelled, and comes to its end unheard.
  func bury(_ schedule: Schedule) {
    let live = self.life.withLock { life in
      life.isAlive = false
      life.isReady = false
      defer { life.live = [:] }
      return life.live.sorted { $0.key < $1.key }.map(\.value)
    }
    for request in live { request.stop() }
    self.engine.cancelAll()
    while schedule.executor.ready > 0 || self.engine.running > 0 {
      schedule.executor.runAll(choosing: &schedule.generator)
      self.engine.cancelAll()
      if self.engine.running > 0 { self.engine.step(0) }
    }
  }

  func stopRandomClient(_ generator: inout SeededGenerator) {
    let live = self.life.withLock { $0.live.sorted { $0.key < $1.key }.map(\.value) }
    live.randomElement(using: &generator)?.stop()
  }

  /// One client from its call to its end.
  func serve(_ plan: CallPlan) async {
    self.life.withLock { $0.clients += 1 }
    defer { self.life.withLock { $0.clients -= 1 } }
    do {
      switch try await self.gate.admit(plan.call) {
      case .replay(let reply):
        self.auditor.note("replay")
        self.auditor.replayed(reply.record, key: plan.call.idempotencyKey)
      case .live(let live): await self.follow(live, plan)
      }
    } catch {
      guard self.isAlive else { return }
      self.auditor.note("refused \(error.code.rawValue)", plan.number)
    }
  }

  private func follow(_ live: LiveRequest, _ plan: CallPlan) async {
    self.auditor.opened(
      live.usage, call: plan.number, key: plan.call.idempotencyKey, isWhole: plan.isWhole, epoch: self.epoch)
    self.life.withLock { $0.live[live.usage] = live }
    let pieces = Mutex(0)
    let record = await live.run(handover: plan.isWhole ? .atTheEnd : .asItComes) { @concurrent event in
      guard self.isAlive else { throw Gone() }
      switch event {
      case .piece(let piece):
        let taken = pieces.withLock { taken in
          taken += 1
          return taken
        }
        guard taken <= plan.leavesAfter else { throw Gone() }
        self.auditor.received(live.usage, bytes: piece.text.utf8.count)
      case .finished(let record, _): self.auditor.finished(record)
      case .failed: self.auditor.note("failed", plan.number)
      }
    }
    self.life.withLock { $0.live[live.usage] = nil }
    self.auditor.note("ended \(record?.outcome.rawValue ?? "without record")", record?.tokens.completion.value ?? -1)
    self.auditor.ended(live.usage, record, produced: self.engine.produced(for: plan.number), epoch: self.epoch)
  }
}
