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
    let (fact, threshold) = try #require(file.groupThresholds.first { $0.fact.key == "party.mau.2023-06" })
    #expect(threshold.countsAffiliates && threshold.entitiesAsOf == CalendarDay("2023-07-18"))
    let control = try #require(threshold.control(of: file))
    #expect(control == .above(try #require(Self.half)))
    let graph = AffiliateGraph(try [Self.edge("top", "a", "0.6"), Self.edge("top", "b", "0.7", "2023-08-01")])
    func sheet(_ value: FactValue?, _ reference: String) -> FactSheet {
      FactSheet(
        value.map {
          [
            Fact(
              key: fact.key, value: $0, source: .attestation, reference: reference, recordedAt: RandomFacts.time,
              expires: RandomFacts.time.advanced(by: .seconds(60)))
          ]
        } ?? [])
    }
    func group(_ day: CalendarDay, _ sheets: [String: FactSheet]) throws -> GroupQuantity {
      try #require(
        graph.rollUp(
          fact, of: "a", terms: file, groupAsOf: day, control: control, at: RandomFacts.time, facts: { sheets[$0] ?? .empty }))
    }
    let sheets = [
      "a": sheet(.interval(lower: 5, upper: 10), "ra"), "top": sheet(.interval(lower: nil, upper: 30), "rt"),
      "b": sheet(.interval(lower: 50, upper: nil), "rb"),
    ]
    let then = try group(try #require(threshold.entitiesAsOf), sheets)
    #expect(then.members == ["a", "top"] && then.value == .interval(lower: 5, upper: 40) && then.unknown.isEmpty)
    #expect(then.references == ["ra", "rt"] && then.until == RandomFacts.time.advanced(by: .seconds(60)))
    let now = try group(RandomFacts.time.day, sheets)
    #expect(now.members == ["a", "b", "top"] && now.value == .interval(lower: 50, upper: nil) && now.unknown == ["b"])
    #expect(try group(RandomFacts.time.day, [:]).value == nil)
    #expect(try group(RandomFacts.time.day, [:]).unknown == ["a", "b", "top"])
    let huge = [
      "a": sheet(.interval(lower: nil, upper: .max), "ra"), "top": sheet(.interval(lower: nil, upper: 1), "rt"),
    ]
    #expect(try group(try #require(threshold.entitiesAsOf), huge).upper == nil)
  }
}
