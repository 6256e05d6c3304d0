internal import Documents
public import GatewayHTTP
internal import HTTPTypes
public import Hummingbird

/// The description of all routes in OpenAPI 3.1, for `GET /openapi.json`.
///
/// The routes come from the router itself, so none is missing and none is invented; what a route is for and what its body holds comes
/// from the table below.
struct OpenAPIDocument {
  /// A route as the router knows it: `GET`, `/admin/v1/customers/{id}`.
  struct Route: Hashable {
    var method: String
    var path: String
  }

  let version: String

  func json(_ routes: [Route]) -> JSON {
    var paths: [String: [JSONMember]] = [:]
    for route in routes.sorted(by: { ($0.path, $0.method) < ($1.path, $1.method) }) where route.path != "/openapi.json" {
      paths[route.path, default: []].append(JSONMember(route.method.lowercased(), self.operation(route)))
    }
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "Weighbridge", "version": .string(self.version),
        "description":
          "A gateway that decides under a model's license, meters to the token and keeps a ledger that strangers can verify.",
      ],
      "paths": .object(paths.sorted { $0.key < $1.key }.map { JSONMember($0.key, .object($0.value)) }),
      "components": [
        "securitySchemes": [
          "adminKey": ["type": "http", "scheme": "bearer", "description": "An admin key."],
          "apiKey": ["type": "http", "scheme": "bearer", "description": "A customer's key."],
        ], "schemas": Self.schemas,
      ],
    ]
  }

  private func operation(_ route: Route) -> JSON {
    let known = Self.table[route] ?? Self.billing[route] ?? Self.conduct[route]
    var members = [
      JSONMember("operationId", .string(Self.operationID(route))),
      JSONMember("summary", .string(known?.summary ?? "\(route.method) \(route.path)")),
      JSONMember("tags", [.string(Self.tag(route.path))]),
    ]
    let names = route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    let parameters =
      names.map { name -> JSON in
        ["name": .string(name), "in": "path", "required": true, "schema": ["type": "string"]]
      }
      + (known?.query ?? []).map { name -> JSON in
        ["name": .string(name), "in": "query", "required": false, "schema": ["type": "string"]]
      }
    if !parameters.isEmpty { members.append(JSONMember("parameters", .array(parameters))) }
    if let body = known?.body { members.append(JSONMember("requestBody", Self.content(body))) }
    members.append(JSONMember("responses", self.responses(known, route)))
    if let scheme = Self.scheme(route.path) { members.append(JSONMember("security", [.object([JSONMember(scheme, [])])])) }
    return .object(members)
  }

  private func responses(_ known: Row?, _ route: Route) -> JSON {
    let good: JSON = ["description": .string(known?.answer ?? "What was asked for.")]
    let isAnthropic = route.path.hasPrefix("/v1/messages")
    let error: JSON = [
      "description": .string("\(isAnthropic ? "Anthropic" : "OpenAI")'s error object, with members of ours."),
      "content": [
        "application/json": ["schema": ["$ref": .string("#/components/schemas/\(isAnthropic ? "MessagesError" : "Error")")]]
      ],
    ]
    return .object([JSONMember(known?.status ?? "200", good), JSONMember("default", error)])
  }

  private static func content(_ schema: String) -> JSON {
    [
      "required": true,
      "content": ["application/json": ["schema": ["$ref": .string("#/components/schemas/\(schema)")]]],
    ]
  }

  private static func operationID(_ route: Route) -> String {
    let words = route.path.split(whereSeparator: { "/{}.".contains($0) })
    return route.method.lowercased() + words.map { "_" + $0 }.joined()
  }

  private static func tag(_ path: String) -> String {
    let parts = path.split(separator: "/")
    return parts.first == "admin" ? "admin: " + (parts.dropFirst(2).first ?? "") : parts.first.map { String($0) } ?? "/"
  }

  private static func scheme(_ path: String) -> String? {
    if path.hasPrefix("/admin/") || path.hasPrefix("/v1/organization/") { return "adminKey" }
    return path.hasPrefix("/v1/") || path.hasSuffix("tokenize") ? "apiKey" : nil
  }

  // MARK: The table

  struct Row {
    var summary: String
    var body: String?
    var query: [String] = []
    var status = "200"
    var answer: String?
  }

  static let table: [Route: Row] = [
    Route(method: "POST", path: "/admin/v1/customers"): Row(
      summary: "Makes a customer.", body: "Customer", status: "201", answer: "The customer, with its id."),
    Route(method: "GET", path: "/admin/v1/customers"): Row(summary: "Lists customers."),
    Route(method: "GET", path: "/admin/v1/customers/{id}"): Row(summary: "One customer."),
    Route(method: "POST", path: "/admin/v1/customers/{id}/keys"): Row(
      summary: "Makes a key; its secret is shown here and nowhere else.", body: "Key", status: "201"),
    Route(method: "GET", path: "/admin/v1/customers/{id}/keys"): Row(summary: "Lists a customer's keys, without their secrets."),
    Route(method: "POST", path: "/admin/v1/customers/{id}/projects"): Row(
      summary: "Makes a project.", body: "Named", status: "201"),
    Route(method: "POST", path: "/admin/v1/customers/{id}/credits"): Row(
      summary: "Grants prepaid credit.", body: "Credit", status: "201"),
    Route(method: "POST", path: "/admin/v1/adjustments"): Row(
      summary: "Corrects what a settled request was charged.", body: "Adjustment", status: "201",
      answer: "The correction, with its id; the one that was made before, where the reference is known."),
    Route(method: "GET", path: "/admin/v1/adjustments"): Row(summary: "Lists corrections.", query: ["customer", "usage"]),
    Route(method: "POST", path: "/admin/v1/limits"): Row(summary: "Sets a limit.", body: "Limit", status: "201"),
    Route(method: "GET", path: "/admin/v1/limits"): Row(summary: "Lists limits."),
    Route(method: "POST", path: "/admin/v1/prices"): Row(
      summary: "Sets a model's price from a date on.", body: "Price", status: "201"),
    Route(method: "GET", path: "/admin/v1/prices"): Row(summary: "Lists prices."),
    Route(method: "POST", path: "/admin/v1/attestations"): Row(
      summary: "Records what somebody states and signs for.", body: "Attestation", status: "201"),
    Route(method: "GET", path: "/admin/v1/standing"): Row(
      summary: "What the licenses of a model say of a party, and what is missing.", query: ["subject", "model"]),
    Route(method: "GET", path: "/admin/v1/decisions/{id}"): Row(summary: "One decision, with all that it rested on."),
    Route(method: "GET", path: "/admin/v1/usage"): Row(
      summary: "Settled usage, summed.", query: ["customer", "key", "from", "to", "group_by"]),
    Route(method: "POST", path: "/admin/v1/exports"): Row(
      summary: "Orders an export.", body: "Export", status: "202", answer: "The export's id; ask for its state."),
    Route(method: "GET", path: "/admin/v1/exports/{id}"): Row(summary: "The state of an export."),
    Route(method: "GET", path: "/admin/v1/exports/{id}/content"): Row(summary: "A finished export; a tar for bundles."),
    Route(method: "POST", path: "/admin/v1/admin_keys"): Row(
      summary: "Makes an admin key; its secret is shown here and nowhere else.", body: "AdminKey", status: "201"),
    Route(method: "GET", path: "/admin/v1/admin_keys"): Row(summary: "Lists admin keys."),
    Route(method: "POST", path: "/v1/chat/completions"): Row(summary: "OpenAI's chat completions.", body: "Open"),
    Route(method: "POST", path: "/v1/completions"): Row(summary: "OpenAI's legacy completions.", body: "Open"),
    Route(method: "POST", path: "/v1/responses"): Row(summary: "OpenAI's responses.", body: "Open"),
    Route(method: "POST", path: "/v1/embeddings"): Row(summary: "OpenAI's embeddings.", body: "Open"),
    Route(method: "POST", path: "/v1/moderations"): Row(summary: "OpenAI's moderations, by the rules in force.", body: "Open"),
    Route(method: "POST", path: "/v1/messages"): Row(summary: "Anthropic's messages.", body: "Open"),
    Route(method: "POST", path: "/tokenize"): Row(summary: "The tokens of a prompt.", body: "Open"),
    Route(method: "POST", path: "/detokenize"): Row(summary: "The text of tokens.", body: "Open"),
    Route(method: "GET", path: "/v1/models"): Row(summary: "Lists models."),
    Route(method: "GET", path: "/v1/usage"): Row(summary: "What the calling key has used.", query: ["from", "to"]),
    Route(method: "GET", path: "/v1/limits"): Row(summary: "The limits that bind the calling key."),
    Route(method: "GET", path: "/healthz"): Row(summary: "Whether the process lives."),
    Route(method: "GET", path: "/readyz"): Row(summary: "Whether the gateway can serve, and what is in the way."),
    Route(method: "GET", path: "/metrics"): Row(summary: "Metrics, in Prometheus' text format."),
  ]
}

extension AdminRoutes {
  /// `GET /openapi.json`: the description of every route that `router` has by now. Call last.
  public func addDescription(to router: Router<GatewayContext>, version: String) {
    let routes = router.routes.map { OpenAPIDocument.Route(method: $0.method.rawValue, path: $0.path.description) }
    let description = OpenAPIDocument(version: version).json(routes)
    router.get("/openapi.json") { _, _ in jsonResponse(description) }
  }
}
