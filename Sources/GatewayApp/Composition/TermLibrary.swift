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
    return try Set(named).sorted().map { id in
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
    try self.directories(configuration, environment: environment).flatMap { directory -> [TermFile] in
      // A folder that cannot be read has no names to look up.
      let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
      return names.sorted().map { "\(directory)/\($0)/terms.yaml" }.filter { FileManager.default.fileExists(atPath: $0) }
        .compactMap { path in
          do throws(ConfigurationError) { return try self.load(file: path) } catch {
            log.warning("a term file that is not in force cannot be read", metadata: ["error": "\(error)"])
            return nil
          }
        }
    }
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
    do { names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted() } catch {
      throw ConfigurationError(path: directory, message: "the folder of term files cannot be read")
    }
    return try names.map { "\(directory)/\($0)/terms.yaml" }.filter { FileManager.default.fileExists(atPath: $0) }.map {
      try self.load(file: $0)
    }
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

/// Loads rule packs for acceptable use.
enum RuleLibrary {

  /// A rule that names a use which no license forbids would find and never refuse.
  static func check(
    _ packs: [RulePack], _ classifier: LinearClassifier?, against terms: [TermFile]
  ) throws(StartFailure) {
    if let classifier {
      let known = Set(terms.first { $0.id == classifier.policy }?.uses.map(\.id) ?? [])
      for use in classifier.heads.compactMap(\.use) where !known.isEmpty && !known.contains(use.name) {
        throw StartFailure("the classifier names the use '\(use)', which the terms '\(classifier.policy)' do not list")
      }
    }
    for pack in packs {
      guard let file = terms.first(where: { $0.id == pack.policy }) else {
        throw StartFailure("the rule pack '\(pack.id)' is for the terms '\(pack.policy)', which are not there")
      }
      let known = Set(file.uses.map(\.id))
      for use in pack.uses.sorted() where !known.contains(use.name) {
        throw StartFailure("the rule pack '\(pack.id)' names the use '\(use)', which the terms '\(file.id)' do not list")
      }
    }
  }

  /// The packs at these paths, or those that come with the gateway where there is none.
  static func packs(_ paths: [String], environment: [String: String]) throws -> [RulePack] {
    guard paths.isEmpty else { return try paths.map { try self.load(file: $0) } }
    guard let folder = SharedFiles.directory("Policies", environment: environment) else {
      throw ConfigurationError(
        path: "policies.acceptable_use", message: "no rule pack is named, and none lies beside the program. Name one.")
    }
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(folder)/\($0)/rules.yaml" }
      .filter { FileManager.default.fileExists(atPath: $0) }.map { try self.load(file: $0) }
  }

  /// The classifier: `off` for none, `shipped` for the weights that come with the program, else a path.
  static func classifier(_ setting: String, environment: [String: String]) throws(ConfigurationError) -> LinearClassifier? {
    guard setting != "off" else { return nil }
    var path = setting
    if setting == "shipped" {
      guard let folder = SharedFiles.directory("Policies/classifier", environment: environment) else {
        throw ConfigurationError(
          path: "policies.classifier", message: "no weights lie beside the program. Name a file, or write 'off'.")
      }
      path = folder + "/linear.weights"
    }
    do throws(AcceptableUseError) {
      return try LinearClassifier(bytes: try Self.bytes(path), digest: sha256)
    } catch {
      throw ConfigurationError(path: path, message: error.description)
    }
  }

  /// At most 16 MiB.
  private static func bytes(_ path: String) throws(AcceptableUseError) -> [UInt8] {
    do { return try readFile(path) } catch { throw AcceptableUseError(message: "\(error)") }
  }

  static func load(file path: String) throws(ConfigurationError) -> RulePack {
    let bytes = try readFile(path)
    do throws(DocumentError) {
      return try RulePack(try Document.parseYAML(bytes), digest: sha256)
    } catch {
      throw ConfigurationError(path: path, message: error.description)
    }
  }
}
