internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GatewayApp

struct InvoiceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "invoice", abstract: "Invoices and credit notes.",
    subcommands: [Profile.self, Draft.self, Finalize.self, Show.self, List.self, CreditNote.self])
  static let columns = ["id", "status", "number", "customer", "period", "gross", "currency"]

  /// Where an invoice goes and how it is taxed, from a file.
  struct Profile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sets or shows how a customer is invoiced.")
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String
    @Option(help: "A JSON file with party, and tax, commitments and budget where there are any; shows what is set if left out.")
    var file: String?

    func run() async throws {
      let path = "/admin/v1/customers/\(self.customer)/billing"
      guard let file = self.file else {
        return Terminal.say(try await self.gateway.client.json("GET", path).text)
      }
      let body = JSON(try Document.parseJSON(Array(try Data(contentsOf: URL(fileURLWithPath: file)))))
      Terminal.say(try await self.gateway.client.json("PUT", path, body).text)
    }
  }

  struct Draft: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Drafts a customer's month, or replaces its draft.")
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String
    @Option(help: "A month, such as 2026-11.") var period: String
    @Option(help: "Needed where the month was settled in several.") var currency: String?
    @Option(name: .customLong("adjust"), help: "REASON=AMOUNT, before tax; negative in the customer's favour.")
    var adjustments: [String] = []

    func run() async throws {
      let parts = try self.adjustments.map { text throws -> JSON in
        guard let sign = text.lastIndex(of: "=") else { throw ValidationError("'\(text)' is not of the form REASON=AMOUNT") }
        return ["reason": .string(String(text[..<sign])), "amount": .string(String(text[text.index(after: sign)...]))]
      }
      let body: JSON = [
        "customer": .string(self.customer), "period": .string(self.period), "currency": JSON(self.currency),
        "adjustments": .array(parts),
      ]
      InvoiceText.say(try await self.gateway.client.json("POST", "/admin/v1/invoices", body), asJSON: self.gateway.json)
    }
  }

  struct Finalize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes a draft final, or a month of all customers.",
      discussion: "What cannot be finalised is listed with the reason, and the command exits 1.")
    @OptionGroup var gateway: GatewayOptions
    @Argument(help: "A draft's id.") var invoice: String?
    @Option(help: "Instead of an id: a month, such as 2026-11, of all customers.") var period: String?

    func validate() throws {
      guard (self.invoice == nil) != (self.period == nil) else {
        throw ValidationError("give the id of a draft, or --period for all customers")
      }
    }

    func run() async throws {
      if let invoice = self.invoice {
        return try await self.gateway.perform("POST", "/admin/v1/invoices/\(invoice)/finalize", columns: columns)
      }
      var rows: [JSON] = []
      var cursor = JSON.null
      repeat {
        let page = try await self.gateway.client.json(
          "POST", "/admin/v1/invoices/runs", ["period": JSON(self.period), "after": cursor])
        if case .array(let elements)? = page["data"] { rows += elements }
        cursor = page["next_cursor"] ?? .null
      } while cursor != .null
      Terminal.say(
        self.gateway.json
          ? JSON.object([JSONMember("data", .array(rows))]).text
          : Terminal.columns(["customer", "currency", "number", "gross", "id", "error"], rows))
      if rows.contains(where: { $0["error"] != nil }) { throw ExitCode(1) }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One invoice, for a terminal or as a document.")
    @OptionGroup var gateway: GatewayOptions
    @Argument var invoice: String
    @Option(help: "json (the document as it is in the log), html or ubl; lines for the terminal if left out.") var format: String?
    @Option(name: .shortAndLong, help: "The file to write.") var output: String?

    func run() async throws {
      let client = try self.gateway.client
      let path = "/admin/v1/invoices/\(self.invoice)"
      guard self.format != nil || self.output != nil else {
        return InvoiceText.say(try await client.json("GET", path + "?format=json"), asJSON: self.gateway.json)
      }
      let bytes = try await client.bytes("GET", "\(path)?format=\(self.format ?? "json")")
      guard let output = self.output else { return Terminal.write(String(decoding: bytes, as: UTF8.self)) }
      try Data(bytes).write(to: URL(fileURLWithPath: output))
      Terminal.say("wrote \(output) (\(bytes.count) bytes)")
    }
  }

  struct List: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String?
    @Option(help: "A month, such as 2026-11.") var period: String?

    func run() async throws {
      let query = [("customer", self.customer), ("period", self.period), ("limit", "10000")]
        .compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: "&")
      try await self.gateway.perform("GET", "/admin/v1/invoices?\(query)", columns: columns)
    }
  }

  struct CreditNote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "credit-note", abstract: "Corrects a final invoice by a credit note.")
    @OptionGroup var gateway: GatewayOptions
    @Argument(help: "The invoice's id.") var invoice: String
    @Option var reason: String
    @Flag(help: "All that is left of the invoice.") var whole = false
    @Option(name: .customLong("line"), help: "LINE=AMOUNT before tax; may be given several times.") var lines: [String] = []
    @Option(help: "A price whose lines give back --amount.") var price: String?
    @Option(help: "With --price.") var amount: String?

    func validate() throws {
      let forms = [self.whole, !self.lines.isEmpty, self.price != nil].filter { $0 }.count
      guard forms == 1, (self.price == nil) == (self.amount == nil) else {
        throw ValidationError("give one of --whole, --line LINE=AMOUNT, and --price with --amount")
      }
    }

    func run() async throws {
      var body = [JSONMember("reason", .string(self.reason))]
      if self.whole { body.append(JSONMember("whole", true)) }
      if let price = self.price { body += [JSONMember("price", .string(price)), JSONMember("amount", JSON(self.amount))] }
      if !self.lines.isEmpty {
        let parts = try self.lines.map { text throws -> JSON in
          let sides = text.split(separator: "=", maxSplits: 1).map { String($0) }
          guard sides.count == 2, let line = Int(sides[0]) else {
            throw ValidationError("'\(text)' is not of the form LINE=AMOUNT")
          }
          return ["line": .integer(line), "amount": .string(sides[1])]
        }
        body.append(JSONMember("lines", .array(parts)))
      }
      try await self.gateway.perform(
        "POST", "/admin/v1/invoices/\(self.invoice)/credit_notes", .object(body), columns: columns + ["corrects"])
    }
  }
}

/// An invoice for a terminal.
private enum InvoiceText {
  static func say(_ invoice: JSON, asJSON: Bool) {
    if asJSON { return Terminal.say(invoice.text) }
    let head = ["id", "number", "status", "kind", "customer", "period", "currency", "issued", "due", "waits_for"]
    Terminal.say(Terminal.table(head.compactMap { name in self.text(invoice[name]).map { (name, $0) } }))
    if case .array(let lines)? = invoice["lines"] {
      Terminal.say("\n" + Terminal.columns(["line", "title", "quantity", "per_million", "exact", "amount"], lines))
    }
    if case .array(let taxes)? = invoice["tax"] {
      Terminal.say("\n" + Terminal.columns(["category", "percent", "taxable", "tax"], taxes))
    }
    guard case .object(let totals)? = invoice["totals"] else { return }
    Terminal.say("\n" + Terminal.table(totals.compactMap { member in self.text(member.value).map { (member.key, $0) } }))
  }

  private static func text(_ value: JSON?) -> String? { if case .string(let text)? = value { text } else { nil } }
}
