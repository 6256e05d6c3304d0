extension OpenAPIDocument {
  /// Rows of the routes of billing.
  static let billing: [Route: Row] = [
    Route(method: "GET", path: "/admin/v1/customers/{id}/credits"): Row(
      summary: "A customer's grants of credit in the order in which they are used, with what is left."),
    Route(method: "POST", path: "/admin/v1/prices/preview"): Row(
      summary: "What a price would have made of a month; nothing is changed.", body: "PricePreview"),
    Route(method: "POST", path: "/admin/v1/prices/{id}/rerate"): Row(
      summary: "Whom a wrong price touched in a month, and, with `apply`, their corrections.", body: "Rerate"),
    Route(method: "GET", path: "/v1/organization/usage/completions"): Row(
      summary: "OpenAI's usage by buckets of time.",
      query: [
        "start_time", "end_time", "bucket_width", "project_ids", "api_key_ids", "models", "batch", "group_by", "limit", "page",
      ]),
    Route(method: "GET", path: "/v1/organization/costs"): Row(
      summary: "OpenAI's costs by day; a line item is a model.",
      query: ["start_time", "end_time", "bucket_width", "project_ids", "api_key_ids", "group_by", "limit", "page"]),
    Route(method: "PUT", path: "/admin/v1/customers/{id}/billing"): Row(
      summary: "Sets how a customer is invoiced: address, tax, commitments, budget.", body: "BillingProfile"),
    Route(method: "GET", path: "/admin/v1/customers/{id}/billing"): Row(summary: "How a customer is invoiced."),
    Route(method: "POST", path: "/admin/v1/invoices"): Row(
      summary: "Drafts a customer's month, or replaces its draft.", body: "InvoiceDraft", status: "201",
      answer: "The draft, with all lines as the ledger has them now."),
    Route(method: "GET", path: "/admin/v1/invoices"): Row(
      summary: "Lists final documents and open drafts.", query: ["customer", "period", "after", "limit"]),
    Route(method: "GET", path: "/admin/v1/invoices/{id}"): Row(
      summary: "One invoice or credit note: the stored JSON document, or `format=html` or `ubl` made of it.", query: ["format"]),
    Route(method: "POST", path: "/admin/v1/invoices/{id}/finalize"): Row(
      summary: "Makes a draft final under the next number. It never changes again."),
    Route(method: "POST", path: "/admin/v1/invoices/{id}/credit_notes"): Row(
      summary: "Corrects a final invoice by a credit note.", body: "CreditNote", status: "201"),
    Route(method: "GET", path: "/admin/v1/billing/capture-rate"): Row(
      summary:
        "A month's tokens as engines produced them, as they were settled and as they were invoiced, with every difference.",
      query: ["month"]),
    Route(method: "GET", path: "/admin/v1/exports/{id}/metadata"): Row(
      summary: "The metadata file of a finished export in FOCUS."),
    Route(method: "GET", path: "/admin/v1/deliveries"): Row(
      summary: "Messages to receivers outside: those given up, unless another state is asked for.", query: ["receiver", "state"]),
    Route(method: "POST", path: "/admin/v1/deliveries/replay"): Row(
      summary: "Sends a message that was given up once more.", body: "Replay"),
    Route(method: "POST", path: "/admin/v1/invoices/runs"): Row(
      summary: "Finalises a month for the next customers.", body: "InvoiceRun",
      answer: "A row for each invoice, and where to go on."),
  ]
}
