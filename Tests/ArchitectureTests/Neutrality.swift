/// Code knows no license by name, and no machine by path.
enum Neutrality {
  /// What a term file calls its license and its licensors.
  struct LicenseNames: Sendable {
    var ids: [String]
    var licensors: [String]

    /// - Parameter files: The texts of `terms.yaml` by the name of their folder.
    init(_ files: [(folder: String, text: String)]) {
      self.ids = files.map(\.folder)
      self.licensors = Set(files.flatMap { Self.licensors(in: $0.text) }).sorted()
    }

    /// The values of `name` in the section `licensor`.
    static func licensors(in text: String) -> [String] {
      var isInside = false
      var names: [String] = []
      for line in text.split(separator: "\n") {
        if let first = line.first, first != " ", first != "-", first != "#" { isInside = line.hasPrefix("licensor:") }
        guard isInside, let match = line.firstMatch(of: /\bname:\s*(?:"([^"]+)"|'([^']+)'|([^,}#]+))/) else { continue }
        let name = match.1 ?? match.2 ?? match.3 ?? ""
        names.append(String(name).trimmingSpaces)
      }
      return names.filter { !$0.isEmpty }
    }
  }

  /// Files that may name a license, each with the reason.
  static let allowed = [
    "Sources/GatewayApp/Configuration/ExampleConfiguration.swift": "the text of an example, which decides nothing"
  ]

  /// Lines of code or comment that name a license or a licensor.
  static func findings(in sources: [SourceFile], names: LicenseNames) -> [Finding] {
    let wanted = names.ids + names.licensors
    return sources.filter { Self.allowed[$0.path] == nil }.flatMap { file in
      file.lines.enumerated().flatMap { index, line -> [Finding] in
        let line = line.lowercased()
        return wanted.filter { contains(line, word: $0.lowercased()) }
          .map { Finding(file.path, index + 1, "names '\($0)'; licenses are told apart by their term files alone") }
      }
    }
  }

  /// Paths that exist on one machine only.
  static func machinePaths(in texts: [(path: String, text: String)]) -> [Finding] {
    let roots = ["work", "home", "Users", "root"].map { "/\($0)/" }
    return texts.flatMap { file in
      file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { index, line in
        roots.filter { root in standsAlone(root, in: String(line)) }.map {
          Finding(file.path, index + 1, "names the machine path \($0)")
        }
      }
    }
  }

  /// Whether `word` stands in `line` with nothing beside it that could belong to a longer name.
  static func contains(_ line: String, word: String) -> Bool {
    line.ranges(of: word).contains { range in
      let before = range.lowerBound == line.startIndex ? nil : line[line.index(before: range.lowerBound)]
      let after = range.upperBound == line.endIndex ? nil : line[range.upperBound]
      return !isNamePart(before) && !isNamePart(after)
    }
  }

  private static func isNamePart(_ character: Character?) -> Bool {
    character.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" } ?? false
  }

  /// A path is absolute where nothing of a name, a URL or a longer path stands before it.
  private static func standsAlone(_ root: String, in line: String) -> Bool {
    line.ranges(of: root).contains { range in
      guard range.lowerBound != line.startIndex else { return true }
      let before = line[line.index(before: range.lowerBound)]
      return !(before.isLetter || before.isNumber || "._-}*/".contains(before))
    }
  }
}

extension String {
  var trimmingSpaces: String {
    String(self.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
