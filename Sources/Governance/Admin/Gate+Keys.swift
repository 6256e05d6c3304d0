public import Documents
public import GovernanceTypes
internal import Synchronization

extension Gate {
  /// Makes a key. The secret is returned here and nowhere else; only its SHA-256 is kept.
  public func createKey(
    of customer: CustomerID, _ body: Document, by actor: Actor
  ) async throws(Refusal) -> (APIKey, secret: String) {
    _ = try self.knownCustomer(customer)
    let now = self.now()
    let secret = "wb-" + base32(self.environment.randomBytes(32))
    let key = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let name = try reader.title("name")
      let scopes: [APIKey.Scope] = try reader.choices("scopes")
      let project: ProjectID? = try reader.optionalIdentifier("project")
      try reader.finish()
      return APIKey(
        id: self.makeID(at: now), customer: customer, project: project, name: name,
        scopes: scopes.isEmpty ? [.inference, .usage] : scopes, status: .active,
        secretDigest: self.environment.digest(Array(secret.utf8)), hint: String(secret.suffix(4)), createdAt: now)
    }
    if let project = key.project {
      guard self.state.withLock({ $0.directory.projects[project]?.customer }) == customer else {
        throw Refusal(.notFound, "The customer \(customer) has no project \(project).", parameter: "project")
      }
    }
    try await self.write(key, by: actor)
    return (key, secret)
  }

  public func keys(of customer: CustomerID) throws(Refusal) -> [APIKey] {
    _ = try self.knownCustomer(customer)
    return self.state.withLock { $0.directory.keys.values.filter { $0.customer == customer }.sorted { $0.id < $1.id } }
  }

  /// Suspends a key, lets it back in, or revokes it for good.
  public func setStatus(of id: KeyID, to status: APIKey.Status, by actor: Actor) async throws(Refusal) -> APIKey {
    guard var key = self.state.withLock({ $0.directory.keys[id] }) else { throw Refusal(.notFound, "There is no key \(id).") }
    guard key.status != .revoked || status == .revoked else {
      throw Refusal(.conflict, "The key \(id) is revoked for good. Create a new one.")
    }
    key.status = status
    try await self.write(key, by: actor)
    return key
  }

  private func write(_ key: APIKey, by actor: Actor) async throws(Refusal) {
    let object = self.stored(.key, id: key.id.description, customer: key.customer, body: key.storedJSON)
    try await self.commit(
      [
        (
          object, .key,
          [JSONMember("customer", .string(key.customer.description)), JSONMember("status", .string(key.status.rawValue))]
        )
      ], by: actor)
  }
}

/// Five bits a character, digits and lower-case letters without the easily confused.
func base32(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
  var text: [UInt8] = []
  var bits = 0
  var buffer = 0
  for byte in bytes {
    buffer = buffer << 8 | Int(byte)
    bits += 8
    while bits >= 5 {
      bits -= 5
      text.append(digits[buffer >> bits & 31])
    }
    buffer &= (1 << bits) - 1
  }
  if bits > 0 { text.append(digits[buffer << (5 - bits) & 31]) }
  return String(decoding: text, as: UTF8.self)
}
