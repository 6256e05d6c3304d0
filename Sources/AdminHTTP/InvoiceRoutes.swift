internal import Billing
internal import Documents
internal import GatewayHTTP
internal import Governance
internal import GovernanceTypes
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

extension AdminRoutes {
  func addInvoices(to router: Router<GatewayContext>) {
    router.put(
      "/admin/v1/customers/{id}/billing",
      use: self.guarded { call in
        jsonResponse(try await self.gate.setBillingProfile(of: call.identifier(), call.json(), by: call.actor))
      })
    router.get(
      "/admin/v1/customers/{id}/billing",
      use: self.guarded { call in jsonResponse(try self.gate.billingProfile(of: call.identifier())) })
    router.post(
      "/admin/v1/invoices",
      use: self.guarded { call in
        jsonResponse(try await self.gate.draftInvoice(call.json(), by: call.actor), status: .created)
      })
    router.get("/admin/v1/invoices", use: self.guarded { call in try self.invoices(call) })
    router.get(
      "/admin/v1/invoices/{id}",
      use: self.guarded { call in
        try self.answer(try await self.gate.invoice(call.identifier()), as: InvoiceForm(call))
      })
    router.post(
      "/admin/v1/invoices/{id}/finalize",
      use: self.guarded { call in
        jsonResponse(try await self.gate.finalizeInvoice(call.identifier(), by: call.actor).json)
      })
    router.post(
      "/admin/v1/invoices/{id}/credit_notes",
      use: self.guarded { call in
        jsonResponse(
          try await self.gate.creditNote(of: call.identifier(), call.json(), by: call.actor).json, status: .created)
      })
    router.post("/admin/v1/invoices/runs", use: self.guarded { call in try await self.run(call) })
  }

  /// `GET /admin/v1/invoices?customer=…&period=2026-11&after=inv_…&limit=100`.
  private func invoices(_ call: AdminRequest) throws -> Response {
    let customer = try call.query("customer").map { text throws -> CustomerID in
      guard let id = CustomerID(text) else { throw Refusal(.notFound, "There is no customer '\(text)'.", parameter: "customer") }
      return id
    }
    let period = try call.query("period").map { text throws -> CalendarMonth in
      guard let month = CalendarMonth(text) else {
        throw Refusal(.invalidRequest, "'\(text)' is no month such as 2026-11.", parameter: "period")
      }
      return month
    }
    return try pageResponse(self.gate.invoices(of: customer, in: period), call)
  }

  private func answer(_ view: InvoiceView, as form: InvoiceForm) throws -> Response {
    switch view {
    case .draft(let draft):
      guard form == .json else {
        throw Refusal(.conflict, "A draft has no document yet; finalise it first.", parameter: "format")
      }
      return jsonResponse(draft)
    case .final(let invoice, let document, let digest):
      let (bytes, type): ([UInt8], String)
      switch form {
      case .json: (bytes, type) = (document, "application/json")
      case .html: (bytes, type) = (InvoiceHTML.page(invoice), "text/html; charset=utf-8")
      case .ubl: (bytes, type) = (try self.ubl(invoice), "application/xml")
      }
      var headers: HTTPFields = [.contentType: type]
      if let name = HTTPField.Name("x-weighbridge-document-sha256") { headers[name] = digest.hexadecimal }
      return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
  }

  private func ubl(_ invoice: Invoice) throws(Refusal) -> [UInt8] {
    do throws(InvoiceUBL.Defect) { return try InvoiceUBL.document(invoice) } catch {
      switch error {
      case .decimals(let currency):
        throw Refusal(.conflict, "EN 16931 writes two decimals at most, and \(currency) has more. Use html or json.")
      case .noLines: throw Refusal(.conflict, "EN 16931 has no invoice without a line. Use html or json.")
      }
    }
  }

  /// `POST /admin/v1/invoices/runs {"period","after"?,"limit"?}`.
  private func run(_ call: AdminRequest) async throws -> Response {
    let body = try await call.json()
    let order: (period: CalendarMonth, after: CustomerID?, limit: Int)
    do throws(DocumentError) {
      var reader = try DocumentReader(body)
      guard let period = CalendarMonth(try reader.string("period")) else {
        throw reader.failure("period", "a month belongs here, such as 2026-11")
      }
      let text = try reader.optionalString("after")
      let after = text.flatMap { CustomerID($0) }
      if text != nil, after == nil { throw reader.failure("after", "a customer's id belongs here") }
      order = (period, after, try reader.optionalInteger("limit", in: 1...1000) ?? 100)
      try reader.finish()
    } catch {
      throw Refusal(error)
    }
    let (rows, next) = try await self.gate.runInvoices(
      of: order.period, after: order.after, customers: order.limit, by: call.actor)
    return jsonResponse([
      "object": "list", "data": .array(rows.map(\.json)), "has_more": .bool(next != nil),
      "next_cursor": JSON(next?.description),
    ])
  }
}

/// In what form an invoice is asked for: by `format`, else by what the client accepts.
enum InvoiceForm: String, CaseIterable {
  case json, html, ubl

  init(_ call: AdminRequest) throws(Refusal) {
    if let name = call.query("format") {
      guard let form = InvoiceForm(rawValue: name) else {
        throw Refusal(.invalidRequest, "'\(name)' is not one of: json, html, ubl.", parameter: "format")
      }
      self = form
      return
    }
    let accepted = call.request.headers[.accept] ?? ""
    if accepted.contains("application/json") || accepted.contains("*/*") && !accepted.contains("text/html") {
      self = .json
    } else if accepted.contains("text/html") {
      self = .html
    } else {
      self = accepted.contains("xml") ? .ubl : .json
    }
  }
}

extension InvoiceRunRow {
  fileprivate var json: JSON {
    let head = [
      JSONMember("customer", .string(self.customer.description)), JSONMember("currency", JSON(self.currency?.description)),
    ]
    switch self.outcome {
    case .success(let summary):
      return .object(
        head + [
          JSONMember("id", .string(summary.id.description)), JSONMember("number", .string(summary.number)),
          JSONMember("gross", .string(summary.gross.description)),
        ])
    case .failure(let refusal):
      return .object(
        head + [JSONMember("code", .string(refusal.code.rawValue)), JSONMember("error", .string(refusal.message))])
    }
  }
}

/// A page of a list by `after`, the `id` of the last element seen, and `limit`.
func pageResponse(_ elements: [JSON], _ call: AdminRequest) throws -> Response {
  var limit = 1000
  if let text = call.query("limit") {
    guard let number = Int(text), (1...10_000).contains(number) else {
      throw Refusal(.invalidRequest, "'limit' is a number from 1 to 10000.", parameter: "limit")
    }
    limit = number
  }
  var rest = elements[...]
  if let after = call.query("after") {
    guard let place = elements.firstIndex(where: { $0["id"] == .string(after) }) else {
      throw Refusal(.notFound, "There is no '\(after)' in this list.", parameter: "after")
    }
    rest = elements[(place + 1)...]
  }
  let page = rest.prefix(limit)
  let hasMore = page.count < rest.count
  return jsonResponse([
    "object": "list", "data": .array(Array(page)), "has_more": .bool(hasMore),
    "next_cursor": hasMore ? page.last?["id"] ?? .null : .null,
  ])
}
