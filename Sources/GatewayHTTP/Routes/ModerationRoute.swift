internal import Documents
internal import Governance
internal import Hummingbird
internal import OpenAIWire

extension PublicRoutes {
  /// `POST /v1/moderations`: what rules and classifier find in texts, in OpenAI's categories and in those of the term files.
  func moderations(_ request: Request) async throws -> Response {
    let read = try await self.read(request)
    let asked = try reading { () throws(DocumentError) in try ModerationRequest(read.document) }
    let results = self.gate.moderate(asked.inputs, for: read.place.customer)
    return jsonResponse([
      "id": .string("modr-" + String(UInt64.random(in: .min ... .max), radix: 16)), "model": "weighbridge-acceptable-use",
      "results": .array(results),
    ])
  }
}
