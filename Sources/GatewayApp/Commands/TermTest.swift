public import Documents
internal import Foundation
internal import GovernanceTypes
internal import LicenseTerms
internal import YAMLDocuments

/// Runs the decision tables of term files.
public struct TermTest: Sendable {
  private struct Result: Sendable {
    var id: String
    var cases: Int
    var failures: [String]
    var sections: Int
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
      return Result(id: file.id.name, cases: table.cases.count, failures: failures, sections: file.sections.count)
    } catch {
      throw ConfigurationError(path: path, message: error.description)
    }
  }

  public var failureCount: Int { self.results.reduce(0) { $0 + $1.failures.count } }

  public var text: String {
    let lines = self.results.flatMap { result in
      result.failures + [
        "\(result.id): \(result.cases) cases, \(result.failures.count) failed, \(result.sections) sections accounted for"
      ]
    }
    let cases = self.results.reduce(0) { $0 + $1.cases }
    return (lines + ["\(cases) cases over \(self.results.count) licenses, \(self.failureCount) failed"]).joined(separator: "\n")
  }

  public var json: JSON {
    .array(
      self.results.map { result in
        [
          "license": .string(result.id), "cases": .integer(result.cases), "failures": .array(result.failures.map(JSON.string)),
          "sections": .integer(result.sections),
        ]
      })
  }
}
