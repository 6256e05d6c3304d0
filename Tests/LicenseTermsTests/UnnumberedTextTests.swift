import LicenseTerms
import Testing

/// Texts whose sections bear no numbers: what stands in for the numbers is told for each, and a text of which nothing is told fails.
@Suite("Term files and texts without numbers", .enabled(if: SourceTexts.areThere, SourceTexts.absence))
struct UnnumberedTextTests {
  /// How the sections of a text are told apart.
  private enum Shape {
    /// Nested bullets: the first is section 1, its second part 1b, the third of that 1b-iii.
    case bullets
    /// The same by indents of four, from behind the line that begins with these words; the ids have this prefix.
    case indents(after: String, prefix: String)
    /// By indents of four: the first is 1, its second part 1.2.
    case decimals(after: String)
    /// Headings in capitals, which count as I, II, III.
    case capitals
    /// Paragraphs, but for the title: as many as the file has sections.
    case paragraphs
    /// Numbered clauses with others left out between them.
    case excerpt
    /// One sentence that names another place, accounted for as a whole by this section.
    case whole(String)
  }

  private static let shapes: [String: Shape] = [
    "code-llama license-pointer": .whole("pointers"), "code-llama use-policy-pointer": .whole("pointers"),
    "dbrx notice": .whole("2.2"),
    "gemma prohibited-use-policy": .indents(after: "You may not use", prefix: "gemma-"), "kimi-k2 license": .paragraphs,
    "llama-3.1 acceptable-use-policy": .bullets, "llama-guard-3 acceptable-use-policy-llama-3.1": .bullets,
    "mistral-research license-excerpt": .excerpt,
    "nvidia-open-model license": .decimals(after: "By using, reproducing"), "stability-community license": .capitals,
  ]

  @Test("every section of a text without numbers is accounted for, and no such text is passed over")
  func sections() throws {
    let files = try ShippedLicenseTests.terms(in: "Licenses")
    let texts = try SourceTexts.all(sizes: Set(files.flatMap(\.documents).flatMap(\.accepted).map(\.bytes)))
    var seen: Set<String> = []
    for file in files {
      let own = file.sections.map { section in section.split(separator: "/").last.map(String.init) ?? section }
      for document in file.documents where document.role != "code-license" {
        guard let body = texts.first(where: { $0.isCopy(of: document) })?.body else { continue }
        let text = String(decoding: body, as: UTF8.self)
        guard Headings(text).paths.count < 2 else { continue }
        let name = "\(file.id) \(document.role)"
        let shape = try #require(Self.shapes[name], "\(name): nothing is told of how its sections are told apart")
        seen.insert(name)
        #expect(self.missing(in: text, shape, own) == [], "\(name)")
      }
    }
    #expect(seen == Set(Self.shapes.keys))
  }

  private func missing(in text: String, _ shape: Shape, _ own: [String]) -> [String] {
    let lines = text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }
    switch shape {
    case .whole(let section): return own.contains(section) && lines.count < 8 ? [] : [section]
    case .excerpt:
      let clauses = text.matches(of: /(?:^|\s)(\d\.\d)\.\s/).map { String($0.1) }
      return clauses.count < 5 ? ["clauses"] : clauses.filter { !own.contains($0) }
    case .paragraphs:
      let paragraphs = text.split(separator: "\n\n").filter { !$0.allSatisfy(\.isWhitespace) }
      return paragraphs.count - 1 == own.count ? [] : ["\(paragraphs.count - 1) paragraphs, \(own.count) sections"]
    case .capitals:
      let headings = lines.filter { $0.hasPrefix("    ") && !$0.contains { $0.isLowercase } }
      let missing = headings.indices.map { roman($0 + 1).uppercased() }.filter { numeral in
        !own.contains { $0 == numeral || $0.hasPrefix("\(numeral).") }
      }
      return headings.count < 3 ? ["headings"] : missing
    case .bullets:
      let items = lines.filter { $0.drop { $0 == " " }.hasPrefix("* ") }
      // The list of addresses at the end is one section of its own.
      let policy = items.prefix { !$0.hasPrefix("* Reporting") }
      guard policy.count > 20, own.contains("reporting") || policy.count == items.count else { return ["bullets"] }
      return ids(of: policy.map(depth)).filter { !own.contains($0) }
    case .indents(let words, let prefix):
      let items = lines.drop { !$0.hasPrefix(words) }.dropFirst().filter { $0.hasPrefix("    ") }
      return items.count > 20 ? ids(of: items.map { depth($0) - 1 }).map { prefix + $0 }.filter { !own.contains($0) } : ["items"]
    case .decimals(let words):
      let items = lines.drop { !$0.hasPrefix(words) }.dropFirst().filter { $0.hasPrefix("    ") }
      guard items.count > 8 else { return ["items"] }
      return decimals(of: items.map { depth($0) - 1 }).filter { id in
        // A heading is accounted for by its parts, and a list of definitions by its heading.
        let parent = String(id.prefix { $0 != "." })
        let isByParent = own.contains(parent) && !own.contains { $0.hasPrefix("\(parent).") }
        return !own.contains(id) && !isByParent && !own.contains { $0.hasPrefix("\(id).") }
      }
    }
  }

  private func depth(_ line: String) -> Int { line.prefix { $0 == " " }.count / 4 }

  /// `1`, `1a`, `1a-i` by the depths of items.
  private func ids(of depths: [Int]) -> [String] {
    self.counted(depths).map { counts in
      var id = "\(counts[0])"
      if counts.count > 1 { id += String(UnicodeScalar(UInt8(96 + counts[1]))) }
      if counts.count > 2 { id += "-" + roman(counts[2]) }
      return id
    }
  }

  private func decimals(of depths: [Int]) -> [String] {
    self.counted(depths).map { $0.prefix(2).map(String.init).joined(separator: ".") }
  }

  /// The numbers of each item and of those that it stands under.
  private func counted(_ depths: [Int]) -> [[Int]] {
    var counts: [Int] = []
    return depths.map { depth in
      counts = Array(counts.prefix(depth + 1))
      while counts.count < depth { counts.append(1) }
      if counts.count == depth { counts.append(1) } else { counts[depth] += 1 }
      return counts
    }
  }

  private func roman(_ number: Int) -> String {
    let tens = String(repeating: "x", count: number / 10)
    return tens + ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"][number % 10]
  }

  @Test("the outline is told by depth")
  func outline() {
    #expect(self.ids(of: [0, 1, 2, 2, 1, 0, 1]) == ["1", "1a", "1a-i", "1a-ii", "1b", "2", "2a"])
    #expect(self.decimals(of: [0, 0, 1, 1, 0]) == ["1", "2", "2.1", "2.2", "3"])
    #expect((1...10).map(self.roman) == ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"])
  }
}
