internal import Billing
internal import Documents
internal import GovernanceTypes
internal import Synchronization

/// Who performs an act of administration, for the log.
public struct Actor: Sendable, Equatable {
  public var name: String

  public init(_ name: String) { self.name = name }

  /// Whoever holds the key that the process was started with.
  public static let bootstrap = Actor("bootstrap")
}

extension Gate {
  /// Writes an object and its log entry, and takes both into memory once they are on disk.
  ///
  /// The entry holds the object's id, a commitment to its body, and `fields`: what must be readable by an auditor.
  func commit(
    _ objects: [(object: StoredObject, type: LogEntry.EntryType, fields: [JSONMember])], by actor: Actor
  ) async throws(Refusal) {
    let ticket = self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let records = objects.map { item in
        JournalRecord(
          LogEntry(
            item.type, at: now,
            [
              JSONMember("id", .string(item.object.id)), JSONMember("actor", .string(actor.name)),
              JSONMember("commitment", .string(item.object.commitment(self.environment.digest).hexadecimal)),
            ] + item.object.concerns(item.fields) + item.fields, lookup: nil),
          effects: [.object(item.object)])
      }
      return self.journal.submit(records)
    }
    do { try await ticket.durable() } catch { throw Refusal(error) }
    let failure = self.state.withLock { state -> DocumentError? in
      for item in objects {
        do throws(DocumentError) { try state.take(item.object) } catch { return error }
      }
      return nil
    }
    if let failure { throw Refusal(failure) }
  }

  func stored(_ kind: StoredObject.Kind, id: String, customer: CustomerID?, body: JSON) -> StoredObject {
    StoredObject(kind: kind, id: id, customer: customer, body: body, salt: self.environment.randomBytes(16))
  }

  func now() -> Timestamp { self.state.withLock { $0.tick(self.environment.now()) } }

  func reading<Result>(_ body: () throws(DocumentError) -> Result) throws(Refusal) -> Result {
    do { return try body() } catch { throw Refusal(error) }
  }

  func knownCustomer(_ id: CustomerID) throws(Refusal) -> Customer {
    guard let customer = self.state.withLock({ $0.directory.customers[id] }) else {
      throw Refusal(.notFound, "There is no customer \(id).")
    }
    return customer
  }
}

extension StoredObject {
  /// The customer that the object belongs to, where `fields` do not say it already.
  fileprivate func concerns(_ fields: [JSONMember]) -> [JSONMember] {
    guard let customer = self.customer, !fields.contains(where: { $0.key == "customer" }) else { return [] }
    return [JSONMember("customer", .string(customer.description))]
  }
}

extension GateState {
  /// Takes a stored object into memory: when it is written, and again after a start.
  mutating func take(_ object: StoredObject) throws(DocumentError) {
    let document = try Document.parseJSON(object.body.bytes)
    switch object.kind {
    case .customer: self.directory.put(try Customer(stored: document))
    case .project: self.directory.put(try Project(stored: document))
    case .key: self.directory.put(try APIKey(stored: document))
    case .limit: try self.take(limit: document)
    case .price: self.prices.add(try StoredPrice(document).price)
    case .credit: try self.take(credit: document)
    case .adjustment: try self.take(adjustment: document)
    case .billingProfile:
      guard let customer = object.customer else { break }
      self.profiles[customer] = try BillingProfile(document, of: customer)
    case .invoiceDraft:
      let draft = try StoredInvoiceDraft(stored: document)
      self.drafts[draft.id] = draft
    case .attestation:
      try self.take(attestation: document)
      self.statements.append(object)
    case .termination:
      try self.take(termination: document)
      self.statements.append(object)
    case .grant: try self.take(grant: document)
    case .adminKey:
      let key = try AdminKey(stored: document)
      self.adminKeys[key.id] = key
    case .affiliation:
      try self.take(affiliation: document)
      self.statements.append(object)
    case .deletion:
      try self.take(deletion: document)
      self.statements.append(object)
    case .review:
      try self.take(review: document)
      self.statements.append(object)
    case .model: try self.take(model: document)
    case .anonymousCalls: try self.take(anonymousCalls: document)
    case .audienceDay: try self.take(audienceDay: document)
    case .conduct: self.conduct.put(try StoredConduct(stored: document))
    case .exemption: self.conduct.put(try StoredExemption(stored: document))
    case .appeal: self.conduct.put(try StoredAppeal(stored: document))
    case .incident: self.conduct.put(try StoredIncident(stored: document))
    case .delivery, .export: break
    }
  }
}
