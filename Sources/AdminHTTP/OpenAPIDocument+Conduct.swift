extension OpenAPIDocument {
  /// Acceptable use: modes, exemptions, appeals, incidents.
  static let conduct: [Route: Row] = [
    Route(method: "GET", path: "/admin/v1/policies/acceptable_use/{subject}"): Row(
      summary: "Modes and hold of streams, for 'all' or for a customer, and what is enforced now."),
    Route(method: "PUT", path: "/admin/v1/policies/acceptable_use/{subject}"): Row(
      summary: "Sets them; what comes to be enforced needs the figures of a replay that pass the promotion gate.", body: "Open"),
    Route(method: "POST", path: "/admin/v1/exemptions"): Row(
      summary: "Records that a customer may do what others may not, on evidence and for a time.", body: "Open", status: "201"),
    Route(method: "GET", path: "/admin/v1/exemptions"): Row(summary: "Lists exemptions."),
    Route(method: "POST", path: "/admin/v1/exemptions/{id}/confirm"): Row(
      summary: "Confirms one as another person; it counts from then on."),
    Route(method: "POST", path: "/admin/v1/exemptions/{id}/revoke"): Row(summary: "Ends one now."),
    Route(method: "GET", path: "/admin/v1/appeals"): Row(summary: "Lists appeals."),
    Route(method: "POST", path: "/admin/v1/appeals/{id}/outcome"): Row(
      summary: "Decides one; a rule that is overturned too often goes back to mode shadow.", body: "Open"),
    Route(method: "POST", path: "/admin/v1/incidents"): Row(
      summary: "Opens a report that a violation calls for.", body: "Open", status: "201"),
    Route(method: "GET", path: "/admin/v1/incidents"): Row(summary: "Lists reports, due, overdue and sent."),
    Route(method: "POST", path: "/admin/v1/incidents/{id}/sent"): Row(
      summary: "Says that one was sent, with the digest of what was sent.", body: "Open"),
    Route(method: "POST", path: "/v1/appeals"): Row(
      summary: "Appeals against a refusal under the acceptable-use policy.", body: "Open", status: "201"),
    Route(method: "GET", path: "/v1/appeals"): Row(summary: "The appeals of the calling key's customer."),
    Route(method: "GET", path: "/v1/appeals/{id}"): Row(summary: "One of them, with its outcome."),
  ]
}
