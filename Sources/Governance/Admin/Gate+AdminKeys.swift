public import Documents
public import GovernanceTypes
internal import Synchronization

/// Whose work an admin key is for.
public enum AdminRole: String, Sendable, CaseIterable {
  /// Everything.
  case owner
  /// Customers, keys, prices, limits, credit, invoices.
  case billing
  /// Licenses, attestations, grants, terminations, policies.
  case counsel
  /// Reads, and orders exports.
  case auditor
}

/// Lets a person or a program into the admin API under a name of its own, so that the log says who did what.
public struct AdminKey: Sendable, Equatable {
  public enum Status: String, Sendable, CaseIterable { case active, revoked }

  public var id: AdminKeyID
  public var name: String
  public var role: AdminRole
  public var status: Status
  public var createdAt: Timestamp
  var secretDigest: Digest

  public var json: JSON {
    [
      "id": .string(self.id.description), "object": "admin_key", "name": .string(self.name),
      "role": .string(self.role.rawValue), "status": .string(self.status.rawValue),
      "created_at": .string(self.createdAt.description),
    ]
  }

  var storedJSON: JSON {
    guard case .object(let members) = self.json else { return self.json }
    return .object(members + [JSONMember("secret_sha256", .string(self.secretDigest.hexadecimal))])
  }

  init(id: AdminKeyID, name: String, role: AdminRole, createdAt: Timestamp, secretDigest: Digest) {
    self.id = id
    self.name = name
    self.role = role
    self.status = .active
    self.createdAt = createdAt
    self.secretDigest = secretDigest
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    _ = try reader.string("object")
    self.id = try reader.identifier("id")
    self.name = try reader.string("name")
    // Keys that were made before there were roles could do everything.
    self.role = try reader.optionalString("role") == nil ? .owner : try reader.choice("role")
    self.status = try reader.choice("status")
    self.createdAt = try reader.timestamp("created_at")
    guard let digest = Digest(hexadecimal: try reader.string("secret_sha256")) else {
      throw reader.failure("secret_sha256", "64 hexadecimal digits belong here")
    }
    self.secretDigest = digest
    try reader.finish()
  }
}

extension Gate {
  /// Makes an admin key. The secret is returned here and nowhere else.
  public func createAdminKey(_ body: Document, by actor: Actor) async throws(Refusal) -> (AdminKey, secret: String) {
    let now = self.now()
    let secret = "wba-" + base32(self.environment.randomBytes(32))
    let key = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let name = try reader.title("name", most: 64)
      let role: AdminRole = try reader.optionalString("role") == nil ? .owner : try reader.choice("role")
      try reader.finish()
      return AdminKey(
        id: self.makeID(at: now), name: name, role: role, createdAt: now,
        secretDigest: self.environment.digest(Array(secret.utf8)))
    }
    guard key.name != Actor.bootstrap.name, !self.adminKeys().contains(where: { $0.name == key.name && $0.status == .active })
    else { throw Refusal(.conflict, "There is an admin key of the name '\(key.name)' already.", parameter: "name") }
    try await self.write(key, by: actor)
    return (key, secret)
  }

  public func adminKeys() -> [AdminKey] { self.state.withLock { $0.adminKeys.values.sorted { $0.id < $1.id } } }

  public func revokeAdminKey(_ id: AdminKeyID, by actor: Actor) async throws(Refusal) -> AdminKey {
    guard var key = self.adminKeys().first(where: { $0.id == id }) else {
      throw Refusal(.notFound, "There is no admin key \(id).")
    }
    key.status = .revoked
    try await self.write(key, by: actor)
    return key
  }

  /// Whose admin key has a secret with this digest; nil where none that is active has.
  public func adminActor(secretDigest: Digest) -> (actor: Actor, role: AdminRole)? {
    self.adminKeys().first { $0.status == .active && $0.secretDigest == secretDigest }.map { (Actor($0.name), $0.role) }
  }

  private func write(_ key: AdminKey, by actor: Actor) async throws(Refusal) {
    let object = self.stored(.adminKey, id: key.id.description, customer: nil, body: key.storedJSON)
    try await self.commit(
      [(object, .admin, [JSONMember("act", "admin_key"), JSONMember("status", .string(key.status.rawValue))])], by: actor)
  }
}
