import Documents
import Governance
import GovernanceTypes
import Testing

@testable import GovernanceStore

@Suite("customer sequences") struct CustomerSequenceTests {
  let directory = TemporaryDirectory()

  private func about(_ customer: UInt128?, _ effects: [StoreEffect] = []) -> JournalRecord {
    let fields = customer.map { [JSONMember("customer", .string(CustomerID($0).description))] } ?? []
    return JournalRecord(entry(.delivery, fields), effects: effects)
  }

  /// `customer_seq` of each entry by customer, in the order of the log.
  private func numbers(_ store: SQLiteStore) async throws -> [String: [Int]] {
    var numbers: [String: [Int]] = [:]
    for line in try await store.lines(from: 0, limit: 1000) {
      let document = try Document.parseJSON(Array(line.utf8))
      #expect(String(decoding: JSON(document).canonicalBytes, as: UTF8.self) == line, "canonical")
      guard case .string(let customer)? = document["customer"]?.content else {
        #expect(document["customer_seq"] == nil)
        continue
      }
      guard case .number(let text)? = document["customer_seq"]?.content, let number = Int(text) else {
        Issue.record("\(line) has no customer_seq")
        continue
      }
      numbers[customer, default: []].append(number)
    }
    return numbers
  }

  @Test("numbers have no gap over transactions, failed submissions and a restart, and the ticket says the place")
  func gapless() async throws {
    var store = try self.directory.open()
    try await store.submit([self.about(1), self.about(nil), self.about(2), self.about(1)]).durable()
    // A conflict takes its whole submission back, numbers included; what shared its transaction stands.
    let tickets = [
      store.submit([self.about(1)]), store.submit([self.about(1), self.about(2, [.usage(settlement(of: hold(9)))])]),
      store.submit([self.about(2)]),
    ]
    #expect(await failure(tickets[0]) == nil)
    #expect(await failure(tickets[1]) == .conflict)
    #expect(await failure(tickets[2]) == nil)
    #expect(tickets[0].receipt?.customerSequence == 2 && tickets[1].receipt == nil)
    let receipt = try #require(tickets[2].receipt)
    #expect(receipt.customerSequence == 1)
    #expect(try await store.leaves(in: receipt.sequence..<receipt.sequence + 1) == [receipt.leaf])
    await store.close()
    store = try self.directory.open()
    let ticket = store.submit([self.about(1), self.about(nil)])
    try await ticket.durable()
    #expect(ticket.receipt?.customerSequence == nil, "the last entry concerns no customer")
    #expect(try await self.numbers(store) == [CustomerID(1).description: [0, 1, 2, 3], CustomerID(2).description: [0, 1]])
    await store.close()
  }

  @Test("a heartbeat states what was settled and voided up to it, also after a restart")
  func heartbeat() async throws {
    func totals(_ store: SQLiteStore) async throws -> JSON? {
      try await store.submit([JournalRecord(entry(.heartbeat))]).durable()
      let line = try await store.lines(from: store.logSize - 1, limit: 1)[0]
      return JSON(try Document.parseJSON(Array(line.utf8)))["totals"]
    }
    var store = try self.directory.open()
    #expect(try await totals(store) == .object([]))
    let (first, second) = (hold(1, amount: 500), hold(2, currency: "EUR"))
    try await store.submit([held(first), held(second), settled(settlement(of: first, amount: 300))]).durable()
    try await store.submit([settled(void(second))]).durable()
    let wanted: JSON = [
      "EUR": [
        "amount_nano": "0", "completion": "0", "prompt_cached": "0", "prompt_uncached": "0", "requests": 0, "voided": 1,
      ],
      "USD": [
        "amount_nano": "300", "completion": "20", "prompt_cached": "2", "prompt_uncached": "8", "requests": 1, "voided": 0,
      ],
    ]
    #expect(try await totals(store)?.canonicalBytes == wanted.canonicalBytes)
    await store.close()
    store = try self.directory.open()
    #expect(try await totals(store)?.canonicalBytes == wanted.canonicalBytes)
    await store.close()
  }

  @Test("fields that are the journal's own are refused, and so is a line that no bundle could hold")
  func refused() async throws {
    let store = try self.directory.open()
    for key in ["at", "boot", "customer_seq", "seq", "totals", "type"] {
      #expect(await failure(store.submit([JournalRecord(entry(.admin, [JSONMember(key, "x")]))])) == .conflict, "\(key)")
    }
    let long = JSONMember("text", .string(String(repeating: "x", count: 65_500)))
    #expect(await failure(store.submit([JournalRecord(entry(.admin, [long]))])) == .conflict)
    #expect(store.logSize == 0)
    await store.close()
  }
}
