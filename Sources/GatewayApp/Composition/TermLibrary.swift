internal import AcceptableUse
internal import AuditSigning
internal import Documents
internal import Foundation
internal import GovernanceTypes
internal import LicenseTerms
internal import Logging
internal import YAMLDocuments

/// Loads term files from folders that hold one folder per file, by its id, with a `terms.yaml`.
enum TermLibrary {
  /// The files that a configuration puts in force: those that its models name, those for all models, and those that the rule packs
  /// take their uses from. Others of the same folders are not read.
  ///
  /// - Throws: ``ConfigurationError`` where one is missing or faulty: nothing is skipped.
  static func load(
    _ configuration: GatewayConfiguration, packs: [RulePack], environment: [String: String]
  ) throws -> [TermFile] {
    let directories = try self.directories(configuration, environment: environment)
    let named = configuration.models.flatMap(\.allTerms) + configuration.termsForAllModels + packs.map(\.policy)
    return try Set(named).sorted().readConcurrently { id in
      guard let path = directories.map({ "\($0)/\(id)/terms.yaml" }).first(where: { FileManager.default.fileExists(atPath: $0) })
      else { throw self.missing(id, directories) }
      let file = try self.load(file: path)
      guard file.id == id else {
        throw ConfigurationError(path: path, message: "gives itself the id '\(file.id)', not that of its folder")
      }
      return file
    }
  }

  /// All files of the folders that can be read, in force or not, to look up what a name stands for.
  static func readable(
    _ configuration: GatewayConfiguration, environment: [String: String], log: Logger
  ) throws -> [TermFile] {
    let paths = try self.directories(configuration, environment: environment).flatMap { directory -> [String] in
      // A folder that cannot be read has no names to look up.
      self.files(in: directory, names: (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
    }
    return try paths.readConcurrently { path -> TermFile? in
      do throws(ConfigurationError) { return try self.load(file: path) } catch {
        log.warning("a term file that is not in force cannot be read", metadata: ["error": "\(error)"])
        return nil
      }
    }.compactMap { $0 }
  }

  /// The operator's choices where a text is silent, as the term files in force take them.
  static func interpretations(
    _ configuration: GatewayConfiguration, terms: [TermFile]
  ) throws -> [TermFileID: [String: ParameterValue]] {
    var chosen: [TermFileID: [String: ParameterValue]] = [:]
    for member in configuration.interpretations {
      guard let file = terms.first(where: { $0.id.name == member.key }) else {
        throw StartFailure("policies.interpretations: the terms '\(member.key)' are not in force")
      }
      do throws(DocumentError) {
        chosen[file.id] = try file.parameterValues(member.value, path: "policies.interpretations.\(member.key)")
      } catch {
        throw StartFailure(error.description)
      }
    }
    return chosen
  }

  private static func directories(_ configuration: GatewayConfiguration, environment: [String: String]) throws -> [String] {
    guard configuration.termsDirectories.isEmpty else { return configuration.termsDirectories }
    let found = ["Licenses", "Jurisdictions"].compactMap { SharedFiles.directory($0, environment: environment) }
    guard !found.isEmpty else {
      throw ConfigurationError(
        path: "policies.terms", message: "no folder of term files is named, and none lies beside the program. Name one.")
    }
    return found
  }

  private static func missing(_ id: TermFileID, _ directories: [String]) -> StartFailure {
    let known = directories.flatMap { directory -> [String] in
      // A folder that cannot be read has no names to suggest; that the file is missing is said all the same.
      (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    }
    let near = nearestName(to: id.name, among: known).map { " Did you mean '\($0)'?" } ?? ""
    return StartFailure("there are no terms '\(id)' in \(directories.joined(separator: ", ")).\(near)")
  }

  static func load(directory: String) throws -> [TermFile] {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
      throw ConfigurationError(path: directory, message: "the folder of term files cannot be read")
    }
    return try self.files(in: directory, names: names).readConcurrently { try self.load(file: $0) }
  }

  private static func files(in directory: String, names: [String]) -> [String] {
    names.sorted().map { "\(directory)/\($0)/terms.yaml" }.filter { FileManager.default.fileExists(atPath: $0) }
  }

  static func load(file path: String) throws(ConfigurationError) -> TermFile {
    let bytes = try readFile(path)
    do throws(DocumentError) {
      return try TermFile(try Document.parseYAML(bytes), digest: sha256(bytes), sha256: sha256)
    } catch {
      throw ConfigurationError(path: path, message: error.description)
    }
  }
}
