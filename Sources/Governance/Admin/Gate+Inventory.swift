public import Documents
public import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

extension Gate {
  /// A model as a CycloneDX 1.6 bill of materials: its digest, the licenses of its lineage, and what its standings rest on, of every
  /// customer. O(customers × clauses).
  ///
  /// - Throws: ``Refusal`` with `modelNotFound`.
  public func billOfMaterials(of id: ModelID) throws(Refusal) -> JSON {
    let (model, terms, customers, now) = self.state.withLock { state in
      let model = state.models[id]
      return (
        model, (model?.terms ?? []).compactMap { state.terms[$0] }, state.directory.customers.keys.sorted(),
        state.tick(self.environment.now())
      )
    }
    guard let model else { throw Refusal(.modelNotFound, "There is no model '\(id)'.", parameter: "model") }
    var standings: [InventoryModel.Entry] = []
    for customer in customers {
      let standing = try self.standing(of: customer, model: id)
      standings.append(InventoryModel.Entry(party: customer.description, standing: standing))
    }
    let inventory = InventoryModel(
      name: id.name, weights: model.weights.map { [$0] } ?? [], terms: terms, standings: standings)
    return CycloneDX(operator: model.owner, models: [inventory]).json(
      serial: self.environment.randomBytes(16), version: 1, at: now)
  }
}
