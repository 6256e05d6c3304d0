extension OpenAPIDocument {
  /// Rows of the routes of billing.
  static let billing: [Route: Row] = [
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
    Route(method: "POST", path: "/admin/v1/invoices/runs"): Row(
      summary: "Finalises a month for the next customers.", body: "InvoiceRun",
      answer: "A row for each invoice, and where to go on."),
  ]
}
