import Testing

/// The house as it stands: what `Sources` and `Package.swift` say, against the tables of this directory.
@Suite("architecture")
struct ArchitectureTests {
  /// Read and scanned once for all tests.
  private static let read = Result { try Repository.sources() }
  let sources: [SourceFile]

  init() throws {
    self.sources = try Self.read.get()
    try #require(self.sources.count > 20, "Sources was not found beside Package.swift")
  }

  @Test("targets import what the table allows, and nothing else")
  func imports() {
    #expect(Architecture.findings(in: self.sources).report == "")
  }

  @Test("no arrow points up")
  func directions() {
    #expect(Architecture.directionFindings().report == "")
  }

  @Test("Foundation stays at the edges")
  func foundation() {
    #expect(Architecture.foundationFindings(in: self.sources).report == "")
  }

  @Test("the table has the targets that exist, and no others")
  func rooms() throws {
    let existing = Set(try Repository.targetDirectories())
    let listed = Set(Architecture.rooms.map(\.name))
    #expect(existing.subtracting(listed).sorted() == [], "not in the table of Architecture.swift")
    #expect(listed.subtracting(existing).sorted() == [], "in the table, but not in Sources")
  }

  @Test("each target begins with its charter")
  func charters() {
    #expect(Charter.findings(in: self.sources, rooms: Architecture.rooms).report == "")
  }

  @Test("Package.swift declares what is imported, and nothing else")
  func manifest() throws {
    let manifest = PackageManifest(try Repository.text("Package.swift"))
    try #require(manifest.targets.count > 10, "Package.swift could not be read")
    let files = self.sources + (try Repository.tests())
    #expect(manifest.findings(in: files).report == "")
    #expect(manifest.laxFindings.report == "")
  }

  @Test("signs of hurry stay at their ceilings", arguments: StyleRatchet.table)
  func style(ratchet: StyleRatchet) {
    #expect(ratchet.findings(in: self.sources).report == "")
  }

  @Test("no license and no licensor is named in code")
  func neutrality() throws {
    let files = try Repository.files(under: "Licenses").filter { $0.hasSuffix("/terms.yaml") }
    let names = Neutrality.LicenseNames(
      try files.map { path in (path.split(separator: "/").dropLast().last.map(String.init) ?? "", try Repository.text(path)) })
    try #require(!names.ids.isEmpty && !names.licensors.isEmpty, "Licenses has no term file with a licensor")
    #expect(Neutrality.findings(in: self.sources, names: names).report == "")
  }

  @Test("no file names a path of one machine")
  func machinePaths() throws {
    let directories = ["Sources", "Tests", "Examples", "Dashboards", "deploy", "docs", "Licenses", "Policies"]
    let suffixes = [".swift", ".c", ".h", ".py", ".md", ".yaml", ".yml", ".json", ".sh", ".service", ".txt"]
    let paths = try directories.flatMap(Repository.files).filter { path in suffixes.contains { path.hasSuffix($0) } }
    let roots = ["Package.swift", "Makefile", "README.md", "CONTRIBUTING.md", "SECURITY.md"].filter(Repository.exists)
    #expect(Neutrality.machinePaths(in: try (paths + roots).map { ($0, try Repository.text($0)) }).report == "")
  }
}

/// A misspelt upcoming feature is ignored by the compiler without a word, so each is asked for here.
@Suite("compiler settings")
struct CompilerSettingTests {
  /// The features that the compiler really turned on for this target.
  static let active: Set<String> = {
    var names: Set<String> = []
    #if hasFeature(ExistentialAny)
      names.insert("ExistentialAny")
    #endif
    #if hasFeature(MemberImportVisibility)
      names.insert("MemberImportVisibility")
    #endif
    #if hasFeature(InternalImportsByDefault)
      names.insert("InternalImportsByDefault")
    #endif
    #if hasFeature(NonisolatedNonsendingByDefault)
      names.insert("NonisolatedNonsendingByDefault")
    #endif
    return names
  }()

  @Test("the features of Package.swift are on, all four")
  func features() throws {
    let declared = Set(PackageManifest(try Repository.text("Package.swift")).upcomingFeatures)
    #expect(declared.count == 4)
    #expect(Self.active == declared)
  }

  @Test("the language mode is Swift 6, with warnings as errors")
  func mode() throws {
    #if swift(>=6)
      let isSwift6 = true
    #else
      let isSwift6 = false
    #endif
    #expect(isSwift6)
    let manifest = try Repository.text("Package.swift")
    #expect(manifest.contains(".swiftLanguageMode(.v6)") && manifest.contains(".treatAllWarnings(as: .error)"))
  }
}
