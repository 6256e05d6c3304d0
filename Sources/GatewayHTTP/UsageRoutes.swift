public import Documents
public import Governance
public import GovernanceTypes
public import Hummingbird
internal import UsageLedger

extension PublicRoutes {
  /// `GET /v1/usage`: what the calling key has used, by model, in a span of time.
  func usage(_ request: Request) async throws -> Response {
    let caller = try self.gate.authenticate(bearerSecret(request), for: .usage)
    var query = UsageQuery(customer: caller.customer.id, key: caller.key.id, grouping: [.model])
    query.from = try timestamp(request, "from")
    query.to = try timestamp(request, "to")
    let rows = try await self.gate.usage(query)
    return jsonResponse(UsageReport(rows: rows, query: query).json)
  }

  /// `GET /v1/limits`: the limits that bind the calling key, and what is left of each.
  func limits(_ request: Request) throws -> Response {
    let caller = try self.gate.authenticate(bearerSecret(request), for: .usage)
    return jsonResponse(["object": "list", "data": .array(self.gate.limitStates(of: caller)), "has_more": false])
  }
}

/// A time given in the query; nil where it is absent.
public func timestamp(_ request: Request, _ name: String) throws -> Timestamp? {
  guard let text = request.uri.queryParameters[Substring(name)] else { return nil }
  guard let time = Timestamp(String(text)) else {
    throw Refusal(.invalidRequest, "'\(text)' is neither a date (2026-11-23) nor an RFC 3339 time.", parameter: name)
  }
  return time
}

/// A usage report as JSON: `{"data":[row],"total":{…}}`, or one total for each currency where there are several.
public struct UsageReport: Sendable {
  public var rows: [UsageRow]
  public var query: UsageQuery

  public init(rows: [UsageRow], query: UsageQuery) {
    self.rows = rows
    self.query = query
  }

  public var json: JSON {
    let totals = self.totals
    var members = [JSONMember("object", "list"), JSONMember("data", .array(self.rows.map(\.json)))]
    members.append(JSONMember("total", totals.first?.json ?? .object(UsageRow.empty)))
    if totals.count > 1 { members.append(JSONMember("totals", .array(totals.map(\.json)))) }
    return .object(members)
  }

  /// One sum for each currency, the largest currency code first having no meaning: in order of code.
  private var totals: [UsageRow] {
    var sums: [Currency: UsageRow] = [:]
    for row in self.rows {
      var sum = sums[row.currency] ?? UsageRow(requests: 0, tokens: TokenUsage(), amount: .zero, currency: row.currency)
      sum.requests += row.requests
      sum.tokens = sum.tokens + row.tokens
      sum.amount += row.amount
      sums[row.currency] = sum
    }
    return sums.values.sorted { $0.currency < $1.currency }
  }
}

extension UsageRow {
  static let empty: [JSONMember] = [
    JSONMember("requests", 0), JSONMember("prompt_tokens", 0), JSONMember("cached_tokens", 0), JSONMember("completion_tokens", 0),
    JSONMember("amount", "0.00"), JSONMember("currency", nil),
  ]

  public var json: JSON {
    var members: [JSONMember] = []
    if let customer = self.customer { members.append(JSONMember("customer", .string(customer.description))) }
    if let project = self.project { members.append(JSONMember("project", .string(project.description))) }
    if let key = self.key { members.append(JSONMember("key", .string(key.description))) }
    if let model = self.model { members.append(JSONMember("model", .string(model.name))) }
    if let day = self.day { members.append(JSONMember("day", .string(day.description))) }
    if let month = self.month { members.append(JSONMember("month", .string(month.description))) }
    return .object(
      members + [
        JSONMember("requests", .integer(self.requests)), JSONMember("prompt_tokens", .integer(self.tokens.prompt.value)),
        JSONMember("cached_tokens", .integer(self.tokens.promptCached.value)),
        JSONMember("completion_tokens", .integer(self.tokens.completion.value)),
        JSONMember("amount", .string(self.amount.description)), JSONMember("currency", .string(self.currency.description)),
      ])
  }
}
