import Foundation
import Testing

/// Documents that speak of what exists: links that lead somewhere, error codes that are all explained.
@Suite("documents")
struct DocumentationTests {
  static func pages() throws -> [String] {
    let roots = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].filter(Repository.exists)
    return roots + (try Repository.files(under: "docs").filter { $0.hasSuffix(".md") })
  }

  @Test("every relative link leads to a file, and every anchor to a heading")
  func links() throws {
    var broken: [Finding] = []
    for page in try Self.pages() {
      for (index, line) in try Repository.text(page).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        for match in line.matches(of: /\]\(([^)\s]+)\)/) where !match.1.contains("://") && !match.1.hasPrefix("mailto:") {
          if try !Self.exists(String(match.1), from: page) {
            broken.append(Finding(page, index + 1, "leads nowhere: \(match.1)"))
          }
        }
      }
    }
    #expect(broken.report == "")
  }

  private static func exists(_ link: String, from page: String) throws -> Bool {
    let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let folder = URL(filePath: "/\(page)").deletingLastPathComponent()
    let path = parts[0].isEmpty ? page : String(folder.appending(path: parts[0]).standardizedFileURL.path.dropFirst())
    guard Repository.exists(path) else { return false }
    guard parts.count == 2, path.hasSuffix(".md") else { return true }
    let headings = try Repository.text(path).split(separator: "\n").filter { $0.hasPrefix("#") }
    return headings.contains { Self.anchor($0) == parts[1] }
  }

  /// The anchor that GitHub gives a heading.
  private static func anchor(_ heading: Substring) -> String {
    heading.drop { $0 == "#" || $0 == " " }.lowercased().filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" }
      .map { $0 == " " ? "-" : String($0) }.joined()
  }

  @Test("every error code is explained")
  func errorCodes() throws {
    let source = try Repository.text("Sources/Governance/Refusal.swift")
    let start = try #require(source.firstRange(of: "enum Code"))
    let body = source[start.upperBound...].prefix { $0 != "}" }
    let codes = body.matches(of: /case (\w+)(?: = "(\w+)")?/).map { String($0.2 ?? $0.1) }
    try #require(codes.count > 10)
    let page = try Repository.text("docs/http-errors.md")
    #expect(codes.filter { !page.contains("`\($0)`") } == [])
  }

  @Test("every key of the configuration is in the example")
  func configurationKeys() throws {
    let source = try Repository.text("Sources/GatewayApp/Configuration/GatewayConfiguration.swift")
    let reads = source.matches(
      of: /\.(?:optional)?(?:reader|string|strings|integer|bool|list|Reader|String|Integer|Bool)\("(\w+)"/)
    let keys = Set(reads.map { String($0.1) }).subtracting(["engines"])
    try #require(keys.count > 10)
    let example = try Repository.text("deploy/weighbridge.example.yaml")
    #expect(keys.filter { !example.contains("\($0):") }.sorted() == [])
  }
}
