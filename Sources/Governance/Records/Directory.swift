public import Documents
public import GovernanceTypes

/// A customer of the operator.
public struct Customer: Sendable, Equatable {
  public enum Status: String, Sendable, CaseIterable { case active, suspended }

  public var id: CustomerID
  public var name: String
  /// ISO 3166-1 alpha-2, where told.
  public var country: String?
  public var status: Status
  public var createdAt: Timestamp
}

/// A part of a customer, for limits and reports of its own.
public struct Project: Sendable, Equatable {
  public var id: ProjectID
  public var customer: CustomerID
  public var name: String
  public var createdAt: Timestamp
}

/// What lets a caller in. The secret itself is shown once and never stored.
public struct APIKey: Sendable, Equatable {
  public enum Status: String, Sendable, CaseIterable { case active, suspended, revoked }
  public enum Scope: String, Sendable, CaseIterable { case inference, usage }

  public var id: KeyID
  public var customer: CustomerID
  public var project: ProjectID?
  public var name: String
  public var scopes: [Scope]
  public var status: Status
  public var secretDigest: Digest
  /// The last characters of the secret, so that a person can tell keys apart.
  public var hint: String
  public var createdAt: Timestamp
}

/// Who may call, in memory: looked up on each request without I/O.
public struct Directory: Sendable {
  public private(set) var customers: [CustomerID: Customer] = [:]
  public private(set) var projects: [ProjectID: Project] = [:]
  public private(set) var keys: [KeyID: APIKey] = [:]
  private var keysByDigest: [Digest: KeyID] = [:]

  public init() {}

  public mutating func put(_ customer: Customer) { self.customers[customer.id] = customer }
  public mutating func put(_ project: Project) { self.projects[project.id] = project }

  public mutating func put(_ key: APIKey) {
    if let earlier = self.keys[key.id] { self.keysByDigest[earlier.secretDigest] = nil }
    self.keys[key.id] = key
    self.keysByDigest[key.secretDigest] = key.id
  }

  /// The key whose secret has this digest, whatever its status.
  ///
  /// Secrets have 256 random bits, so finding a digest in a table tells an outsider nothing; the comparison that decides
  /// runs in constant time all the same.
  public func key(secretDigest: Digest) -> APIKey? {
    guard let id = self.keysByDigest[secretDigest], let key = self.keys[id], key.secretDigest == secretDigest else { return nil }
    return key
  }
}

extension Customer {
  public var json: JSON {
    .object([
      JSONMember("id", .string(self.id.description)), JSONMember("object", "customer"), JSONMember("name", .string(self.name)),
      JSONMember("country", JSON(self.country)), JSONMember("status", .string(self.status.rawValue)),
      JSONMember("created_at", .string(self.createdAt.description)),
    ])
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    _ = try reader.string("object")
    self.id = try reader.identifier("id")
    self.name = try reader.string("name")
    self.country = try reader.optionalString("country")
    self.status = try reader.choice("status")
    self.createdAt = try reader.timestamp("created_at")
    try reader.finish()
  }
}

extension Project {
  public var json: JSON {
    .object([
      JSONMember("id", .string(self.id.description)), JSONMember("object", "project"), JSONMember("name", .string(self.name)),
      JSONMember("customer", .string(self.customer.description)), JSONMember("created_at", .string(self.createdAt.description)),
    ])
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    _ = try reader.string("object")
    self.id = try reader.identifier("id")
    self.customer = try reader.identifier("customer")
    self.name = try reader.string("name")
    self.createdAt = try reader.timestamp("created_at")
    try reader.finish()
  }
}

extension APIKey {
  /// The key as its owner and the operator see it; without the digest.
  public var json: JSON {
    .object([
      JSONMember("id", .string(self.id.description)), JSONMember("object", "key"), JSONMember("name", .string(self.name)),
      JSONMember("customer", .string(self.customer.description)), JSONMember("project", JSON(self.project?.description)),
      JSONMember("scopes", .array(self.scopes.map { .string($0.rawValue) })), JSONMember("status", .string(self.status.rawValue)),
      JSONMember("hint", .string(self.hint)), JSONMember("created_at", .string(self.createdAt.description)),
    ])
  }

  var storedJSON: JSON {
    guard case .object(let members) = self.json else { return self.json }
    return .object(members + [JSONMember("secret_sha256", .string(self.secretDigest.hexadecimal))])
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    _ = try reader.string("object")
    self.id = try reader.identifier("id")
    self.customer = try reader.identifier("customer")
    self.project = try reader.optionalIdentifier("project")
    self.name = try reader.string("name")
    self.scopes = try reader.choices("scopes")
    self.status = try reader.choice("status")
    self.hint = try reader.string("hint")
    self.createdAt = try reader.timestamp("created_at")
    guard let digest = Digest(hexadecimal: try reader.string("secret_sha256")) else {
      throw reader.failure("secret_sha256", "64 hexadecimal digits belong here")
    }
    self.secretDigest = digest
    try reader.finish()
  }
}
