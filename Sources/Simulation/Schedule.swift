internal import Governance
internal import GovernanceTypes
internal import Synchronization
internal import UsageLedger

/// What one schedule came to.
public struct ScheduleOutcome: Sendable, Equatable {
  public var seed: UInt64
  /// In the order in which they were seen; empty where every promise was kept.
  public var violations: [String]
  /// A digest of all that happened, equal for equal runs.
  public var trace: UInt64
  /// How often each kind of thing happened.
  public var counts: [String: Int]
}

/// One run of a gate against everything that can go wrong, in an order that a seed decides: requests, aborts, retries, corrections, kills, power cuts,
/// clocks that jump, disks that fail, engines that break or fall silent.
///
/// The gate is the real one; its journal, clock, engine and executor are simulated. The auditor checks every step.
public final class Schedule {
  let seed: UInt64
  var generator: SeededGenerator
  let executor = SeededExecutor()
  let auditor: IndependentAuditor
  let wall: SimulatedClock
  let monotonic = SimulatedUptime()
  /// The latest time that the wall clock ever showed.
  var latest: Timestamp
  var process: SimulatedProcess?
  var disk = StoredModel()
  var tenants: [SimulatedTenant] = []
  /// The idempotency key that each customer used last.
  var lastKeys: [CustomerID: String] = [:]
  var calls = 0
  let world: SimulatedWorld

  init(seed: UInt64) {
    self.seed = seed
    self.generator = SeededGenerator(seed: seed)
    // Every second schedule charges by the month.
    self.auditor = IndependentAuditor(tariff: seed % 2 == 1 ? .tiered : .plain)
    self.latest = Timestamp(seconds: 1_795_424_400)
    self.wall = SimulatedClock(self.latest)
    self.world = SimulatedWorld(&self.generator)
  }

  /// Runs the schedule of a seed to its end.
  public static func run(seed: UInt64) -> ScheduleOutcome {
    let schedule = Schedule(seed: seed)
    schedule.runToTheEnd()
    return schedule.auditor.state.withLock { state in
      ScheduleOutcome(seed: seed, violations: state.violations, trace: state.trace, counts: state.counts)
    }
  }

  private func runToTheEnd() {
    self.start()
    self.settleIn()
    let steps = Int.random(in: 60...220, using: &self.generator)
    for _ in 0..<steps {
      self.step()
      self.observe()
      if self.hasFailed { return self.leave() }
    }
    self.heal()
    self.observe()
    for _ in 0..<Int.random(in: 0...3, using: &self.generator) { self.correct() }
    self.heal()
    self.observe()
    self.checkTheEnd()
    self.leave()
  }

  var hasFailed: Bool { self.auditor.state.withLock { !$0.violations.isEmpty } }

  // MARK: Steps

  private func step() {
    self.monotonic.advance(by: .milliseconds(1))
    self.wall.advance(by: .milliseconds(1))
    // A start that could not write ends the process, and it is started again.
    if self.process?.failure != nil { return self.die(isPowerCut: false) }
    switch Int.random(in: 0..<100, using: &self.generator) {
    case 0..<38:
      for _ in 0..<Int.random(in: 1...6, using: &self.generator) { _ = self.executor.runOne(choosing: &self.generator) }
    case 38..<59: for _ in 0..<Int.random(in: 1...5, using: &self.generator) { self.stepEngine() }
    case 59..<62: self.correct()
    case 62..<72: self.process?.store.write(most: Int.random(in: 1...8, using: &self.generator))
    case 72..<82: self.process?.store.sync()
    case 82..<92: self.arrive()
    case 92..<94: self.jump()
    case 94..<96: self.turnDisk()
    case 96..<97: self.tend()
    case 97..<98: self.die(isPowerCut: false)
    case 98..<99: self.die(isPowerCut: true)
    default: self.process?.stopRandomClient(&self.generator)
    }
  }

  func stepEngine() {
    guard let engine = self.process?.engine, engine.running > 0 else { return }
    engine.step(Int.random(in: 0..<engine.running, using: &self.generator))
  }

  /// The wall clock is set: a little, by an hour, by a day, or back by a year.
  private func jump() {
    self.auditor.note("jump")
    let seconds = [-1, 61, -3600, 3600, 86_400, -86_400, 31 * 86_400, -366 * 86_400]
    let jump = seconds[Int.random(in: 0..<seconds.count, using: &self.generator)]
    self.wall.advance(by: .seconds(jump))
    self.latest = max(self.latest, self.wall.now)
  }

  private func turnDisk() {
    guard let store = self.process?.store else { return }
    self.auditor.note("disk")
    store.fail(
      with: store.isFailing ? nil : JournalError(Bool.random(using: &self.generator) ? .diskFull : .failed, "as scheduled"))
  }

  func tend() {
    guard let gate = self.process?.gate else { return }
    self.spawn { await gate.tend() }
  }

  func spawn(_ body: @escaping @Sendable () async -> Void) {
    Task(executorPreference: self.executor) { await body() }
  }

  // MARK: Processes

  /// The process ends without a word; the next one takes up from what the disk holds.
  private func die(isPowerCut: Bool) {
    guard let process = self.process else { return }
    self.auditor.note(isPowerCut ? "power cut" : "kill")
    // What was in the file and not synced may be there or not, after a kill and after a power cut alike.
    self.disk = process.store.die(keepsWritten: Bool.random(using: &self.generator))
    process.bury(self)
    self.start()
  }

  private func start() {
    let process = SimulatedProcess(self)
    self.process = process
    let state = self.disk.state
    self.spawn { await process.recover(state) }
  }

  /// Ends what still runs, so that nothing is left behind.
  private func leave() {
    guard let process = self.process else { return }
    _ = process.store.die(keepsWritten: false)
    process.bury(self)
    self.process = nil
  }

  // MARK: Observation

  /// Compares the gate with the fold of its records, where no job is about to change it.
  private func observe() {
    guard self.executor.ready == 0, let process = self.process, process.isReady else { return }
    for tenant in self.tenants {
      var accounts: [String: Int128] = [:]
      for (account, amount) in process.gate.accounts(of: tenant.customer)[self.world.currency] ?? [:] {
        accounts[account.rawValue] = amount.nano
      }
      self.auditor.compare(
        customer: tenant.customer, committed: process.gate.committedSpend(of: .customer(tenant.customer)).nano, accounts: accounts
      )
    }
    let open = self.auditor.state.withLock { $0.spent.values.reduce(0) { $0 + $1.open } }
    self.auditor.require(
      process.gate.openHoldCount == open, "the gate has \(process.gate.openHoldCount) open holds, the records \(open)")
  }

  /// The disk works again and everything comes to its end.
  private func heal() {
    for _ in 0..<4000 {
      if self.process?.failure != nil { self.die(isPowerCut: false) }
      self.process?.store.fail(with: nil)
      self.executor.runAll(choosing: &self.generator)
      for _ in 0..<8 { self.stepEngine() }
      self.process?.store.write(most: 64)
      self.process?.store.sync()
      let isQuiet = self.executor.ready == 0 && self.process?.store.hasWork == false
      guard isQuiet else { continue }
      if let process = self.process, process.isReady, process.engine.running == 0, process.gate.unwrittenRecords.waiting == 0 {
        break
      }
      // Silent engines are given up, and what the disk did not take is written again.
      self.monotonic.advance(by: .seconds(700))
      self.tend()
    }
  }

  private func checkTheEnd() {
    guard let process = self.process else { return }
    self.auditor.require(process.isReady, "the last start did not come to its end: \(process.failure ?? "it still waits")")
    self.auditor.require(self.executor.ready == 0 && process.engine.running == 0, "something still runs at the end")
    let clients = process.clientsInside
    self.auditor.require(clients == 0, "\(clients) clients still wait at the end")
    let unwritten = process.gate.unwrittenRecords
    self.auditor.require(unwritten == (0, 0), "records are not written at the end: \(unwritten)")
    self.auditor.require(process.gate.openHoldCount == 0, "\(process.gate.openHoldCount) holds are open at the end")
    self.auditor.checkTheEnd()
    self.probe()
  }

  /// Whoever has money left for a prompt and a token is served: no hold was leaked.
  private func probe() {
    // All windows but that of all time are new, and no rate remembers anything.
    self.wall.set(self.latest.advanced(by: .seconds(40 * 86_400)))
    for tenant in self.tenants where !tenant.hasExpiringCredit {
      let affordable = self.auditor.canAfford(tenant, prompt: self.world.promptTokens, at: self.wall.now)
      let call = self.arrive(tenant, isProbe: true)
      self.heal()
      let wasServed = self.auditor.wasServed(call)
      self.auditor.require(
        wasServed == affordable, "\(tenant.customer) can afford a token: \(affordable); it was served: \(wasServed)")
      if self.hasFailed { return }
    }
  }
}
