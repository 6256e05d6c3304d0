import Billing
import GovernanceTypes
import Testing

@Suite("Usage tables: CSV and JSON Lines")
struct UsageTableTests {
  private func csv(_ line: UsageLine) -> String {
    var bytes: [UInt8] = []
    var table = UsageCSV()
    table.append(line, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private func json(_ line: UsageLine) -> String {
    var bytes: [UInt8] = []
    UsageJSONLines.append(line, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("a request is one row under the header")
  func row() throws {
    #expect(
      String(decoding: UsageCSV.header, as: UTF8.self) == """
        usage,customer,project,key,model,currency,amount,amount_nano,prompt_uncached,prompt_cached,completion,training,\
        undelivered,finish,settlement_policy,usage_source,decision,price,held_at,settled_at

        """)
    #expect(
      csv(try sampleLine(price: samplePrice())) == """
        usg_00000000000000000000000001,cus_00000000000000000000000002,prj_00000000000000000000000003,\
        key_00000000000000000000000004,llama-2-7b-chat,USD,0.000284751,284751,1234,100,57,0,8,stop,delivered,engine_counted,\
        dec_00000000000000000000000005,pri_00000000000000000000000006,2026-11-30T23:59:59.999Z,2026-12-01T00:00:03.050Z

        """)
  }

  @Test("a request is one object on one line")
  func object() throws {
    #expect(
      json(try sampleLine(price: samplePrice(), project: nil, model: "a\"\\\n\u{1}\u{1F}é/")) == #"""
        {"usage":"usg_00000000000000000000000001","customer":"cus_00000000000000000000000002","project":null,\#
        "key":"key_00000000000000000000000004","model":"a\"\\\n\u0001\u001fé/","currency":"USD","amount":"0.000284751",\#
        "amount_nano":"284751","prompt_uncached":1234,"prompt_cached":100,"completion":57,"training":0,"undelivered":8,\#
        "finish":"stop","settlement_policy":"delivered","usage_source":"engine_counted",\#
        "decision":"dec_00000000000000000000000005","price":"pri_00000000000000000000000006",\#
        "held_at":"2026-11-30T23:59:59.999Z","settled_at":"2026-12-01T00:00:03.050Z"}

        """#)
  }

  @Test("a row is the same among others as alone, whatever changes from row to row")
  func among() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    var random = SplitMix64(seed: seed)
    var table = UsageCSV()
    let sample = try sampleLine(price: samplePrice())
    for number in 0..<500 {
      var line = sample
      line.usage = UsageID(UInt128(number))
      line.model = ModelID(Bool.random(using: &random) ? "a,b" : "llama")
      line.currency = try currency(Bool.random(using: &random) ? "USD" : "EUR")
      line.finish = Bool.random(using: &random) ? "stop" : "length"
      line.settlementPolicy = Bool.random(using: &random) ? "delivered" : "produced"
      line.usageSource = Bool.random(using: &random) ? "engine_counted" : "upstream_reported"
      line.price = PriceID(UInt128.random(in: 1...2, using: &random))
      if Bool.random(using: &random) { line.project = nil }
      var bytes: [UInt8] = []
      table.append(line, to: &bytes)
      try #require(String(decoding: bytes, as: UTF8.self) == csv(line), "seed \(seed), row \(number)")
    }
  }

  @Test("what a request does not have is empty in CSV and null in JSON")
  func absent() throws {
    let line = try sampleLine(price: samplePrice(), project: nil, decision: nil)
    let fields = try #require(readCSV(Array(csv(line).utf8))?.first)
    #expect(fields[2].isEmpty && fields[16].isEmpty)
    #expect(json(line).contains("\"project\":null,") && json(line).contains("\"decision\":null,"))
  }

  @Test("a model named as a formula is defused in CSV and exact in JSON")
  func formula() throws {
    let line = try sampleLine(price: samplePrice(), model: "=HYPERLINK(\"http://x\",\"y\")")
    #expect(csv(line).contains(#","'=HYPERLINK(""http://x"",""y"")","#))
    #expect(json(line).contains(#""model":"=HYPERLINK(\"http://x\",\"y\")""#))
  }

  @Test("cells are what the types' descriptions say, at every size", arguments: [UInt64(2), 77])
  func descriptions(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let edges: [Int128] = [
      0, 1, -1, 10_000_000, 999_999_999, 1_000_000_000, Int128(UInt64.max), Int128(UInt64.max) + 1, .max, .min, .min + 1,
    ]
    for round in 0..<2_000 {
      var line = try sampleLine(price: samplePrice())
      let wide = UInt128(random.next()) << 64 | UInt128(random.next())
      line.usage = UsageID(round == 0 ? .max : wide)
      let amount = Int128(truncatingIfNeeded: wide) >> Int128(Int.random(in: 0...127, using: &random))
      line.amount = NanoAmount(round < edges.count ? edges[round] : amount)
      line.heldAt = Timestamp(
        nanoseconds: Int64.random(in: -9_000_000_000_000_000_000...9_000_000_000_000_000_000, using: &random))
      line.tokens.training = TokenCount(Int(random.next() >> UInt64.random(in: 14...63, using: &random)))
      let fields = try #require(readCSV(Array(csv(line).utf8))?.first)
      let wanted = [
        line.usage.description, line.amount.description, String(line.amount.nano), line.tokens.training.description,
        line.heldAt.description,
      ]
      try #require([fields[0], fields[6], fields[7], fields[11], fields[18]] == wanted, "seed \(seed) round \(round)")
    }
  }

  @Test(
    "no instant is beyond writing",
    arguments: [
      (Int64.min, "1677-09-21T00:12:43.145Z"), (-1, "1969-12-31T23:59:59.999Z"), (0, "1970-01-01T00:00:00.000Z"),
      (Int64.max, "2262-04-11T23:47:16.854Z"),
    ])
  func instants(nanoseconds: Int64, wanted: String) throws {
    var line = try sampleLine(price: samplePrice())
    line.settledAt = Timestamp(nanoseconds: nanoseconds)
    #expect(csv(line).hasSuffix(",\(wanted)\n"))
  }
}
