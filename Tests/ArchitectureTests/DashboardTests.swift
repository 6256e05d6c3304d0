import Testing

/// Metrics by name: what the sources export, what `METRICS.txt` lists, what the dashboard and the alert rules ask for.
@Suite("dashboards")
struct DashboardTests {
  /// Families by name and type, as `METRICS.txt` has them.
  static func listed() throws -> [String: String] {
    let lines = try Repository.text("Dashboards/METRICS.txt").split(separator: "\n").filter { !$0.hasPrefix("#") }
    let words = lines.map { $0.split(separator: " ").map(String.init) }
    return Dictionary(words.map { ($0[0], $0.count > 1 ? $0[1] : "") }) { first, _ in first }
  }

  @Test("METRICS.txt lists what the sources export")
  func exported() throws {
    let page = try Repository.sources().filter { $0.target == "GatewayApp" }.flatMap(\.lines).joined(separator: "\n")
    let exported = page.matches(of: /family\(\s*"(weighbridge_\w+)",\s*\.(\w+)/).map { (String($0.1), String($0.2)) }
    try #require(!exported.isEmpty)
    #expect(Dictionary(exported) { first, _ in first } == (try Self.listed()))
  }

  @Test("no panel and no rule asks for a metric that does not exist", arguments: ["weighbridge.json", "alerts.yml"])
  func asked(file: String) throws {
    let listed = try Self.listed()
    let names = Set(try Repository.text("Dashboards/\(file)").matches(of: /\bweighbridge_\w+/).map { String($0.0) })
    try #require(!names.isEmpty)
    let unknown = names.filter { name in
      if let kind = listed[name] { return kind == "histogram" }
      return !["_bucket", "_sum", "_count"].contains {
        name.hasSuffix($0) && listed[String(name.dropLast($0.count))] == "histogram"
      }
    }
    #expect(unknown.sorted() == [])
  }
}
