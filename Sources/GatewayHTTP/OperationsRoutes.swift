internal import Documents
internal import Governance
internal import Hummingbird

extension PublicRoutes {
  /// Health, readiness, metrics and the log's head.
  func addOperations(to router: Router<GatewayContext>) {
    router.get("/healthz") { _, _ in jsonResponse(["status": "ok"]) }
    router.get("/readyz") { _, _ in
      let readiness = self.services.readiness()
      return jsonResponse(
        [
          "status": .string(readiness.isReady ? "ready" : "not_ready"), "reasons": .array(readiness.reasons.map(JSON.string)),
        ], status: readiness.isReady ? .ok : .serviceUnavailable)
    }
    router.get("/metrics") { _, _ in
      textResponse(await self.services.metrics(), type: "text/plain; version=0.0.4; charset=utf-8")
    }
    router.get("/audit/v1/checkpoint") { _, _ in
      await answering {
        guard let note = try await self.services.checkpoint() else {
          throw Refusal(.notFound, "No checkpoint has been signed yet.")
        }
        return textResponse(note)
      }
    }
  }
}
