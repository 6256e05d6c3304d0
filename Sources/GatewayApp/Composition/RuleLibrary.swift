internal import AcceptableUse
internal import AuditSigning
internal import Documents
internal import Foundation
internal import Governance
internal import GovernanceTypes
internal import LicenseTerms
internal import YAMLDocuments

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

  /// The guard model that is asked for a second opinion, with its categories; nil where none is configured.
  static func secondOpinion(
    _ configuration: GatewayConfiguration, terms: [TermFile], environment: [String: String]
  ) throws -> SecondOpinion? {
    guard let guardModel = configuration.guardModel else { return nil }
    var path = guardModel.categories
    if path == "shipped" {
      guard let folder = SharedFiles.directory("Policies/guard-model", environment: environment) else {
        throw ConfigurationError(
          path: "policies.second_opinion.categories", message: "no categories lie beside the program. Name a file.")
      }
      path = folder + "/categories.yaml"
    }
    let bytes = try readFile(path)
    let prompt: GuardPrompt
    do throws(DocumentError) { prompt = try GuardPrompt(try Document.parseYAML(bytes)) } catch {
      throw ConfigurationError(path: path, message: error.description)
    }
    guard let file = terms.first(where: { $0.id == prompt.policy }) else {
      throw StartFailure("the categories of the guard model are for the terms '\(prompt.policy)', which are not there")
    }
    let known = Set(file.uses.map(\.id))
    for use in prompt.covered.sorted() where !known.contains(use.name) {
      throw StartFailure("the guard model's categories name the use '\(use)', which the terms '\(file.id)' do not list")
    }
    var opinion = SecondOpinion(
      model: guardModel.model, prompt: prompt, digest: sha256(bytes), mode: RuleMode(rawValue: guardModel.mode) ?? .enforce)
    opinion.timeout = .seconds(guardModel.timeoutSeconds)
    opinion.sampledPerMillion = guardModel.samplePerMillion
    return opinion
  }
}
