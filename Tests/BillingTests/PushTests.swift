import Billing
import Documents
import GovernanceTypes
import Testing

/// No digest of cryptography, but one that tells texts apart: enough for ids in tests.
private let tellApart: DigestFunction = { bytes in
  var words: [UInt8] = []
  for round in UInt64(1)...4 {
    var state = SplitMix64(seed: bytes.reduce(round) { ($0 &* 0x100_0000_01B3) ^ UInt64($1) })
    let word = state.next()
    words += (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
  }
  guard let digest = Digest(words) else { preconditionFailure("four words are 32 bytes") }
  return digest
}

private func settledLine(_ usage: UInt128, customer: UInt128 = 1, second: Int64, tokens: Int) throws -> UsageLine {
  var line = try sampleLine(TokenUsage(completion: TokenCount(tokens)), price: samplePrice(), usage: usage)
  line.customer = CustomerID(customer)
  line.settledAt = Timestamp(seconds: 1_790_000_000 + second)
  return line
}

/// A metering service as the facts describe it: it drops a second event of one id, and answers late, wrongly or never.
private struct ScriptedReceiver {
  var accepted: [String: Int] = [:]
  var random: SplitMix64
  var isTroubled = true

  /// The answer, and after how many seconds; nil for none at all.
  mutating func receive(_ events: [MeterEvent]) -> (status: Int, delay: Int64)? {
    let roll = self.isTroubled ? Int.random(in: 0..<10, using: &self.random) : 9
    switch roll {
    case 0: return (429, 0)
    case 1: return (500, 0)
    // The connection breaks before anything arrived.
    case 2: return nil
    // Taken, and yet a failure is answered.
    case 3:
      self.take(events)
      return (503, 1)
    // Taken, and the answer never comes, or long after it was waited for.
    case 4:
      self.take(events)
      return nil
    case 5:
      self.take(events)
      return (200, 90)
    default:
      self.take(events)
      return (200, Int64.random(in: 0...3, using: &self.random))
    }
  }

  private mutating func take(_ events: [MeterEvent]) {
    for event in events where self.accepted[event.id] == nil { self.accepted[event.id] = event.quantity }
  }
}

@Suite("Pushes to metering services")
struct PushTests {
  @Test("a closed minute gives the same events whenever it is made, and takes no late ones")
  func windows() throws {
    var events: [[MeterEvent]] = []
    for order in [[1, 2, 3], [3, 1, 2]] {
      var windows = try #require(MeterWindows(origin: "node-1", digest: tellApart))
      for id in order { try windows.add(settledLine(UInt128(id), second: Int64(id), tokens: 10 * id)) }
      events.append(windows.close(before: Timestamp(seconds: 1_790_000_200)))
      #expect(throws: MeterWindows.Defect.late(UsageID(9))) { try windows.add(settledLine(9, second: 4, tokens: 1)) }
    }
    #expect(events[0] == events[1])
    #expect(events[0].map(\.category) == [.completion, .request])
    #expect(events[0].map(\.quantity) == [60, 3])
    #expect(events[0].allSatisfy { $0.id.utf8.count <= 100 && $0.id.hasPrefix("node-1:") })
    var twice = try #require(MeterWindows(origin: "node-1", digest: tellApart))
    try twice.add(settledLine(1, second: 1, tokens: 1))
    #expect(throws: MeterWindows.Defect.twice(UsageID(1))) { try twice.add(settledLine(1, second: 2, tokens: 1)) }
    #expect(MeterWindows(origin: "node 1", digest: tellApart) == nil)
  }

  @Test("the shapes are those that the services document")
  func shapes() throws {
    var windows = try #require(MeterWindows(origin: "n", digest: tellApart))
    try windows.add(settledLine(1, second: 0, tokens: 1234))
    let event = try #require(windows.close(before: Timestamp(seconds: 1_790_000_100)).first)
    let names = [event.customer: "cust_0001"]
    let now = Timestamp(seconds: 1_790_000_100)
    let id = event.id
    let cloud = try PushFormat.openMeter(source: "gateway/n").request([event], names: names, at: now)
    #expect(cloud.contentType == "application/cloudevents-batch+json")
    #expect(
      String(decoding: cloud.body, as: UTF8.self)
        == #"[{"specversion":"1.0","id":"\#(id)","source":"gateway/n","type":"llm.tokens","subject":"cust_0001","#
        + #""time":"2026-09-21T14:13:00.000Z","datacontenttype":"application/json","#
        + #""data":{"tokens":"1234","token_type":"completion","model":"llama-2-7b-chat"}}]"#)
    let lago = try PushFormat.lago(code: "llm_tokens").request([event], names: names, at: now)
    #expect(
      String(decoding: lago.body, as: UTF8.self)
        == #"{"events":[{"transaction_id":"\#(id)","external_subscription_id":"cust_0001","code":"llm_tokens","#
        + #""timestamp":"1789999980","properties":{"tokens":1234,"type":"completion","model":"llama-2-7b-chat"}}]}"#)
    let stripe = try PushFormat.stripe(eventPrefix: "llm_").request([event], names: names, at: now)
    #expect(
      String(decoding: stripe.body, as: UTF8.self)
        == "event_name=llm_completion&payload%5Bstripe_customer_id%5D=cust_0001&payload%5Bvalue%5D=1234&identifier="
        + "\(id.replacing(":", with: "%3A"))&timestamp=1789999980")
    #expect(throws: PushFormat.Defect.outsideTime(id)) {
      try PushFormat.stripe(eventPrefix: "").request([event], names: names, at: Timestamp(seconds: 1_790_000_000 + 36 * 86_400))
    }
    #expect(throws: PushFormat.Defect.unknownCustomer(event.customer)) {
      try PushFormat.lago(code: "x").request([event], names: [:], at: now)
    }
    #expect(throws: PushFormat.Defect.tooManyEvents(101)) {
      try PushFormat.lago(code: "x").request(Array(repeating: event, count: 101), names: names, at: now)
    }
  }

  /// How each service says that it has an event, and answers that look like it and are none.
  @Test("a service that says that it has an event has taken it")
  func repetitions() {
    func outcome(_ format: PushFormat, _ status: Int, _ body: String, events: Int = 1) -> DeliveryOutcome {
      format.outcome(status: status, body: Array(body.utf8), retryAfter: nil, events: events)
    }
    let (lago, stripe) = (PushFormat.lago(code: "c"), PushFormat.stripe(eventPrefix: "p"))
    func repeated(_ places: [Int], _ code: String = "value_already_exist") -> String {
      let details = places.map { #""\#($0)":{"transaction_id":["\#(code)"]}"# }.joined(separator: ",")
      return #"{"status":422,"error_details":{\#(details)}}"#
    }
    #expect(outcome(lago, 422, repeated([0])) == .accepted)
    #expect(outcome(lago, 422, #"{"error_details":{"transaction_id":["value_already_exist"]}}"#) == .accepted)
    #expect(outcome(lago, 422, repeated([0, 1, 2]), events: 3) == .accepted)
    let refused = DeliveryOutcome.refused("status 422")
    // Nothing of this batch was kept: the third is new.
    #expect(outcome(lago, 422, repeated([0, 1]), events: 3) == refused)
    #expect(outcome(lago, 422, repeated([0], "value_is_mandatory")) == refused)
    #expect(
      outcome(lago, 422, #"{"error_details":{"0":{"transaction_id":["value_already_exist"],"code":["x"]}}}"#) == refused)
    for body in ["", "{", "[]", #"{"error_details":[]}"#, #"{"error_details":{}}"#, String(repeating: "[", count: 60_000)] {
      #expect(outcome(lago, 422, body) == refused)
      #expect(outcome(stripe, 400, body) == .refused("status 400"))
    }
    #expect(outcome(stripe, 400, #"{"error":{"code":"duplicate_meter_event"}}"#) == .accepted)
    #expect(outcome(stripe, 400, #"{"error":{"message":"An event already exists with identifier x."}}"#) == .accepted)
    #expect(outcome(stripe, 400, #"{"error":{"message":"No such customer"}}"#) == .refused("status 400"))
    #expect(outcome(stripe, 409, "{}") == .failed("status 409"))
    #expect(outcome(.openMeter(source: "s"), 401, "") == .failed("status 401"))
  }

  @Test("what a service may have forgotten is not sent to it again, if it may have arrived before")
  func memories() throws {
    var windows = try #require(MeterWindows(origin: "n", digest: tellApart))
    try windows.add(settledLine(1, second: 0, tokens: 5))
    let event = try #require(windows.close(before: Timestamp(seconds: 1_790_000_100)).first)
    func mayCountTwice(_ format: PushFormat, _ attempts: Int, hours: Int64) -> Bool {
      format.mayCountTwice(event, attempts: attempts, at: Timestamp(seconds: event.minute.seconds + hours * 3600))
    }
    #expect(!mayCountTwice(.stripe(eventPrefix: ""), 1, hours: 22) && mayCountTwice(.stripe(eventPrefix: ""), 1, hours: 23))
    #expect(!mayCountTwice(.stripe(eventPrefix: ""), 0, hours: 800))
    #expect(!mayCountTwice(.openMeter(source: ""), 9, hours: 766) && mayCountTwice(.openMeter(source: ""), 9, hours: 768))
    #expect(!mayCountTwice(.lago(code: ""), 9, hours: 9999))
  }

  @Test(
    "every settled token arrives exactly once, through duplicates, delays, 429, 500 and silence",
    arguments: [PushFormat.openMeter(source: "s"), .lago(code: "c"), .stripe(eventPrefix: "p")])
  func exactlyOnce(format: PushFormat) throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    var windows = try #require(MeterWindows(origin: "node-1", digest: tellApart))
    var settled = 0
    for id in 0..<600 {
      let tokens = Int.random(in: 0...500, using: &random)
      settled += tokens
      try windows.add(settledLine(UInt128(id), customer: UInt128(id % 5), second: Int64(id), tokens: tokens))
    }
    let start = Timestamp(seconds: 1_790_000_700)
    let events = windows.close(before: start)
    let names = Dictionary(uniqueKeysWithValues: (0..<5).map { (CustomerID($0), "c\($0)") })
    var outbox = Outbox<MeterEvent>()
    for event in events + events { _ = outbox.add(event.id, event, lane: format.lane(of: event), at: start) }
    var receiver = ScriptedReceiver(random: SplitMix64(seed: seed ^ 1))
    var answers: [(at: Int64, ids: [String], status: Int)] = []
    var second = start.seconds
    while !outbox.isIdle, second < start.seconds + 400_000 {
      let now = Timestamp(seconds: second)
      for answer in answers where answer.at <= second {
        outbox.finish(answer.ids, DeliveryOutcome(status: answer.status, retryAfter: .seconds(5)), at: now)
      }
      answers.removeAll { $0.at <= second }
      let taken = outbox.take(200, at: now)
      let lanes = taken.compactMap(\.lane)
      #expect(Set(lanes).count == lanes.count, "seed \(seed)")
      for batch in Outbox.batches(taken, of: format.largestBatch) {
        let request = try format.request(batch.map(\.payload), names: names, at: now)
        if let (status, delay) = receiver.receive(batch.map(\.payload)) {
          answers.append((second + delay, request.events, status))
        }
      }
      second += 1
    }
    #expect(outbox.isIdle, "seed \(seed)")
    #expect(outbox.deadLetters.isEmpty, "seed \(seed)")
    let reconciled = PushReconciliation(settled: events, there: receiver.accepted)
    #expect(reconciled.differences.isEmpty, "seed \(seed)")
    #expect(reconciled.settled == settled + 600)
    #expect(reconciled.there == settled + 600)
  }

  @Test("what no attempt can deliver is a dead letter, alone of its batch, and can be replayed")
  func deadLetters() throws {
    var outbox = Outbox<Int>(schedule: RetrySchedule(first: .seconds(1), longest: .seconds(8), attempts: 3, timeout: .seconds(5)))
    let start = Timestamp(seconds: 0)
    for id in ["a", "b", "c"] { _ = outbox.add(id, 0, at: start) }
    outbox.finish(outbox.take(9, at: start).map(\.id), DeliveryOutcome(status: 422), at: start)
    #expect(outbox.deadLetters.isEmpty)
    let single = Outbox.batches(outbox.take(9, at: start), of: 100)
    #expect(single.map(\.count) == [1, 1, 1])
    for batch in single {
      outbox.finish(batch.map(\.id), batch[0].id == "b" ? .refused("status 422") : .accepted, at: start)
    }
    #expect(outbox.deadLetters.map(\.id) == ["b"])
    #expect(outbox.isIdle)
    let replayed = outbox.replay("b", at: start)
    #expect(replayed)
    // Silence: three attempts, each given up after five seconds, with waits of one and two seconds between.
    var starts: [Int64] = []
    for second in Int64(0)..<40 where !outbox.take(9, at: Timestamp(seconds: second)).isEmpty { starts.append(second) }
    #expect(starts == [0, 6, 13])
    #expect(outbox.deadLetters.map(\.lastFailure) == ["no answer"])
    #expect(outbox.acknowledged.map(\.id) == ["a", "c"])
    let again = outbox.add("a", 1, at: start)
    #expect(!again)
  }

  @Test("after a restart what was in flight goes out again, and what was acknowledged or dead does not")
  func restart() {
    var outbox = Outbox<Int>()
    let start = Timestamp(seconds: 100)
    let states: [Outbox<Int>.State] = [
      .inFlight(since: start), .acknowledged(start), .dead(reason: "status 422"), .pending(from: Timestamp(seconds: 200)),
    ]
    for (index, state) in states.enumerated() {
      let isNew = outbox.restore("\(index)", index, state: state, attempts: 1)
      #expect(isNew)
    }
    let isTwice = outbox.restore("0", 0, state: .pending(from: start), attempts: 0)
    #expect(!isTwice)
    #expect(outbox.take(9, at: start).map(\.id) == ["0"])
    #expect(outbox.take(9, at: Timestamp(seconds: 200)).map(\.id) == ["3"])
    #expect(outbox.deadLetters.map(\.id) == ["2"])
    #expect(outbox.acknowledged.map(\.id) == ["1"])
  }

  @Test("reconciliation lists what is missing, unknown or different")
  func reconciliation() throws {
    var windows = try #require(MeterWindows(origin: "n", digest: tellApart))
    try windows.add(settledLine(1, second: 0, tokens: 5))
    let events = windows.close(before: Timestamp(seconds: 1_790_000_100))
    let found = PushReconciliation(settled: events, there: [events[0].id: 6, "other": 1])
    #expect(
      found.differences == [
        .different(events[0].id, settled: 5, there: 6), .missing(events[1].id, quantity: 1), .unknown("other", quantity: 1),
      ])
  }
}

@Suite("Webhooks")
struct WebhookTests {
  private let hmac: KeyedDigestFunction = { key, message in tellApart(key + [0] + message) }

  @Test("a signature holds for its body, secret and time only")
  func signature() throws {
    let now = Timestamp(seconds: 1_790_000_000)
    let hook = Webhook(
      id: DeliveryID(1), kind: .balanceLow, customer: CustomerID(2), created: now, data: ["balance": "4.99", "currency": "EUR"])
    let header = try #require(hook.headers(secret: [1], at: now, hmac: self.hmac).last).value
    func accepts(_ header: String, _ body: [UInt8], _ secret: [UInt8], _ seconds: Int64) -> Bool {
      WebhookSignature.accepts(header, body, secret: secret, at: Timestamp(seconds: seconds), hmac: self.hmac)
    }
    #expect(accepts(header, hook.body, [1], 1_790_000_300))
    #expect(!accepts(header, hook.body, [1], 1_790_000_301))
    #expect(!accepts(header, hook.body, [2], 1_790_000_000))
    #expect(!accepts(header, hook.body + [32], [1], 1_790_000_000))
    for wrong in ["", "t=1", "t=,v1=", "t=9223372036854775807,v1=00", header + ",v1=0"] {
      #expect(!accepts(wrong, hook.body, [1], 1_790_000_000))
    }
    let body = try Document.parseJSON(hook.body)
    #expect(JSON(body)["type"] == "balance.low")
  }

  @Test("a falling balance is told once a mark, and again after it rose")
  func balances() throws {
    let euro = try currency("EUR")
    func money(_ units: Int128) -> Money { Money(NanoAmount(units * 1_000_000_000), euro) }
    var watch = BalanceWatch(marks: [money(10), money(5)])
    let told = [20, 10, 9, 5, 1, 0, -1, 30, 4].map { watch.observe(CustomerID(1), money($0))?.mark.amount.nano }
    #expect(told.map { $0.map { $0 / 1_000_000_000 } } == [nil, 10, nil, 5, nil, 0, nil, nil, 5])
  }

  @Test("a budget is told once a step and month")
  func budgets() throws {
    let euro = try currency("EUR")
    let october = try #require(CalendarMonth("2026-10"))
    var watch = BudgetWatch()
    let told = [10, 50, 60, 95, 95, 120].map {
      watch.observe(
        CustomerID(1), spent: Money(NanoAmount($0), euro), of: Money(NanoAmount(100), euro), in: october)?.percent
    }
    #expect(told == [nil, 50, nil, 90, nil, 100])
    let next = watch.observe(
      CustomerID(1), spent: Money(NanoAmount(50), euro), of: Money(NanoAmount(100), euro), in: october.next)
    #expect(next?.percent == 50)
  }
}
