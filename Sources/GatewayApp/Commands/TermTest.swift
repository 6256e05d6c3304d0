public import Documents
internal import Foundation
internal import GovernanceTypes
internal import LicenseTerms
internal import YAMLDocuments

/// Runs the decision tables of term files, and tells which sections of the source texts each file accounts for.
public struct TermTest: Sendable {
  private struct Result: Sendable {
    var id: String
    var cases: Int
    var failures: [String]
    var coverage: [SectionCoverage]
    /// Clauses whose reading was not held against the source text.
    var unverified: [String]
  }

  private let results: [Result]

  /// - Parameter directory: A folder of term files; the one that comes with the gateway where there is none.
  public static func run(directory: String?, environment: [String: String]) throws -> TermTest {
    guard let folder = directory ?? SharedFiles.directory("Licenses", environment: environment) else {
      throw StartFailure("no folder of term files is named, and none lies beside the program")
    }
    let files = try TermLibrary.load(directory: folder)
    guard !files.isEmpty else { throw StartFailure("\(folder) holds no term file") }
    return TermTest(results: try files.map { try self.run($0, all: files, folder: folder) })
  }

  private static func run(_ file: TermFile, all: [TermFile], folder: String) throws -> Result {
    let path = "\(folder)/\(file.id)/cases.yaml"
    let bytes = try readFile(path)
    do throws(DocumentError) {
      let table = try DecisionTable(try Document.parseYAML(bytes), terms: all)
      let failures = table.run().map { "\(path):\($0.position.line): \($0.name): \($0.message)" }
      return Result(
        id: file.id.name, cases: table.cases.count, failures: failures, coverage: file.sectionCoverage,
        unverified: file.clauses.filter { !file.isVerified($0) }.map(\.id))
    } catch {
      throw ConfigurationError(path: path, message: error.description)
    }
  }

  public var failureCount: Int { self.results.reduce(0) { $0 + $1.failures.count } }

  public var text: String {
    let lines = self.results.flatMap { result -> [String] in
      let unverified = result.unverified.isEmpty ? "" : ", \(result.unverified.count) clauses not verified"
      return result.failures + [
        "\(result.id): \(result.cases) cases, \(result.failures.count) failed, "
          + "\(result.coverage.count) sections accounted for\(unverified)"
      ] + self.sections(of: result)
    }
    let cases = self.results.reduce(0) { $0 + $1.cases }
    let sections = self.results.reduce(0) { $0 + $1.coverage.count }
    return (lines + ["\(self.results.count) licenses, \(cases) cases, \(sections) sections, \(self.failureCount) failed"])
      .joined(separator: "\n")
  }

  /// One line for each source text: its sections, those of a text that the license incorporates under its role.
  private func sections(of result: Result) -> [String] {
    var texts: [(role: String, sections: [String])] = []
    for section in result.coverage.map(\.section) {
      let parts = section.split(separator: "/", maxSplits: 1).map(String.init)
      let (role, name) = parts.count == 2 ? (parts[0], parts[1]) : ("license", section)
      if let index = texts.firstIndex(where: { $0.role == role }) {
        texts[index].sections.append(name)
      } else {
        texts.append((role, [name]))
      }
    }
    return texts.map { "  \($0.role): \($0.sections.joined(separator: ", "))" }
  }

  public var json: JSON {
    .array(
      self.results.map { result in
        [
          "license": .string(result.id), "cases": .integer(result.cases), "failures": .array(result.failures.map(JSON.string)),
          "sections": .integer(result.coverage.count),
          "coverage": .array(
            result.coverage.map {
              ["section": .string($0.section), "accounted_by": .array($0.accountedBy.map(JSON.string))]
            }),
          "unverified": .array(result.unverified.map(JSON.string)),
        ]
      })
  }
}
