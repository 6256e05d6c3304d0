internal import Documents
internal import Governance
internal import Hummingbird
internal import OpenAIWire

extension PublicRoutes {
  /// `POST /v1/moderations`: what the rules find in texts, in OpenAI's categories and in those of the term files.
  func moderations(_ request: Request) async throws -> Response {
    let read = try await self.read(request)
    let asked = try reading { () throws(DocumentError) in try ModerationRequest(read.document) }
    let results = self.gate.judge(asked.inputs).map(\.wire)
    return jsonResponse([
      "id": .string("modr-" + String(UInt64.random(in: .min ... .max), radix: 16)), "model": "weighbridge-rules",
      "results": .array(results),
    ])
  }
}

extension Judgement {
  /// OpenAI's categories, and the shared ones that each is made of.
  private static let categories: [(name: String, of: [String])] = [
    ("harassment", ["harassment", "defamation"]), ("harassment/threatening", ["harassment"]),
    ("hate", ["discrimination"]), ("hate/threatening", ["incitement"]),
    ("illicit", ["illegal", "fraud-disinformation", "drugs", "malware", "unlicensed-practice", "spam", "trafficking"]),
    ("illicit/violent", ["weapons", "military-nuclear", "violent-extremism"]), ("self-harm", ["self-harm"]),
    ("self-harm/instructions", ["self-harm"]), ("self-harm/intent", ["self-harm"]), ("sexual", ["sexual-solicitation"]),
    ("sexual/minors", ["child-safety"]), ("violence", ["violent-extremism", "incitement"]),
    ("violence/graphic", ["violent-extremism"]),
  ]

  fileprivate var wire: JSON {
    let rows = Self.categories.map { name, parts in
      (
        name: name, flagged: parts.contains { self.flaggedCategories.contains($0) },
        score: parts.map { self.scores[$0] ?? 0 }.max() ?? 0
      )
    }
    return [
      "flagged": .bool(self.flagged), "categories": .object(rows.map { JSONMember($0.name, .bool($0.flagged)) }),
      "category_scores": .object(rows.map { JSONMember($0.name, Self.fraction($0.score)) }),
      "category_applied_input_types": .object(rows.map { JSONMember($0.name, ["text"]) }),
      "weighbridge": [
        "scores": .object(self.scores.sorted { $0.key < $1.key }.map { JSONMember($0.key, Self.fraction($0.value)) }),
        "flagged": .array(self.flaggedCategories.sorted().map(JSON.string)),
      ],
    ]
  }

  /// Thousandths as a JSON number.
  private static func fraction(_ milli: Int) -> JSON {
    let rest = String(milli % 1000)
    return .number("\(milli / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)")
  }
}
