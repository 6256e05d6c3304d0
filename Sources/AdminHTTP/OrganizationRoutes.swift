internal import Documents
internal import GatewayHTTP
internal import Governance
internal import GovernanceTypes
internal import Hummingbird

extension AdminRoutes {
  /// OpenAI's shapes of usage and costs, for the tools that read them; for holders of an admin key.
  func addOrganization(to router: Router<GatewayContext>) {
    router.get(
      "/v1/organization/usage/completions",
      use: self.guarded { call in
        let page = try UsagePage(call, costs: false, now: self.gate.time)
        // Tokens are counted together, whatever the currency that they are charged in.
        let rows = try await self.gate.usageBuckets(page.query).reduce(into: [UsageBucketRow]()) { rows, row in
          if let last = rows.last, last.isOfTheGroup(of: row) { rows[rows.count - 1].add(row) } else { rows.append(row) }
        }
        return jsonResponse(page.json(rows) { $0.usageResult(page.grouping) })
      })
    router.get(
      "/v1/organization/costs",
      use: self.guarded { call in
        let page = try UsagePage(call, costs: true, now: self.gate.time)
        return jsonResponse(page.json(try await self.gate.usageBuckets(page.query)) { $0.costsResult(page.grouping) })
      })
  }
}

/// One page of buckets as the query asks for it.
private struct UsagePage {
  /// As OpenAI names them; `line_item` is the model here.
  private static let groupings: [String: UsageBucketQuery.Grouping] = [
    "project_id": .project, "api_key_id": .key, "model": .model, "line_item": .model,
  ]

  var query: UsageBucketQuery
  /// The names that were asked for.
  let grouping: Set<String>
  private let next: Timestamp?
  private let spanEnd: Timestamp

  init(_ call: AdminRequest, costs: Bool, now: Timestamp) throws(Refusal) {
    let parameters = OrganizationParameters(call)
    try parameters.refuse(
      allowed: costs
        ? ["start_time", "end_time", "bucket_width", "project_ids", "api_key_ids", "group_by", "limit", "page"]
        : [
          "start_time", "end_time", "bucket_width", "project_ids", "api_key_ids", "models", "batch", "group_by", "limit", "page",
        ])
    let name = parameters.first("bucket_width") ?? "1d"
    guard let width = UsageBucketQuery.Width(rawValue: name), !costs || width == .day else {
      throw Refusal(.invalidRequest, "'\(name)' is not one of: \(costs ? "1d" : "1m, 1h, 1d").", parameter: "bucket_width")
    }
    guard let first = try parameters.seconds("start_time") else {
      throw Refusal(.invalidRequest, "'start_time' is missing: seconds since 1970.", parameter: "start_time")
    }
    let end = try parameters.seconds("end_time") ?? now
    guard first < end else {
      throw Refusal(.invalidRequest, "'end_time' must be after 'start_time'.", parameter: "end_time")
    }
    let names =
      costs ? ["project_id", "line_item", "api_key_id"] : ["project_id", "api_key_id", "model", "batch", "service_tier"]
    self.grouping = Set(parameters.all("group_by"))
    for name in parameters.all("group_by") where !names.contains(name) {
      throw Refusal(.invalidRequest, "'\(name)' is not one of: \(names.joined(separator: ", ")).", parameter: "group_by")
    }
    let (usual, most) = costs ? (7, 180) : Self.limits(width)
    let limit = try parameters.integer("limit", in: 1...most) ?? usual
    let start = try parameters.page(width) ?? width.start(of: first)
    let last = Timestamp(seconds: start.seconds + Int64(limit) * width.seconds)
    self.query = UsageBucketQuery(
      from: start, to: min(last, end), width: width,
      grouping: UsageBucketQuery.Grouping.allCases.filter { grouping in
        parameters.all("group_by").contains { Self.groupings[$0] == grouping }
      })
    self.query.projects = try parameters.ids("project_ids")
    self.query.keys = try parameters.ids("api_key_ids")
    self.query.models = parameters.all("models").map { ModelID($0) }
    // Nothing here is a batch: whoever asks for batches alone gets none.
    if let batch = try parameters.flag("batch"), batch { self.query.to = self.query.from }
    self.next = last < end ? last : nil
    self.spanEnd = min(last, end)
  }

  private static func limits(_ width: UsageBucketQuery.Width) -> (usual: Int, most: Int) {
    switch width {
    case .day: (7, 31)
    case .hour: (24, 168)
    case .minute: (60, 1440)
    }
  }

  func json(_ rows: [UsageBucketRow], _ result: (UsageBucketRow) -> JSON) -> JSON {
    let byStart = Dictionary(grouping: rows, by: \.start)
    var buckets: [JSON] = []
    var start = self.query.from
    while start < self.spanEnd {
      let end = Timestamp(seconds: start.seconds + self.query.width.seconds)
      buckets.append([
        "object": "bucket", "start_time": .integer(Int(start.seconds)), "end_time": .integer(Int(end.seconds)),
        "results": .array((byStart[start] ?? []).map(result)),
      ])
      start = end
    }
    return [
      "object": "page", "data": .array(buckets), "has_more": .bool(self.next != nil),
      "next_page": JSON(self.next.map { "page_\($0.seconds)" }),
    ]
  }
}

/// The query of a route of OpenAI's: lists come as `name=a&name=b`, as `name[]=a` or divided by commas.
private struct OrganizationParameters {
  private var values: [String: [String]] = [:]

  init(_ call: AdminRequest) {
    for (key, value) in call.request.uri.queryParameters {
      let name = key.hasSuffix("[]") ? String(key.dropLast(2)) : String(key)
      self.values[name, default: []] += value.split(separator: ",").map { String($0) }
    }
  }

  func all(_ name: String) -> [String] { self.values[name] ?? [] }
  func first(_ name: String) -> String? { self.values[name]?.first }

  func refuse(allowed: Set<String>) throws(Refusal) {
    for name in self.values.keys.sorted() where !allowed.contains(name) {
      throw Refusal(.invalidRequest, "The parameter '\(name)' means nothing here.", parameter: name)
    }
  }

  func integer(_ name: String, in range: ClosedRange<Int>) throws(Refusal) -> Int? {
    guard let text = self.first(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw Refusal(
        .invalidRequest, "'\(name)' is a whole number from \(range.lowerBound) to \(range.upperBound).", parameter: name)
    }
    return number
  }

  /// Seconds since 1970, within what a time may be here.
  func seconds(_ name: String) throws(Refusal) -> Timestamp? {
    try self.integer(name, in: 0...7_258_118_400).map { Timestamp(seconds: Int64($0)) }
  }

  func page(_ width: UsageBucketQuery.Width) throws(Refusal) -> Timestamp? {
    guard let text = self.first("page") else { return nil }
    guard text.hasPrefix("page_"), let seconds = Int64(text.dropFirst(5)), (0...7_258_118_400).contains(seconds),
      seconds % width.seconds == 0
    else { throw Refusal(.invalidRequest, "'page' is not a 'next_page' of this query.", parameter: "page") }
    return Timestamp(seconds: seconds)
  }

  func flag(_ name: String) throws(Refusal) -> Bool? {
    guard let text = self.first(name) else { return nil }
    guard let flag = Bool(text) else { throw Refusal(.invalidRequest, "'\(name)' is true or false.", parameter: name) }
    return flag
  }

  func ids<Kind>(_ name: String) throws(Refusal) -> [Identifier<Kind>] {
    var ids: [Identifier<Kind>] = []
    for text in self.all(name) {
      guard let id = Identifier<Kind>(text) else { throw Refusal(.invalidRequest, "'\(text)' is no id.", parameter: name) }
      ids.append(id)
    }
    guard ids.count <= 1000 else { throw Refusal(.invalidRequest, "'\(name)' has more than 1000 ids.", parameter: name) }
    return ids
  }
}

extension UsageBucketRow {
  fileprivate func isOfTheGroup(of other: UsageBucketRow) -> Bool {
    (self.start, self.project, self.key, self.model) == (other.start, other.project, other.key, other.model)
  }

  fileprivate mutating func add(_ other: UsageBucketRow) {
    self.requests += other.requests
    self.tokens = self.tokens + other.tokens
  }

  fileprivate func usageResult(_ grouping: Set<String>) -> JSON {
    [
      "object": "organization.usage.completions.result", "input_tokens": .integer(self.tokens.prompt.value),
      "input_cached_tokens": .integer(self.tokens.promptCached.value),
      "input_uncached_tokens": .integer(self.tokens.promptUncached.value), "input_cache_write_tokens": 0,
      "output_tokens": .integer(self.tokens.completion.value), "input_audio_tokens": 0, "output_audio_tokens": 0,
      "num_model_requests": .integer(self.requests), "project_id": JSON(self.project?.description), "user_id": nil,
      "api_key_id": JSON(self.key?.description), "model": JSON(self.model?.name),
      "batch": grouping.contains("batch") ? false : nil, "service_tier": grouping.contains("service_tier") ? "default" : nil,
    ]
  }

  /// A cost by `line_item` is a cost by model: tiers and packages decide over categories together.
  fileprivate func costsResult(_ grouping: Set<String>) -> JSON {
    [
      "object": "organization.costs.result",
      "amount": ["value": .number(self.amount.description), "currency": .string(self.currency.description.lowercased())],
      "line_item": grouping.contains("line_item") ? JSON(self.model?.name) : nil,
      "project_id": JSON(self.project?.description), "api_key_id": JSON(self.key?.description),
    ]
  }
}
