internal import AcceptableUse
internal import AuditSigning
internal import Documents
internal import Foundation
internal import GovernanceTypes
internal import LicenseTerms
internal import YAMLDocuments

/// Loads term files: every folder below a terms folder that holds a `terms.yaml`. One faulty file is an error: nothing is skipped.
enum TermLibrary {
  static func load(_ configuration: GatewayConfiguration, environment: [String: String]) throws -> [TermFile] {
    var directories = configuration.termsDirectories
    if directories.isEmpty {
      guard let found = SharedFiles.directory("Licenses", environment: environment) else {
        throw ConfigurationError(
          path: "policies.terms", message: "no folder of term files is named, and none lies beside the program. Name one.")
      }
      directories = [found]
    }
    return try directories.flatMap { try self.load(directory: $0) }
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
  /// - Parameter terms: The term files in force; each rule must name uses that its term file knows.
  static func load(
    _ configuration: GatewayConfiguration, terms: [TermFile], environment: [String: String]
  ) throws -> AcceptableUsePolicy {
    let packs = try self.packs(configuration.rulePacks, environment: environment)
    try self.check(packs, against: terms)
    return try AcceptableUsePolicy(packs: packs)
  }

  /// A rule that names a use which no license forbids would find and never refuse.
  static func check(_ packs: [RulePack], against terms: [TermFile]) throws(StartFailure) {
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

  static func load(file path: String) throws(ConfigurationError) -> RulePack {
    let bytes = try readFile(path)
    do throws(DocumentError) {
      return try RulePack(try Document.parseYAML(bytes), digest: sha256)
    } catch {
      throw ConfigurationError(path: path, message: error.description)
    }
  }
}
