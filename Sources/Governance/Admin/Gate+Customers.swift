public import Documents
public import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

extension Gate {
  /// Creates a customer; `accept_terms` and `attestations` in the same body are recorded with it, all or nothing.
  public func createCustomer(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let now = self.now()
    let id: CustomerID = self.makeID(at: now)
    var reader = try self.reading { () throws(DocumentError) in try DocumentReader(body) }
    let customer = try self.reading { () throws(DocumentError) in
      Customer(
        id: id, name: try reader.title("name"), country: try reader.optionalCountry("country"), status: .active, createdAt: now)
    }
    let accepted = try self.reading { () throws(DocumentError) in try reader.strings("accept_terms") }
    let inline = try self.reading { () throws(DocumentError) in try reader.list("attestations") }
    try self.reading { () throws(DocumentError) in try reader.finish() }
    var attestations: [StoredAttestation] = []
    for name in accepted {
      attestations += try self.acceptance(of: TermFileID(name), by: .party(id.description), signer: customer.name, at: now)
    }
    for (path, item) in inline {
      attestations.append(try self.attestation(item, path: path, subject: .party(id.description), at: now))
    }
    let object = self.stored(.customer, id: id.description, customer: id, body: customer.json)
    try await self.commit(
      [(object, .customer, [JSONMember("status", .string(customer.status.rawValue))])]
        + attestations.map { self.object(for: $0, customer: id) }, by: actor)
    guard case .object(let members) = customer.json else { return customer.json }
    return .object(members + [JSONMember("attestations", .array(attestations.map(\.json)))])
  }

  public func customers() -> [Customer] {
    self.state.withLock { $0.directory.customers.values.sorted { $0.id < $1.id } }
  }

  public func customer(_ id: CustomerID) throws(Refusal) -> Customer { try self.knownCustomer(id) }

  /// Suspends a customer or lets it back in. All its keys follow at once.
  public func setStatus(of id: CustomerID, to status: Customer.Status, by actor: Actor) async throws(Refusal) -> Customer {
    var customer = try self.knownCustomer(id)
    customer.status = status
    let object = self.stored(.customer, id: id.description, customer: id, body: customer.json)
    try await self.commit([(object, .customer, [JSONMember("status", .string(status.rawValue))])], by: actor)
    return customer
  }

  public func createProject(of customer: CustomerID, _ body: Document, by actor: Actor) async throws(Refusal) -> Project {
    _ = try self.knownCustomer(customer)
    let now = self.now()
    let project = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let name = try reader.title("name")
      try reader.finish()
      return Project(id: self.makeID(at: now), customer: customer, name: name, createdAt: now)
    }
    let object = self.stored(.project, id: project.id.description, customer: customer, body: project.json)
    try await self.commit([(object, .project, [JSONMember("customer", .string(customer.description))])], by: actor)
    return project
  }

  public func projects(of customer: CustomerID) throws(Refusal) -> [Project] {
    _ = try self.knownCustomer(customer)
    return self.state.withLock { $0.directory.projects.values.filter { $0.customer == customer }.sorted { $0.id < $1.id } }
  }
}
