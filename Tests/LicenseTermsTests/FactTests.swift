import Documents
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

@Suite("Facts")
struct FactTests {
  private static let file = """
    schema: model-terms/1
    id: f
    revision: 1
    title: T
    status: in-force
    facts:
      a.bool: {type: bool, subject: party, source: [attestation], statement: S.}
      a.count: {type: count, subject: party, source: [attestation, measured], statement: S.}
      a.money: {type: money, currency: EUR, subject: party, source: [attestation], statement: S.}
      a.enum: {type: enum, values: [x, y], subject: party, source: [attestation], statement: S.}
      a.set: {type: set, subject: party, source: [attestation], statement: S.}
      a.region: {type: region, subject: party, source: [attestation], statement: S.}
      a.date: {type: date, subject: party, source: [attestation], statement: S.}
      a.digest: {type: digest, subject: party, source: [config]}
      a.text: {type: text, subject: party, source: [config]}
    clauses:
      - id: c
        ref: "1"
        kind: condition
        summary: S.
        binds: [customer]
        require:
          all:
            - {fact: a.bool, is: true}
            - {threshold: {metric: monthly_active_users, fact: a.count, entities: {include: [licensee]},
                period: {anchor: any_time}, limit: {below: 10}}}
            - {threshold: {metric: revenue, fact: a.money, entities: {include: [licensee]}, period: {anchor: any_time},
                limit: {at_most: "0.10"}}}
            - {fact: a.enum, in: [y]}
            - {not: {fact: a.set, intersects: [bad, worse]}}
            - {not: {fact: a.region, in: [EEA, CH]}}
            - {fact: a.date, present: true}
            - {not: {fact: a.text, is: bad}}
            - {fact: a.digest, present: true}
    sections: ["1"]
    """

  private func value(_ json: String, _ key: String) throws -> FactValue {
    let file = try TestFiles.termFile(text: Self.file)
    let declaration = try #require(file.facts.first { $0.key == key })
    return try FactValue(Document.parseJSON(Array(json.utf8)), for: declaration)
  }

  @Test(
    "values of attestations",
    arguments: [
      ("a.bool", "true", .bool(true)), ("a.count", "5", .interval(lower: 5, upper: 5)),
      ("a.count", #"{"upper":1000000}"#, .interval(lower: nil, upper: 1_000_000)),
      ("a.count", #"{"lower":0,"upper":9223372036854775807}"#, .interval(lower: 0, upper: 9_223_372_036_854_775_807)),
      ("a.money", #"{"upper":"0.05"}"#, .interval(lower: nil, upper: 50_000_000)),
      ("a.money", "12", .interval(lower: 12_000_000_000, upper: 12_000_000_000)),
      ("a.enum", #""x""#, .choice("x")), ("a.set", #"["b","a","b"]"#, .set(["a", "b"])), ("a.set", "[]", .set([])),
      ("a.region", #""de""#, .region("DE")), ("a.text", #""free""#, .text("free")),
    ] as [(String, String, FactValue)])
  func values(key: String, json: String, value: FactValue) throws {
    #expect(try self.value(json, key) == value)
  }

  @Test(
    "values that are refused",
    arguments: [
      ("a.bool", "1"), ("a.bool", #""true""#), ("a.bool", "null"), ("a.count", "-1"), ("a.count", "1.5"), ("a.count", "1e3"),
      ("a.count", "9223372036854775808"), ("a.count", #""5""#), ("a.count", "{}"), ("a.count", #"{"upper":1,"lower":2}"#),
      ("a.count", #"{"uper":1}"#), ("a.count", "[1]"), ("a.money", #""-1""#), ("a.money", #""1.0000000001""#), ("a.money", "1e2"),
      ("a.money", #""10000000000000000""#), ("a.enum", #""z""#), ("a.set", #""a""#), ("a.set", "[1]"), ("a.region", #""DEU""#),
      ("a.region", #""EU""#), ("a.region", #""UK""#), ("a.date", #""2026-02-30""#), ("a.digest", #""ab""#), ("a.text", "5"),
    ])
  func refused(key: String, json: String) throws {
    #expect(throws: DocumentError.self) { try self.value(json, key) }
  }

  @Test("Kleene's tables")
  func kleene() {
    let all = Truth.allCases
    for left in all {
      #expect(!(!left) == left)
      for right in all {
        #expect(left.and(right) == (all.firstIndex(of: left) ?? 0 < all.firstIndex(of: right) ?? 0 ? left : right))
        #expect(left.or(right) == !((!left).and(!right)))
      }
    }
  }

  @Test("regions and the other types decide; each missing one is asked for with a value that would do")
  func decide() throws {
    let file = try TestFiles.termFile(text: Self.file)
    let time = Timestamp(seconds: 1_000_000)
    func ask(_ facts: [Fact]) -> Standing {
      standing(
        of: StandingRequest(
          party: Party(id: "c", facts: FactSheet(facts)), operator: .empty, model: GovernedModel(name: "m", facts: .empty),
          terms: [file], at: time))
    }
    let empty = ask([])
    #expect(empty.verdict == .requireRecord)
    let suitable = Dictionary(uniqueKeysWithValues: empty.missing.map { ($0.fact, $0.suitable) })
    #expect(suitable["a.count"] == .interval(lower: nil, upper: 9))
    #expect(suitable["a.money"] == .interval(lower: nil, upper: 100_000_000))
    #expect(suitable["a.enum"] == .choice("y") && suitable["a.set"] == .set([]))
    #expect(empty.missing.first { $0.fact == "a.enum" }?.values == ["y"])
    #expect(Set(empty.missing.map(\.fact)) == Set(file.facts.map(\.key)))
    var facts = empty.missing.compactMap { row in
      row.suitable.map { Fact(key: row.fact, value: $0, source: .attestation, reference: "a", recordedAt: time) }
    }
    facts.append(Fact(key: "a.digest", value: .digest(file.digest), source: .config, reference: "c", recordedAt: time))
    facts.append(Fact(key: "a.text", value: .text("good"), source: .config, reference: "c", recordedAt: time))
    facts.append(Fact(key: "a.date", value: .day(time.day), source: .attestation, reference: "c", recordedAt: time))
    #expect(ask(facts).verdict == .allow, "\(ask(facts).deciding?.remedy ?? "")")
    for (region, verdict) in [("NO", Verdict.deny), ("CH", .deny), ("FR", .deny), ("GB", .allow), ("US", .allow)] {
      let moved =
        facts.filter { $0.key != "a.region" }
        + [Fact(key: "a.region", value: .region(region), source: .attestation, reference: "a", recordedAt: time)]
      #expect(ask(moved).verdict == verdict, "\(region)")
    }
    // A record from a source that was not declared is no record.
    let hearsay =
      facts.filter { $0.key != "a.bool" }
      + [Fact(key: "a.bool", value: .bool(true), source: .classifier, reference: "a", recordedAt: time)]
    #expect(ask(hearsay).missing.map(\.fact) == ["a.bool"])
  }

  @Test("the standing as JSON has the shape that clients rely on")
  func json() throws {
    let file = try TestFiles.termFile(TestFiles.terms)
    let result = standing(
      of: StandingRequest(
        party: Party(id: "cus_x", facts: .empty), operator: .empty, model: GovernedModel(name: "m", facts: .empty),
        terms: [file], at: RandomFacts.time))
    let json = result.json
    #expect(json["verdict"] == "require_record" && json["code"] == "license_not_accepted")
    guard case .array(let rows)? = json["missing"] else {
      Issue.record("no rows")
      return
    }
    #expect(rows.count == 11)
    let types = ["bool", "count", "money", "enum", "set", "region", "date", "text"].map { JSON.string($0) }
    for row in rows {
      #expect(row["subject"] == "operator" || row["subject"] == "cus_x")
      for member in ["fact", "clause", "ref", "remedy", "state"] {
        guard case .string(let text)? = row[member], !text.isEmpty else {
          Issue.record("no \(member)")
          continue
        }
      }
      #expect(row["type"].map(types.contains) == true)
    }
    // What is written can be read back, and is canonical: no floating point, no repeated key.
    let read = try Document.parseJSON(json.canonicalBytes)
    #expect(JSON(read).canonicalBytes == json.canonicalBytes)
    #expect(json["decided_by"]?["clause"] == "intro-accept" && json["decided_by"]?["state"] == "missing")
  }

  @Test(
    "what can be counted of a number is what its license means by it",
    arguments: [
      ("llama-2", "party.mau", [:], .usersOfMonths), ("llama-2", "party.mau.2023-06", [:], nil),
      ("llama-2", "party.mau", ["mau_month_zone": .text("+08:00")], nil), ("baichuan2", "party.dau_peak", [:], .usersOfDays),
      ("baichuan2", "party.dau", [:], .usersOfDays), ("baichuan2", "party.dau", ["dau_products": .text("any_one")], nil),
      ("kimi-k2", "product.mau", [:], nil), ("kimi-k2", "product.revenue.usd", [:], nil),
      ("bilibili-2025", "party.revenue.cny", [:], nil),
    ] as [(String, String, [String: ParameterValue], Measure?)])
  func measures(license: String, key: String, parameters: [String: ParameterValue], measure: Measure?) throws {
    let file = try TestFiles.termFile("Licenses/\(license)/terms.yaml")
    let fact = try #require(file.facts.first { $0.key == key })
    #expect(file.measure(of: fact, parameters: parameters) == measure)
  }
}
