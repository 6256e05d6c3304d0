internal import AdminTokens
internal import Documents
internal import Foundation
internal import Governance

extension GatewayConfiguration {
  /// An identity provider whose tokens let people into the admin API.
  public struct AdminTokens: Sendable {
    /// The address of its key set, or the path of a file with it.
    var keys: String
    var policy: TokenPolicy

    var isRemote: Bool { self.keys.hasPrefix("https://") || self.keys.hasPrefix("http://") }

    var json: JSON {
      [
        "issuer": .string(self.policy.issuer), "audience": .string(self.policy.audience), "keys": .string(self.keys),
        "algorithms": .array(self.policy.algorithms.map(\.rawValue).sorted().map(JSON.string)),
        "role_claim": .string(self.policy.roleClaim.joined(separator: ".")),
        "roles": .object(
          self.policy.roles.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value.rawValue)) }),
        "leeway_seconds": .integer(self.policy.leeway),
      ]
    }
  }

  /// `server.admin_tokens`.
  static func adminTokens(
    _ server: inout DocumentReader, resolve: (String) -> String
  ) throws(DocumentError) -> AdminTokens? {
    guard var section = try server.optionalReader("admin_tokens") else { return nil }
    var policy = TokenPolicy(
      issuer: try section.string("issuer"), audience: try section.string("audience"), roles: try Self.roles(&section))
    let names = try section.strings("algorithms")
    if !names.isEmpty {
      policy.algorithms = Set(try names.map { (name) throws(DocumentError) in try Self.algorithm(name, section) })
    }
    if let claim = try section.optionalString("role_claim") {
      policy.roleClaim = claim.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
      guard policy.roleClaim.allSatisfy({ !$0.isEmpty }) else {
        throw section.failure("role_claim", "names of claims belong here, with a dot between one and the one within it")
      }
    }
    policy.leeway = try section.optionalInteger("leeway_seconds", in: 0...300) ?? policy.leeway
    var tokens = AdminTokens(keys: try section.string("keys"), policy: policy)
    if !tokens.isRemote { tokens.keys = resolve(tokens.keys) }
    guard Self.isTrusted(tokens) else {
      throw section.failure("keys", "an https:// address or a file belongs here: keys that come in the open can be anyone's")
    }
    try section.finish()
    return tokens
  }

  private static func algorithm(_ name: String, _ section: DocumentReader) throws(DocumentError) -> TokenAlgorithm {
    guard let algorithm = TokenAlgorithm(rawValue: name) else {
      let known = TokenAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
      throw section.failure("algorithms", "'\(name)' is not one of: \(known)")
    }
    return algorithm
  }

  private static func roles(_ section: inout DocumentReader) throws(DocumentError) -> [String: AdminRole] {
    var roles: [String: AdminRole] = [:]
    for member in try Self.members(&section, "roles") {
      guard case .string(let text) = member.value.content, let role = AdminRole(rawValue: text) else {
        let known = AdminRole.allCases.map(\.rawValue).joined(separator: ", ")
        throw section.failure("roles", "the role of '\(member.key)' must be one of: \(known)")
      }
      roles[member.key] = role
    }
    guard !roles.isEmpty else { throw section.failure("roles", "at least one of the provider's roles must be named, with ours") }
    return roles
  }

  /// Over the network, or on this machine.
  private static func isTrusted(_ tokens: AdminTokens) -> Bool {
    guard tokens.keys.hasPrefix("http://") else { return true }
    return URL(string: tokens.keys)?.host.map { ["127.0.0.1", "::1", "[::1]", "localhost"].contains($0) } ?? false
  }
}
