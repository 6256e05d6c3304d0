/// What `Package.swift` declares of one target, read from its text.
struct DeclaredTarget: Equatable, Sendable {
  let name: String
  let isTest: Bool
  let isSystemLibrary: Bool
  /// Our own targets.
  let own: Set<String>
  /// Products of other packages.
  let products: Set<String>
  /// Whether the settings that all of our Swift shares are applied.
  let isStrict: Bool
  /// The directory of its files.
  let path: String
}

/// A plain reading of `Package.swift`: enough for a manifest that lists its targets one by one.
struct PackageManifest {
  let targets: [DeclaredTarget]
  /// The text with comments blanked; strings are kept.
  private let text: String

  init(_ text: String) {
    let all = text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { line in line.firstMatch(of: /(?:^|\s)\/\/.*$/).map { String(line[..<$0.range.lowerBound]) } ?? String(line) }
      .joined(separator: "\n")
    self.text = all
    let products = Self.namedProducts(in: all)
    // A target is declared by PackageDescription's own functions, or by a function of the manifest that passes its name on.
    self.targets = all.matches(of: /(\.?)\b(target|executableTarget|testTarget|systemLibrary|layer|tests)\(/).compactMap {
      match in
      let body = enclosed(all[match.range.upperBound...], by: "(", ")")
      let kind = String(match.2)
      return match.1 == "." ? Self.declared(kind, body, products) : Self.shorthand(kind, body, products, in: all)
    }
  }

  /// `let hummingbird = Target.Dependency.product(name: "Hummingbird", …)`: the product's name by that of the constant.
  private static func namedProducts(in text: String) -> [String: String] {
    let constants = text.matches(of: /let\s+(\w+)\s*=\s*Target\.Dependency\.product\(name:\s*"([^"]+)"/)
    return Dictionary(constants.map { (String($0.1), String($0.2)) }) { first, _ in first }
  }

  private static func declared(_ kind: String, _ body: Substring, _ products: [String: String]) -> DeclaredTarget? {
    guard let name = string(of: "name", in: body) else { return nil }
    let list = body.firstRange(of: "dependencies: [").map { enclosed(body[$0.upperBound...], by: "[", "]") } ?? ""
    let dependencies = Self.dependencies(in: list, products)
    let isTest = kind == "testTarget"
    return DeclaredTarget(
      name: name, isTest: isTest, isSystemLibrary: kind == "systemLibrary", own: dependencies.own,
      products: dependencies.products,
      isStrict: body.contains("swiftSettings: strict"),
      path: string(of: "path", in: body) ?? "\(isTest ? "Tests" : "Sources")/\(name)")
  }

  /// `layer("Name", "Dependency", …)`: a function of the manifest makes the target.
  private static func shorthand(
    _ kind: String, _ body: Substring, _ products: [String: String], in text: String
  ) -> DeclaredTarget? {
    guard let match = body.prefixMatch(of: /\s*"([^"]+)"/) else { return nil }
    let dependencies = Self.dependencies(in: body[match.range.upperBound...], products)
    let function = text.firstRange(of: "func \(kind)(").map { text[$0.upperBound...].prefix { $0 != "}" } } ?? ""
    let isTest = function.contains(".testTarget(")
    return DeclaredTarget(
      name: String(match.1), isTest: isTest, isSystemLibrary: false, own: dependencies.own, products: dependencies.products,
      isStrict: function.contains("swiftSettings: strict"), path: "\(isTest ? "Tests" : "Sources")/\(match.1)")
  }

  private static func dependencies(
    in list: Substring, _ products: [String: String]
  ) -> (own: Set<String>, products: Set<String>) {
    let inline = list.matches(of: /\.product\(name:\s*"([^"]+)"/).map { String($0.1) }
    let rest = list.replacing(/\.product\([^)]*\)/, with: "")
    let named = rest.replacing(/"[^"]*"/, with: "").matches(of: /\w+/).compactMap { products[String($0.0)] }
    return (Set(rest.matches(of: /"([^"]+)"/).map { String($0.1) }), Set(inline + named))
  }

  /// The upcoming features that the settings called `strict` turn on, by their spelling.
  var upcomingFeatures: [String] {
    self.text.matches(of: /\.enableUpcomingFeature\("([^"]+)"\)/).map { String($0.1) }
  }
}

/// The text up to the bracket that closes the one before it.
private func enclosed(_ text: Substring, by open: Character, _ close: Character) -> Substring {
  var depth = 1
  for index in text.indices {
    if text[index] == open { depth += 1 }
    if text[index] == close { depth -= 1 }
    if depth == 0 { return text[..<index] }
  }
  return text
}

private func string(of label: String, in text: Substring) -> String? {
  guard let range = text.firstRange(of: "\(label): \"") else { return nil }
  return String(text[range.upperBound...].prefix { $0 != "\"" })
}

extension PackageManifest {
  /// Where the dependencies that are declared are not those that are imported, in both directions.
  func findings(in files: [SourceFile]) -> [Finding] {
    self.targets.filter { !$0.isSystemLibrary }.flatMap { target -> [Finding] in
      let mine = files.filter { $0.path.hasPrefix(target.path + "/") && $0.language == .swift }
      guard !mine.isEmpty else { return [] }
      let names = Set(self.targets.map(\.name))
      let undeclared = mine.flatMap { file in
        file.imports.compactMap { line, module -> Finding? in
          guard module != "Testing", !Architecture.toolchain.contains(module), !target.own.contains(module),
            !target.products.contains(module)
          else { return nil }
          return Finding(file.path, line, "imports \(module), which Package.swift does not declare for \(target.name)")
        }
      }
      let imported = Set(mine.flatMap { $0.imports.map(\.module) })
      let idle = target.own.intersection(names).union(target.products).subtracting(imported).sorted()
        .map { Finding("Package.swift", 0, "\(target.name) declares \($0), which none of its files imports") }
      return undeclared + idle
    }
  }

  /// Swift targets without the shared settings.
  var laxFindings: [Finding] {
    self.targets.filter { !$0.isStrict && !$0.isSystemLibrary && Architecture.room($0.name)?.kind != .c }
      .map { Finding("Package.swift", 0, "\($0.name) lacks 'swiftSettings: strict'") }
  }
}
