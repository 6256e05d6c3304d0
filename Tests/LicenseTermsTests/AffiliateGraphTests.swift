import Documents
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

@Suite("Affiliates")
struct AffiliateGraphTests {
  private static func edge(
    _ parent: String, _ child: String, _ share: String, _ from: String? = nil, _ until: String? = nil
  ) throws
    -> AffiliateEdge
  {
    AffiliateEdge(
      parent: parent, child: child, share: try #require(ControlShare(share)), from: from.flatMap { CalendarDay($0) },
      until: until.flatMap { CalendarDay($0) }, reference: "ref")
  }

  private static let day = CalendarDay(year: 2026, month: 11, day: 23)
  private static let half = ControlShare(millionths: 500_000)

  private func group(
    _ edges: [AffiliateEdge], of party: String, at day: String = "2026-11-23", atLeast: Bool = false
  ) throws
    -> [String]
  {
    let half = try #require(Self.half)
    return AffiliateGraph(edges).affiliates(
      of: party, at: try #require(CalendarDay(day)), control: atLeast ? .atLeast(half) : .above(half))
  }

  @Test(
    "shares are read exactly",
    arguments: [("0.5", 500_000), ("1", 1_000_000), ("0.500001", 500_001), ("0", 0), ("1.0", 1_000_000)])
  func shares(text: String, millionths: Int) throws {
    let share = try #require(ControlShare(text))
    #expect(share.millionths == millionths)
    #expect(ControlShare(share.description) == share)
  }

  @Test(
    "what is no share is refused", arguments: ["", ".5", "0.", "-0.1", "1.000001", "2", "0.1234567", "a", "0.5.1", "99999999999"])
  func noShares(text: String) { #expect(ControlShare(text) == nil) }

  @Test("parents, children and sisters are affiliates; exactly a half controls only where the rule says so")
  func kin() throws {
    let edges = try [
      Self.edge("top", "a", "0.6"), Self.edge("top", "b", "0.5"), Self.edge("a", "c", "0.51"), Self.edge("x", "a", "0.4"),
    ]
    #expect(try self.group(edges, of: "a") == ["c", "top"])
    #expect(try self.group(edges, of: "a", atLeast: true) == ["b", "c", "top"])
    #expect(try self.group(edges, of: "c") == ["a", "top"])
    #expect(try self.group(edges, of: "x").isEmpty)
    #expect(try self.group(edges, of: "nobody").isEmpty)
  }

  @Test("shares held through controlled companies add up; those of others do not")
  func joint() throws {
    let edges = try [
      Self.edge("top", "a", "0.9"), Self.edge("top", "b", "0.9"), Self.edge("a", "c", "0.3"), Self.edge("b", "c", "0.3"),
      Self.edge("a", "d", "0.3"), Self.edge("x", "d", "0.3"),
    ]
    #expect(try self.group(edges, of: "top") == ["a", "b", "c"])
    #expect(try self.group(edges, of: "c") == ["a", "b", "top"])
    #expect(try self.group(edges, of: "d").isEmpty)
  }

  @Test("a share counts from its first day up to, and without, its last")
  func dates() throws {
    let edges = try [Self.edge("top", "a", "1", "2024-01-01", "2025-01-01")]
    for (day, isGroup) in [("2023-12-31", false), ("2024-01-01", true), ("2024-12-31", true), ("2025-01-01", false)] {
      #expect(try self.group(edges, of: "a", at: day).isEmpty != isGroup, "\(day)")
    }
    let graph = AffiliateGraph(edges)
    #expect(graph.nextChange(after: try #require(CalendarDay("2023-01-01"))) == CalendarDay("2024-01-01"))
    #expect(graph.nextChange(after: try #require(CalendarDay("2024-06-01"))) == CalendarDay("2025-01-01"))
    #expect(graph.nextChange(after: try #require(CalendarDay("2025-06-01"))) == nil)
  }

  @Test("being affiliated is mutual below one top, and more shares never make a group smaller", arguments: [1, 2, 3] as [UInt64])
  func properties(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let names = (0..<9).map { "c\($0)" }
    for _ in 0..<60 {
      var edges: [AffiliateEdge] = []
      for _ in 0..<Int.random(in: 0...14, using: &random) {
        let share = try #require(ControlShare(millionths: Int.random(in: 0...1_000_000, using: &random)))
        edges.append(
          AffiliateEdge(
            parent: names.randomElement(using: &random) ?? "", child: names.randomElement(using: &random) ?? "", share: share,
            reference: "r"))
      }
      let party = names.randomElement(using: &random) ?? ""
      let before = try self.group(edges, of: party)
      #expect(!before.contains(party))
      for other in before {
        #expect(try self.group(edges, of: other).contains(party), "seed \(seed): \(party) and \(other)")
      }
      edges.append(try Self.edge(names.randomElement(using: &random) ?? "", names.randomElement(using: &random) ?? "", "0.7"))
      #expect(Set(before).isSubset(of: try self.group(edges, of: party)), "seed \(seed)")
      #expect(try self.group(edges.shuffled(using: &random), of: party) == self.group(edges, of: party), "seed \(seed)")
    }
  }

  @Test("a group's number: upper bounds add, an unknown one leaves it open, the greatest lower bound stands")
  func rollUp() throws {
    let file = try TestFiles.termFile(TestFiles.terms)
    // The one is of the group on the day of the license's release, the other of the group as it is now.
    let then = try #require(file.facts.first { $0.key == "party.mau.2023-06" })
    let now = try #require(file.facts.first { $0.key == "party.mau" })
    let control = ControlRule.above(try #require(Self.half))
    #expect(file.groupings(of: then) == [AffiliateGrouping(control: control, asOf: CalendarDay("2023-07-18"))])
    #expect(file.groupings(of: now) == [AffiliateGrouping(control: control)])
    let graph = AffiliateGraph(try [Self.edge("top", "a", "0.6"), Self.edge("top", "b", "0.7", "2023-08-01")])
    func group(_ fact: FactDeclaration, _ values: [String: FactValue]) throws -> GroupQuantity {
      let key = file.externalKey(for: fact, at: RandomFacts.time)
      let end = RandomFacts.time.advanced(by: .seconds(60))
      return try #require(
        graph.rollUp(fact, of: "a", terms: file, at: RandomFacts.time) { member in
          FactSheet(
            values[member].map {
              [
                Fact(
                  key: key, value: $0, source: .attestation, reference: "r\(member)", recordedAt: RandomFacts.time, expires: end)
              ]
            } ?? [])
        })
    }
    let values: [String: FactValue] = [
      "a": .interval(lower: 5, upper: 10), "top": .interval(lower: nil, upper: 30), "b": .interval(lower: 50, upper: nil),
    ]
    let first = try group(then, values)
    #expect(first.members == ["a", "top"] && first.value == .interval(lower: 5, upper: 40) && first.unknown.isEmpty)
    #expect(first.references == ["ra", "rtop"] && first.until == RandomFacts.time.advanced(by: .seconds(60)))
    let second = try group(now, values)
    #expect(second.members == ["a", "b", "top"] && second.value == .interval(lower: 50, upper: nil) && second.unknown == ["b"])
    #expect(try group(now, [:]).value == nil)
    #expect(try group(now, [:]).unknown == ["a", "b", "top"])
    let huge: [String: FactValue] = ["a": .interval(lower: nil, upper: .max), "top": .interval(lower: nil, upper: 1)]
    #expect(try group(then, huge).upper == nil)
  }

  @Test(
    "who is an affiliate is what the term file says: its own share, the operator's choice, or more than half",
    arguments: [
      ("control_over: 0.50", nil, "0.500000", false), ("control_over: 0.50", nil, "0.500001", true),
      ("control_at_least: 0.50", nil, "0.499999", false), ("control_at_least: 0.50", nil, "0.500000", true),
      ("control_over: 0.20", nil, "0.21", true), ("control_over: {param: affiliate_control_over}", "0.25", "0.26", true),
      ("control_over: {param: affiliate_control_over}", "0.25", "0.25", false),
      ("control_over: {param: affiliate_control_over}", nil, "0.5", false),
    ] as [(String, String?, String, Bool)])
  func ownDefinition(control: String, chosen: String?, share: String, isAffiliate: Bool) throws {
    let text = String(decoding: try TestFiles.bytes(TestFiles.terms), as: UTF8.self)
    let file = try TestFiles.termFile(
      text: text.replacing("control_over: {param: affiliate_control_over}}", with: "\(control)}")
        .replacing(
          control.contains("param")
            ? "no such line" : #"  affiliate_control_over:      {default: 0.50,  why: "'affiliates' is not defined"}"#,
          with: ""))
    let fact = try #require(file.facts.first { $0.key == "party.mau" })
    let parameters = chosen.map { ["affiliate_control_over": ParameterValue.text($0)] } ?? [:]
    let graph = AffiliateGraph([try Self.edge("top", "a", share)])
    let day = try #require(Self.day)
    let group = graph.group(of: "a", by: file.groupings(of: fact, parameters: parameters), on: day)
    #expect(group == (isAffiliate ? ["a", "top"] : ["a"]))
  }

  @Test(
    "a share that is none, or two of them, is no term file",
    arguments: ["control_over: 1.5", "control_at_least: half", "control_over: 0.5, control_at_least: 0.5"])
  func noShare(control: String) throws {
    let text = String(decoding: try TestFiles.bytes(TestFiles.terms), as: UTF8.self)
    let changed = text.replacing("control_over: {param: affiliate_control_over}}", with: "\(control)}")
    let error = #expect(throws: DocumentError.self) { try TestFiles.termFile(text: changed) }
    #expect(error?.description.contains("control_") == true, "\(String(describing: error))")
  }

  @Test("what another grouping counts together is counted once, and no affiliations leave the party alone")
  func groupings() throws {
    let graph = AffiliateGraph([
      try Self.edge("top", "a", "0.6", "2024-01-01"), try Self.edge("fund", "a", "0.3", nil, "2025-01-01"),
    ])
    let day = try #require(Self.day)
    let low = ControlRule.atLeast(try #require(ControlShare("0.3")))
    let both = [AffiliateGrouping.usual, AffiliateGrouping(control: low, asOf: CalendarDay("2024-06-01"))]
    #expect(graph.group(of: "a", by: [.usual], on: day) == ["a", "top"])
    #expect(graph.group(of: "a", by: both, on: day) == ["a", "fund", "top"])
    #expect(graph.group(of: "a", by: [], on: day) == ["a"])
    #expect(AffiliateGraph.empty.group(of: "a", by: both, on: day) == ["a"])
  }
}
