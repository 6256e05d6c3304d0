internal import Documents
internal import GatewayHTTP
public import Governance
internal import GovernanceTypes
internal import Hummingbird

/// What is on its way to receivers outside.
public protocol DeliveryBoard: Sendable {
  func deliveries(to receiver: String?, _ state: DeliveryRecord.State, limit: Int) async throws -> [DeliveryRecord]
  func counts() async throws -> [(receiver: String, state: DeliveryRecord.State, count: Int)]
  /// - Throws: ``Refusal`` where there is no such dead letter.
  func replay(_ id: String, to receiver: String) async throws
}

extension AdminRoutes {
  func addDeliveries(to router: Router<GatewayContext>) {
    router.get(
      "/admin/v1/deliveries",
      use: self.guarded { call in
        let name = call.query("state") ?? DeliveryRecord.State.dead.rawValue
        guard let state = DeliveryRecord.State(rawValue: name) else {
          let known = DeliveryRecord.State.allCases.map(\.rawValue).joined(separator: ", ")
          throw Refusal(.invalidRequest, "'\(name)' is not one of: \(known).", parameter: "state")
        }
        let found = try await self.services.deliveries.deliveries(to: call.query("receiver"), state, limit: 1001)
        let counts = try await self.services.deliveries.counts()
        return jsonResponse([
          "object": "list", "data": .array(found.prefix(1000).map(\.json)), "has_more": .bool(found.count > 1000),
          "next_cursor": nil,
          "counts": .array(
            counts.map {
              ["receiver": .string($0.receiver), "state": .string($0.state.rawValue), "count": .integer($0.count)]
            }),
        ])
      })
    router.post(
      "/admin/v1/deliveries/replay",
      use: self.guarded { call in
        let body = try await call.json()
        let order: (receiver: String, id: String)
        do throws(DocumentError) {
          var reader = try DocumentReader(body)
          order = (try reader.string("receiver"), try reader.string("id"))
          try reader.finish()
        } catch {
          throw Refusal(error)
        }
        try await self.services.deliveries.replay(order.id, to: order.receiver)
        return jsonResponse([
          "object": "delivery", "receiver": .string(order.receiver), "id": .string(order.id), "state": "pending",
        ])
      })
  }
}

extension DeliveryRecord {
  fileprivate var json: JSON {
    [
      "object": "delivery", "receiver": .string(self.receiver), "id": .string(self.id), "state": .string(self.state.rawValue),
      "at": .string(self.at.description), "attempts": .integer(self.attempts), "failure": JSON(self.failure),
      "payload": .string(self.payload),
    ]
  }
}
