import Testing

/// The checks themselves, on violations planted in texts: each must be found, and its clean twin must not.
@Suite("checks find what they look for")
struct PlantedViolationTests {
  static let rooms = [
    Room("Types", layer: 0), Room("Domain", layer: 1, own: ["Types"], system: ["Synchronization"]),
    Room("Edge", layer: 3, own: ["Domain"], system: ["Foundation"], external: ["Hummingbird"]),
  ]

  static func file(_ target: String, _ text: String) -> SourceFile {
    SourceFile(path: "Sources/\(target)/File.swift", text: text)
  }

  @Test(
    "imports",
    arguments: [
      ("Domain", "internal import Types\npublic import Synchronization\n", ""),
      ("Domain", "import Edge\n", "Sources/Domain/File.swift:1: Domain may not import Edge"),
      ("Types", "// import Domain\nlet text = \"\"\"\n  import Domain\n  \"\"\"\n", ""),
      ("Types", "\n@testable import Domain\n", "Sources/Types/File.swift:2: Types may not import Domain"),
      (
        "Edge", "internal import struct Foundation.Date\ninternal import GRDB\n",
        "Sources/Edge/File.swift:2: Edge may not import GRDB"
      ),
      (
        "Attic", "let x = 1\n",
        "Sources/Attic/File.swift:1: the target Attic is not in the table of Tests/ArchitectureTests/Architecture.swift"
      ),
    ])
  func imports(target: String, text: String, report: String) {
    #expect(Architecture.findings(in: [Self.file(target, text)], rooms: Self.rooms).report == report)
  }

  @Test("an arrow that points up, or nowhere")
  func directions() {
    let rooms = Self.rooms + [Room("Low", layer: 0, own: ["Domain"]), Room("Lost", layer: 2, own: ["Nowhere"])]
    #expect(Architecture.directionFindings(rooms: Self.rooms).isEmpty)
    #expect(
      Architecture.directionFindings(rooms: rooms).report
        == "Lost: names Nowhere, which is no room of the table\nLow: of layer 0 points up to Domain of layer 1")
  }

  @Test("Foundation in a domain, even where the table would let it in")
  func foundation() {
    let rooms = [Room("Domain", layer: 1, system: ["FoundationEssentials"])]
    let file = Self.file("Domain", "internal import FoundationEssentials\n")
    #expect(Architecture.findings(in: [file], rooms: rooms).isEmpty)
    #expect(Architecture.foundationFindings(in: [file], rooms: rooms).count == 1)
    #expect(Architecture.foundationFindings(in: [Self.file("Edge", "import Foundation\n")], rooms: Self.rooms).isEmpty)
  }

  @Test(
    "charters",
    arguments: [
      ("// Types: nouns.\n// Holds ids.\n// It must never know a rule.\n\nlet x = 1\n", 0),
      ("// Types: nouns.\n// Holds ids.\n\nlet x = 1\n", 1),
      ("// Types: nouns.\n// Holds ids.\n// It knows everything.\n", 1),
      ("let x = 1\n", 1),
    ])
  func charters(text: String, count: Int) {
    #expect(Charter.findings(in: [Self.file("Types", text)], rooms: [Self.rooms[0]]).count == count)
  }

  @Test(
    "signs of hurry",
    arguments: [
      ("try!", "let x = try! read()", "let x = try read() // not try!"),
      ("as!", "let x = y as! Int", "let x = y as? Int"),
      ("force unwrap", "let x = names.first!", "let x = !names.isEmpty && a != b"),
      ("force unwrap", "call(table[\"key\"]!.name)", "let text = \"Stop! Now!\""),
      ("force unwrap", "var window: Window!", "let text = \"\\(x ?? \"no!\")\""),
      ("force unwrap", "let text = \"\\(x!)\"", "let text = #\"\\(x!)\"#"),
      ("print outside the command", "print(\"hello\")", "let f = fingerprint(x); writer.print(y)"),
      ("note to self", "// TO" + "DO: later", "let todo = 1"),
      ("@unchecked Sendable", "final class Box: @unchecked Sendable {}", "final class Box: Sendable {}"),
      (
        "unsafe storage without its invariant", "nonisolated(unsafe) var x = 1",
        "nonisolated(unsafe) var x = 1  // Set once, before any thread."
      ),
      ("swallowed error without its reason", "try? close()", "// Already closing for another reason.\ntry? close()"),
      ("type without a noun", "final class KeyManager {}", "struct PriceBook {}"),
    ])
  func style(sign: String, bad: String, good: String) throws {
    let ratchet = try #require(StyleRatchet.table.first { $0.sign == sign })
    #expect(ratchet.findings(in: [Self.file("Domain", bad)]).count == 1)
    #expect(ratchet.findings(in: [Self.file("Domain", good)]).report == "")
  }

  @Test("a ceiling that is too high must be lowered")
  func slack() {
    let allowance = StyleRatchet.Allowance(path: "Sources/Domain/File.swift", count: 2, reason: "a test")
    let ratchet = StyleRatchet("word", allowed: [allowance], saying: "is there") { $0.contains("word") }
    #expect(ratchet.findings(in: [Self.file("Domain", "word\nword")]).isEmpty)
    #expect(ratchet.findings(in: [Self.file("Domain", "word\nword\nword")]).count == 3)
    #expect(ratchet.findings(in: [Self.file("Domain", "word")]).map(\.line) == [0])
  }

  @Test("lines of files and functions, on both sides of the bound")
  func sizes() throws {
    let longFile = try #require(StyleRatchet.table.first { $0.sign == "file of more than 400 lines" })
    #expect(longFile.findings(in: [Self.file("Domain", String(repeating: "let x = 1\n", count: 400))]).isEmpty)
    #expect(longFile.findings(in: [Self.file("Domain", String(repeating: "let x = 1\n", count: 401))]).count == 1)
    let longFunction = try #require(StyleRatchet.table.first { $0.sign == "function of more than 70 lines" })
    func function(_ lines: Int) -> SourceFile {
      Self.file("Domain", "func f(_ g: () -> Void = {}) {\n" + String(repeating: "  step { 1 }\n", count: lines - 2) + "}\n")
    }
    #expect(longFunction.findings(in: [function(70)]).isEmpty)
    #expect(longFunction.findings(in: [function(71)]).map(\.line) == [1])
  }

  @Test("functions are measured one by one")
  func functions() {
    let text = """
      protocol P {
        func f() async throws -> Int
        var x: Int { get }
      }
      struct S {
        init(_ x: Int) { self.x = x }
        func g(
          _ y: Int
        ) -> Int where Int: P {
          let f = { (z: Int) in z }
          return f(y) /* } */ + "}".count
        }
      }
      """
    #expect(
      Self.file("Domain", text).functions == [FunctionBody(line: 6, lineCount: 1), FunctionBody(line: 7, lineCount: 6)])
  }

  @Test("Package.swift against imports")
  func manifest() {
    let manifest = PackageManifest(
      """
      .target(name: "Types", swiftSettings: strict),
      .target(name: "Domain", dependencies: ["Types", "Idle"], swiftSettings: strict), // .target(name: "No")
      .target(name: "Idle"),
      .executableTarget(
        name: "Edge", dependencies: ["Domain", .product(name: "Hummingbird", package: "hummingbird")], swiftSettings: strict),
      .testTarget(name: "DomainTests", dependencies: ["Domain"], swiftSettings: strict),
      """)
    #expect(manifest.targets.map(\.name) == ["Types", "Domain", "Idle", "Edge", "DomainTests"])
    #expect(manifest.laxFindings.map(\.message) == ["Idle lacks 'swiftSettings: strict'"])
    let files = [
      Self.file("Domain", "import Types\nimport Synchronization\n"),
      Self.file("Edge", "import Domain\nimport Hummingbird\nimport Types\n"),
      SourceFile(path: "Tests/DomainTests/File.swift", text: "import Testing\n@testable import Domain\n"),
    ]
    #expect(
      manifest.findings(in: files).report == """
        Package.swift: Domain declares Idle, which none of its files imports
        Sources/Edge/File.swift:3: imports Types, which Package.swift does not declare for Edge
        """)
  }

  @Test("Package.swift with functions and constants of its own")
  func manifestShorthand() {
    let manifest = PackageManifest(
      """
      let web = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
      func layer(_ name: String, _ dependencies: Target.Dependency...) -> Target {
        .target(name: name, dependencies: dependencies, swiftSettings: strict)
      }
      func tests(_ name: String, _ dependencies: Target.Dependency...) -> Target {
        .testTarget(name: name, dependencies: dependencies)
      }
      let all = [
        layer("Types"),
        layer(
          "Edge", "Types", web, .product(name: "NIOCore", package: "swift-nio")),
        tests("EdgeTests", "Edge"),
      ]
      """)
    let edge = DeclaredTarget(
      name: "Edge", isTest: false, isSystemLibrary: false, own: ["Types"], products: ["Hummingbird", "NIOCore"], isStrict: true,
      path: "Sources/Edge")
    #expect(manifest.targets.map(\.name) == ["Types", "Edge", "EdgeTests"])
    #expect(manifest.targets.contains(edge))
    #expect(manifest.laxFindings.map(\.message) == ["EdgeTests lacks 'swiftSettings: strict'"])
  }

  @Test("licenses by name")
  func neutrality() {
    let terms =
      "id: fable-9\nlicensor:\n  - {name: \"Fable, Inc.\", otherwise: true}\n  - {name: Fable Europe, when: x}\ndocuments:\n  - {name: LICENSE}\n"
    let names = Neutrality.LicenseNames([("fable-9", terms)])
    #expect(names.ids == ["fable-9"] && names.licensors == ["Fable Europe", "Fable, Inc."])
    let bad = Self.file("Domain", "let id = \"Fable-9\"\n// By Fable, Inc. and others\nlet other = \"fable-90\"\n")
    #expect(Neutrality.findings(in: [bad], names: names).map(\.line) == [1, 2])
  }

  @Test("paths of one machine")
  func machinePaths() {
    let text = "see /\("work")/x\nhttps://example.com/\("home")/x\n./\("root")/x\n"
    #expect(Neutrality.machinePaths(in: [("docs/a.md", text)]).map(\.line) == [1])
  }
}
