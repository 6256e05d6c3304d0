import Documents
import GovernanceTypes
import Testing

@testable import AuditTrail

private let customer = CustomerID(1)
private let currency = Currency("USD")
private let start = Timestamp(seconds: 1_795_000_000)

/// An entry as the gateway writes it.
func entryLine(
  _ type: String, _ sequence: Int, usage: UInt128 = 1, amount: String? = nil, customer: CustomerID = CustomerID(1),
  currency: String = "USD", at: Timestamp = Timestamp(seconds: 1_795_000_000), extra: [JSONMember] = []
) -> [UInt8] {
  var members = extra
  if ["hold", "extend", "settle", "void"].contains(type) {
    members.append(JSONMember("usage", .string(UsageID(usage).description)))
  }
  if let amount { members.append(JSONMember("amount_nano", .string(amount))) }
  if type == "hold" || type == "settle" {
    members += [JSONMember("customer", .string(customer.description)), JSONMember("currency", .string(currency))]
  }
  if type == "settle" {
    members += ["prompt_uncached", "prompt_cached", "completion"].map { JSONMember($0, "10") }
  }
  return LogEntry.line(type: type, sequence: sequence, at: at, boot: BootID(9), members: members)
}

/// What the rules say of each line, nil where they find nothing.
private func verdicts(_ lines: [[UInt8]], first: Int = 0, openBefore: [OpenHold] = []) -> ([String?], EntryRules) {
  var rules = EntryRules(
    firstSequence: first, opening: BundleOpening(openHolds: openBefore, customers: [], running: []))
  var scanner = CanonicalLine()
  let said = lines.map { line -> String? in
    do throws(LineError) {
      try scanner.scan(line, from: 0)
      try rules.admit(try EntryRecord(scanner, in: line), in: line)
      return nil
    } catch { return error.message }
  }
  return (said, rules)
}

@Suite("the rules from one entry to the next")
struct EntryRulesTests {
  @Test(
    "hold, extend, settle: the sum of what is held may be settled, and no more",
    arguments: [
      ("0", true), ("149", true), ("150", true), ("151", false), ("1000000000000000000000000", false),
    ])
  func settling(amount: String, isFine: Bool) {
    let lines = [
      entryLine("hold", 0, amount: "100"), entryLine("extend", 1, amount: "50"), entryLine("settle", 2, amount: amount),
    ]
    let (said, rules) = verdicts(lines)
    #expect((said[2] == nil) == isFine)
    #expect(said[0] == nil && said[1] == nil)
    #expect(rules.open.isEmpty == isFine)
    if isFine {
      #expect(rules.settled.map { String($0.settled.amount.nano) } == [amount])
      #expect(rules.settled.map(\.requests) == [1] && rules.settled.map(\.completion.value) == [10])
    }
  }

  @Test("each usage has one hold and at most one end")
  func pairing() {
    let hold = entryLine("hold", 0, amount: "5")
    let cases: [([[UInt8]], String)] = [
      ([hold, entryLine("hold", 1, amount: "5")], "a second time"),
      ([entryLine("settle", 0, amount: "5")], "no earlier entry holds"),
      ([entryLine("void", 0)], "no earlier entry holds"),
      ([entryLine("extend", 0, amount: "1")], "no earlier entry holds"),
      ([hold, entryLine("void", 1), entryLine("settle", 2, amount: "1")], "entry 1 has ended"),
      ([hold, entryLine("settle", 1, amount: "1"), entryLine("settle", 2, amount: "1")], "entry 1 has ended"),
      ([hold, entryLine("settle", 1, amount: "1"), entryLine("void", 2)], "entry 1 has ended"),
      ([hold, entryLine("settle", 1, amount: "1"), entryLine("extend", 2, amount: "1")], "entry 1 has ended"),
      ([hold, entryLine("void", 1), entryLine("hold", 2, amount: "1")], "a second time"),
      ([hold, entryLine("settle", 1, amount: "1", customer: CustomerID(2))], "another customer"),
      ([hold, entryLine("settle", 1, amount: "1", currency: "EUR")], "another currency"),
    ]
    for (lines, expected) in cases {
      let (said, _) = verdicts(lines)
      #expect(said.dropLast().allSatisfy { $0 == nil })
      #expect(said.last??.contains(expected) == true, "\(said)")
    }
  }

  @Test("sequence numbers have no gap, and a gap is told once")
  func sequences() {
    let (said, _) = verdicts(
      [entryLine("boot", 7), entryLine("clock", 9), entryLine("clock", 10), entryLine("clock", 10)], first: 7)
    #expect(said == [nil, "has seq 9 where 8 belongs", nil, "has seq 10 where 11 belongs"])
  }

  @Test("time never goes back")
  func time() {
    let later = start.advanced(by: .milliseconds(1))
    let (said, _) = verdicts([
      entryLine("boot", 0, at: later), entryLine("clock", 1, at: later), entryLine("clock", 2, at: start),
    ])
    #expect(said == [nil, nil, "has an 'at' before that of the line above"])
  }

  @Test("a hold of before the bundle is settled in it")
  func openBefore() throws {
    let currency = try #require(currency)
    let held = OpenHold(usage: UsageID(1), customer: customer, held: Money(NanoAmount(5), currency), sequence: 3)
    let other = OpenHold(usage: UsageID(2), customer: customer, held: Money(NanoAmount(6), currency), sequence: 4)
    let (said, rules) = verdicts([entryLine("settle", 9, amount: "5")], first: 9, openBefore: [held, other])
    #expect(said == [nil])
    #expect(rules.open == [other])
  }

  @Test(
    "fields that are missing or malformed",
    arguments: [
      #"{"at":"2026-11-23T09:03:54.123Z","boot":"b","seq":0,"type":"hold"}"#,
      #"{"at":"2026-11-23T09:03:54.123Z","boot":"b","seq":-1,"type":"clock"}"#,
      #"{"at":"2026-11-23T09:03:54.123Z","boot":"b","seq":"0","type":"clock"}"#,
      #"{"at":"2026-11-23T09:03:54Z","boot":"b","seq":0,"type":"clock"}"#,
      #"{"at":"2026-13-23T09:03:54.123Z","boot":"b","seq":0,"type":"clock"}"#,
      #"{"at":"2026-11-23T24:03:54.123Z","boot":"b","seq":0,"type":"clock"}"#,
      #"{"at":"2026-11-23T09:03:54.123+","boot":"b","seq":0,"type":"clock"}"#,
      #"{"at":"2026-11-23T09:03:54.123Z","seq":0,"type":"clock"}"#,
      #"{"at":"2026-11-23T09:03:54.123Z","boot":"b","seq":0,"type":"Clock"}"#,
      #"{"at":"2026-11-23T09:03:54.123Z","boot":"b","seq":0,"type":""}"#,
      #"{"at":"2026-11-23T09:03:54.123Z","boot":"b","seq":0,"type":"abcdefghijklmnopq"}"#,
      #"{"at":"2026-11-23T09:03:54.123Z","boot":"b","seq":0,"type":"void","usage":"usg_8zzzzzzzzzzzzzzzzzzzzzzzzz"}"#,
      #"{"at":"2026-11-23T09:03:54.123Z","boot":"b","seq":0,"type":"void","usage":"usg_000000000000000000000000u0"}"#,
    ])
  func malformed(text: String) {
    let (said, _) = verdicts([Array(text.utf8)])
    #expect(said[0] != nil)
  }

  @Test("a customer's entries have no gap, whatever lies between them")
  func customerSequences() {
    func line(_ sequence: Int, _ customer: Int, _ place: JSON?) -> [UInt8] {
      let members = [JSONMember("customer", .string(CustomerID(UInt128(customer)).description))]
      return entryLine("delivery", sequence, extra: members + (place.map { [JSONMember("customer_seq", $0)] } ?? []))
    }
    #expect(verdicts([line(0, 1, 0), line(1, 2, 0), line(2, 1, 1), line(3, 2, 1)]).0.allSatisfy { $0 == nil })
    // Entries of before numbers were given have none; once there are some, all have.
    #expect(verdicts([line(0, 1, nil), line(1, 1, 0), line(2, 1, 1)]).0.allSatisfy { $0 == nil })
    let missing: [JSON?] = [nil, 0, 2, "1", -1]
    for wrong in missing { #expect(verdicts([line(0, 1, 0), line(1, 1, wrong)]).0[1] != nil, "\(String(describing: wrong))") }
    #expect(verdicts([entryLine("admin", 0, extra: [JSONMember("customer_seq", 0)])]).0[0] != nil, "without a customer")
  }

  @Test("a heartbeat states what the entries up to it add up to, and nothing else")
  func heartbeats() {
    func heartbeat(_ sequence: Int, _ totals: JSON) -> [UInt8] {
      entryLine("heartbeat", sequence, extra: [JSONMember("totals", totals)])
    }
    func totals(_ amount: String, _ requests: Int, _ voided: Int) -> JSON {
      [
        "USD": [
          "amount_nano": .string(amount), "requests": .integer(requests), "voided": .integer(voided), "prompt_uncached": "10",
          "prompt_cached": "10", "completion": "10",
        ]
      ]
    }
    let lines = [
      heartbeat(0, [:]), entryLine("hold", 1, amount: "100"), heartbeat(2, [:]), entryLine("settle", 3, amount: "70"),
      entryLine("hold", 4, usage: 2, amount: "5"), entryLine("void", 5, usage: 2),
    ]
    #expect(verdicts(lines + [heartbeat(6, totals("70", 1, 1))]).0.allSatisfy { $0 == nil })
    for wrong in [totals("71", 1, 1), totals("70", 2, 1), totals("70", 1, 0), [:], "70"] {
      #expect(verdicts(lines + [heartbeat(6, wrong)]).0[6] != nil)
    }
    #expect(verdicts([entryLine("heartbeat", 0)]).0[0] != nil)
  }

  @Test(
    "amounts are plain decimal strings up to the largest",
    arguments: [
      ("9223372036854775807", true), ("9223372036854775808", false), ("1000000000000000000000001", false), ("-1", false),
      ("01", false), ("", false),
      ("1.0", false),
      ("+1", false), ("9999999999999999999999999999999999999999", false),
    ])
  func amounts(text: String, isFine: Bool) {
    #expect((verdicts([entryLine("hold", 0, amount: text)]).0[0] == nil) == isFine)
  }

  @Test("identifiers are read as GovernanceTypes reads them")
  func identifiers() {
    var random = SplitMix64(seed: 26)
    for _ in 0..<200 {
      let value = UInt128(UInt64.random(in: 0...UInt64.max, using: &random)) << 64 | UInt128(random.next())
      let text = Array(UsageID(value).description.utf8)
      #expect(parseIdentifier(text, text.indices, prefix: Array("usg_".utf8)) == value)
    }
  }
}
