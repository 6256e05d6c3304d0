import AuditTrail
import Dispatch
import Documents
import Foundation
import GRDB
import Governance
import GovernanceTypes
import Testing

@testable import GovernanceStore

@Suite("Journal") struct JournalTests {
  let directory = TemporaryDirectory()

  @Test("the digest of the tests is SHA-256")
  func digest() {
    #expect(sha256(Array("abc".utf8)).hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      sha256([UInt8](repeating: 0x61, count: 119)).hexadecimal
        == "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb")
  }

  @Test("a line is canonical JSON with its place in the log, and its leaf is SHA-256(0x00 ‖ line)")
  func line() async throws {
    let store = try self.directory.open()
    let record = JournalRecord(
      LogEntry(
        .decision, at: instant("2026-11-23T12:00:00.1239Z"), [JSONMember("verdict", "allow"), JSONMember("b", 1)], lookup: "dec_1"
      ))
    #expect(try await store.submit([JournalRecord(entry())]).durable() == 0)
    #expect(try await store.submit([record]).durable() == 1)
    let line =
      #"{"at":"2026-11-23T12:00:00.123Z","b":1,"boot":"\#(BootID(7))","seq":1,"type":"decision","verdict":"allow"}"#
    #expect(try await store.lines(from: 1, limit: 10) == [line])
    #expect(try await store.entry(lookup: "dec_1") == line)
    #expect(try await store.leaves(in: 1..<2) == [sha256([0] + Array(line.utf8))])
    var frontier = MerkleFrontier()
    let tree = MerkleTree(digest: sha256)
    for leaf in try store.leavesNow(in: 0..<2) { frontier.append(leaf, in: tree) }
    #expect(store.frontier == frontier)
    await store.close()
  }

  @Test("time never runs backwards in the log")
  func monotonicTime() async throws {
    let store = try self.directory.open()
    for second in [10, 5, 11] {
      try await store.submit([JournalRecord(entry(at: Timestamp(seconds: Int64(second))))]).durable()
    }
    let times = try await store.lines(from: 0, limit: 3).map { $0.prefix(31).suffix(24) }
    #expect(times == ["1970-01-01T00:00:10.000Z", "1970-01-01T00:00:10.000Z", "1970-01-01T00:00:11.000Z"])
    await store.close()
    let again = try self.directory.open()
    #expect(try again.load().lastAt == Timestamp(seconds: 11))
    try await again.submit([JournalRecord(entry(at: Timestamp(seconds: 1)))]).durable()
    #expect(try again.load().lastAt == Timestamp(seconds: 11))
    await again.close()
  }

  @Test("a ticket tells the sequence number of its first entry, or of the next one")
  func sequence() async throws {
    let store = try self.directory.open()
    let tickets = [
      store.submit([]), store.submit([JournalRecord(entry()), JournalRecord(entry())]),
      store.submit([JournalRecord(nil, effects: [.holdOpened(hold(1))])]), store.submit([JournalRecord(entry())]),
    ]
    var numbers: [Int] = []
    for ticket in tickets { numbers.append(try await ticket.durable()) }
    #expect(numbers == [0, 0, 2, 2])
    #expect(store.logSize == 3)
    await store.close()
  }

  @Test("what is submitted while the disk is busy goes into one transaction, in the order of the calls")
  func groupCommit() async throws {
    let gate = Gate()
    let store = try self.directory.open(StoreOptions(batchLimit: 100), gate: gate)
    let first = store.submit([JournalRecord(entry())])
    // The writer has taken the first call once it no longer waits; what comes now must wait for it.
    let tickets = (0..<1000).map { store.submit([JournalRecord(entry(.admin, [JSONMember("number", .integer($0))]))]) }
    #expect(tickets.allSatisfy { $0.outcome == nil })
    gate.open()
    try await first.durable()
    for (number, ticket) in tickets.enumerated() { #expect(try await ticket.durable() == number + 1) }
    #expect(store.statistics.records == 1001)
    #expect((11...12).contains(store.statistics.commits))
    #expect(store.statistics.batchRecords.count == store.statistics.commits)
    let lines = try await store.lines(from: 1, limit: 2000)
    #expect(lines.enumerated().allSatisfy { $1.contains("\"number\":\($0),") })
    await store.close()
  }

  @Test("many submitters at once share few commits, and each of their records is there once")
  func manySubmitters() async throws {
    let store = try self.directory.open()
    await withTaskGroup { group in
      for submitter in 0..<64 {
        group.addTask {
          for number in 0..<20 {
            let ticket = store.submit([JournalRecord(entry(lookup: "\(submitter)/\(number)"))])
            #expect(await failure(ticket) == nil)
          }
        }
      }
    }
    #expect(store.logSize == 1280)
    #expect(store.statistics.commits < 640)
    #expect(store.statistics.durabilityMicroseconds.count == 1280)
    #expect(store.statistics.queueDepth == 0)
    await store.close()
  }

  @Test("when a ticket is done its records are on disk, and so is all that was submitted before")
  func order() async throws {
    let store = try self.directory.open(StoreOptions(batchLimit: 7))
    let tickets = (0..<50).map { store.submit([JournalRecord(entry(lookup: "\($0)"))]) }
    for (number, ticket) in tickets.enumerated() {
      try await ticket.durable()
      #expect(tickets.prefix(number).allSatisfy { $0.outcome != nil })
      #expect(try await store.entry(lookup: "\(number)") != nil)
    }
    await store.close()
  }

  @Test("the records of one call are written together or not at all")
  func atomicity() async throws {
    let store = try self.directory.open()
    let call = [held(hold(1)), held(hold(2)), settled(settlement(of: hold(3)))]
    #expect(await failure(store.submit(call)) == .conflict)
    #expect(store.logSize == 0)
    #expect(try await store.openHolds().isEmpty)
    await store.close()
  }

  @Test("a conflict fails its own call and no other of the same transaction; no sequence number is lost")
  func conflictIsolation() async throws {
    let gate = Gate()
    let store = try self.directory.open(gate: gate)
    let tickets = [
      store.submit([held(hold(1))]), store.submit([settled(settlement(of: hold(9)))]), store.submit([held(hold(2))]),
      store.submit([held(hold(1))]), store.submit([settled(settlement(of: hold(1)))]),
      store.submit([settled(settlement(of: hold(1)))]), store.submit([held(hold(1))]), store.submit([held(hold(3))]),
    ]
    gate.open()
    var failures: [JournalError.Code?] = []
    for ticket in tickets { failures.append(await failure(ticket)) }
    #expect(failures == [nil, .conflict, nil, .conflict, nil, .conflict, .conflict, nil])
    #expect(store.logSize == 4)
    #expect(try await store.lines(from: 0, limit: 9).enumerated().allSatisfy { $1.contains("\"seq\":\($0),") })
    #expect(store.statistics.conflicts == 4)
    #expect(try await store.openHolds().map(\.usage) == [UsageID(2), UsageID(3)])
    await store.close()
    let again = try self.directory.open()
    #expect(again.logSize == 4)
    await again.close()
  }

  @Test(
    "what cannot be stored exactly is a conflict that names the field",
    arguments: [
      ([StoreEffect.holdOpened(hold(1, amount: Int128(Int64.max) + 1))], "amount"),
      ([.holdOpened(hold(1, amount: -1))], "amount"),
      ([.holdOpened(hold(1, model: "de\0mo"))], "model"),
      ([.holdOpened(hold(1, heldAt: Timestamp(nanoseconds: -1)))], "held_at"),
      (
        [.holdOpened(hold(1, amount: Int128(Int64.max))), .holdExtended(UsageID(1), amount: NanoAmount(1), tokens: .zero)],
        "amount"
      ),
      ([.holdOpened(hold(1, tokens: 1 << 50)), .holdExtended(UsageID(1), amount: .zero, tokens: TokenCount(1))], "tokens"),
      ([.holdExtended(UsageID(1), amount: NanoAmount(1), tokens: .zero)], "extend"),
      ([.progress(UsageID(1), delivered: TokenCount(1), highWater: TokenCount(2))], "mark"),
      ([.holdOpened(hold(1)), .progress(UsageID(1), delivered: TokenCount(3), highWater: TokenCount(2))], "high_water"),
      ([.holdOpened(hold(1)), .usage(settlement(of: hold(1), amount: 1001))], "covers"),
      ([.holdOpened(hold(1)), .usage(settlement(of: hold(1, customer: 2)))], "customer"),
      ([.holdOpened(hold(1)), .usage(settlement(of: hold(1, currency: "EUR")))], "EUR"),
      (
        [
          .holdOpened(hold(1)),
          .usage(settlement(of: hold(1), tokens: TokenUsage(promptUncached: .largest, completion: TokenCount(1)))),
        ], "completion"
      ),
      ([.activeUser(month: noon.month, scope: "a\0", fingerprint: 1)], "scope"),
      (
        [
          .object(
            StoredObject(kind: .customer, id: "cus_1", customer: nil, body: .number("1 2"), salt: []))
        ], "body"
      ),
    ])
  func unstorable(effects: [StoreEffect], named: String) async throws {
    let store = try self.directory.open()
    let ticket = store.submit([JournalRecord(entry(), effects: effects)])
    do throws(JournalError) {
      try await ticket.durable()
      Issue.record("it was stored")
    } catch {
      #expect(error.code == .conflict)
      #expect(error.detail.contains(named), "\(error.detail)")
    }
    #expect(store.logSize == 0)
    await store.close()
  }

  @Test(
    "an entry that would break its line is a conflict",
    arguments: [
      [JSONMember("seq", 1)], [JSONMember("a", 1), JSONMember("a", 2)], [JSONMember("n", .number("1\n{}"))],
      [JSONMember("long", .string(String(repeating: "x", count: 1 << 20)))],
    ])
  func unstorable(fields: [JSONMember]) async throws {
    let store = try self.directory.open()
    #expect(await failure(store.submit([JournalRecord(entry(.admin, fields))])) == .conflict)
    #expect(await failure(store.submit([JournalRecord(entry(lookup: "a\0b"))])) == .conflict)
    #expect(await failure(store.submit([JournalRecord(entry(lookup: "a"))])) == nil)
    #expect(await failure(store.submit([JournalRecord(entry(lookup: "a"))])) == .conflict)
    #expect(store.logSize == 1)
    await store.close()
  }

  @Test("an idempotency key stays bound until it expires")
  func idempotency() async throws {
    let store = try self.directory.open()
    func bind(_ usage: UInt128, request: UInt8, at time: Timestamp) async -> JournalError.Code? {
      let record = IdempotencyRecord(
        customer: CustomerID(1), keyDigest: sha256([1]), requestDigest: sha256([request]), usage: UsageID(usage),
        expires: time.advanced(by: .seconds(60)))
      return await failure(store.submit([JournalRecord(entry(at: time), effects: [.idempotency(record)])]))
    }
    #expect(await bind(1, request: 1, at: noon) == nil)
    #expect(await bind(1, request: 1, at: noon.advanced(by: .seconds(1))) == nil)
    #expect(await bind(2, request: 2, at: noon.advanced(by: .seconds(60))) == .conflict)
    #expect(await bind(2, request: 2, at: noon.advanced(by: .seconds(61))) == nil)
    #expect(try store.load().idempotency.map(\.usage) == [UsageID(2)])
    await store.close()
  }

  @Test("a full queue refuses at once, and takes again when there is room")
  func queueFull() async throws {
    let gate = Gate()
    let store = try self.directory.open(StoreOptions(queueLimit: 4), gate: gate)
    let three = store.submit(Array(repeating: JournalRecord(entry()), count: 3))
    #expect(store.submit([JournalRecord(entry()), JournalRecord(entry())]).outcome.map(code) == .queueFull)
    let fourth = store.submit([JournalRecord(entry())])
    #expect(fourth.outcome == nil)
    #expect(store.submit([]).outcome.map(code) == .queueFull)
    #expect(store.statistics.rejections == 2)
    #expect(store.statistics.queueDepth == 4)
    gate.open()
    try await three.durable()
    try await fourth.durable()
    #expect(try await store.submit([JournalRecord(entry())]).durable() == 4)
    #expect(store.submit(Array(repeating: JournalRecord(entry()), count: 5)).outcome.map(code) == .queueFull)
    await store.close()
  }

  @Test("closing writes what waits and refuses what comes later")
  func closing() async throws {
    let gate = Gate()
    let store = try self.directory.open(gate: gate)
    let tickets = (0..<10).map { _ in store.submit([JournalRecord(entry())]) }
    async let closed: Void = store.close()
    gate.open()
    await closed
    for ticket in tickets { #expect(await failure(ticket) == nil) }
    #expect(await failure(store.submit([JournalRecord(entry())])) == .closed)
    await #expect(throws: StoreError.self) { try await store.openHolds() }
    await store.close()
  }

  @Test("a short read does not wait behind a long one while another connection is idle", .timeLimit(.minutes(5)))
  func reads() async throws {
    let store = try self.directory.open(StoreOptions(readers: 2))
    #expect(try self.readBeside(store) == [7, 7, 7, 7, 7])
    await store.close()
  }

  /// What five short reads give while a long one lasts.
  private func readBeside(_ store: SQLiteStore) throws -> [Int?] {
    let began = DispatchSemaphore(value: 0)
    let mayEnd = DispatchSemaphore(value: 0)
    let long = Thread {
      do {
        try store.readNow { _ in
          began.signal()
          mayEnd.wait()
        }
      } catch {
        Issue.record(error)
        began.signal()
      }
    }
    long.start()
    began.wait()
    defer { mayEnd.signal() }
    return try (0..<5).map { _ in try store.readNow { try Int.fetchOne($0, sql: "SELECT 7") } }
  }
}

private func code(_ result: Result<Int, JournalError>) -> JournalError.Code? {
  if case .failure(let error) = result { error.code } else { nil }
}
