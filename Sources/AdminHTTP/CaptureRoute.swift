internal import GatewayHTTP
internal import Governance
internal import GovernanceTypes
internal import Hummingbird

extension AdminRoutes {
  /// `GET /admin/v1/billing/capture-rate?month=2026-11`.
  func addCaptureRate(to router: Router<GatewayContext>) {
    router.get(
      "/admin/v1/billing/capture-rate",
      use: self.guarded { call in
        let text = try call.requiredQuery("month")
        guard let month = CalendarMonth(text) else {
          throw Refusal(.invalidRequest, "'\(text)' is no month, such as 2026-11.", parameter: "month")
        }
        return jsonResponse(try await self.services.captureRate(month))
      })
  }
}
