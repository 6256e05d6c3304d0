internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GatewayApp

struct PriceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "price", abstract: "Prices of models.", subcommands: [Set.self, List.self, Rerate.self])

  /// A wrong price of a month.
  struct Rerate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows whom a wrong price touched in a month, and corrects it where asked.")
    @OptionGroup var gateway: GatewayOptions
    @Argument(help: "The id of the wrong price.") var price: String
    @Option(help: "A month, such as 2026-11.") var period: String
    @Option(help: "A JSON file with the right `components`.") var file: String
    @Option var reason: String?
    @Flag(help: "Add adjustments to drafts, and write credit notes for what is invoiced.") var apply = false

    func run() async throws {
      let right = JSON(try Document.parseJSON(Array(try Data(contentsOf: URL(fileURLWithPath: self.file)))))
      let body: JSON = [
        "period": .string(self.period), "components": right["components"] ?? right, "reason": JSON(self.reason),
        "apply": .bool(self.apply),
      ]
      try await self.gateway.perform(
        "POST", "/admin/v1/prices/\(self.price)/rerate", body,
        columns: ["customer", "before", "after", "adjustment", "invoice", "applied_as", "error"])
    }
  }

  struct Set: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var model: String?
    @Option(help: "Three capital letters of ISO 4217.") var currency: String?
    @Option(help: "The first instant of the price; now if left out.") var effectiveFrom: String?
    @Option(
      name: .customLong("component"), help: "CATEGORY=PRICE per million, such as completion=0.60; give one for each category.")
    var components: [String] = []

    @Option(help: "Instead of all the others: a JSON file with the whole price, for tiers, packages, free units and maxima.")
    var file: String?
    @Option(help: "The one customer that it was negotiated with.") var customer: String?
    @Flag(help: "Set nothing: show what the price would have made of a month.") var preview = false
    @Option(help: "With --preview: the month, such as 2026-11; the one before this if left out.") var period: String?

    func validate() throws {
      guard self.file != nil || (self.model != nil && self.currency != nil && !self.components.isEmpty) else {
        throw ValidationError("give --model, --currency and --component, or --file")
      }
      guard self.period == nil || self.preview else { throw ValidationError("--period belongs to --preview") }
    }

    func run() async throws {
      let body = try self.body()
      guard self.preview else {
        return try await self.gateway.perform(
          "POST", "/admin/v1/prices", body, columns: ["id", "model", "currency", "effective_from"])
      }
      guard case .object(let members) = body else { throw ValidationError("a price is a JSON object") }
      let asked = JSON.object(members + (self.period.map { [JSONMember("period", .string($0))] } ?? []))
      let answer = try await self.gateway.client.json("POST", "/admin/v1/prices/preview", asked)
      if self.gateway.json { return Terminal.say(answer.text) }
      guard case .array(let prices)? = answer["data"] else { return Terminal.say(answer.text) }
      Terminal.say(Terminal.columns(["price", "before", "after", "touched_customers", "untouched_customers"], prices))
      for price in prices {
        guard case .array(let effects)? = price["effects"], !effects.isEmpty else { continue }
        Terminal.say("\n" + Terminal.columns(["customer", "before", "after", "adjustment"], effects))
      }
    }

    private func body() throws -> JSON {
      if let file = self.file {
        return JSON(try Document.parseJSON(Array(try Data(contentsOf: URL(fileURLWithPath: file)))))
      }
      let parts = try self.components.map { text throws -> JSON in
        let sides = text.split(separator: "=", maxSplits: 1).map { String($0) }
        guard sides.count == 2 else { throw ValidationError("'\(text)' is not of the form CATEGORY=PRICE") }
        return ["category": .string(sides[0]), "per_million": .string(sides[1])]
      }
      return [
        "model": JSON(self.model), "currency": JSON(self.currency), "effective_from": JSON(self.effectiveFrom),
        "customer": JSON(self.customer), "components": .array(parts),
      ]
    }
  }

  struct List: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    func run() async throws {
      try await self.gateway.perform("GET", "/admin/v1/prices", columns: ["id", "model", "currency", "effective_from"])
    }
  }
}

struct LimitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limit", abstract: "Limits on customers, projects and keys.", subcommands: [Set.self, List.self, Remove.self])
  static let columns = ["id", "subject", "kind", "amount", "currency", "window"]

  struct Set: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "The id of a customer, a project or a key.") var subject: String
    @Option(help: "spend, tokens, requests_per_minute, tokens_per_minute, concurrent_requests, active_users.") var kind: String
    @Option var amount: String
    @Option(help: "For spend.") var currency: String?
    @Option(help: "For spend and tokens: hour, day, week, month, total.") var window: String?
    @Option(help: "Whose clocks a window keeps to, such as Europe/Berlin; UTC if not given.") var timeZone: String?

    func run() async throws {
      let body: JSON = [
        "subject": .string(self.subject), "kind": .string(self.kind), "amount": .string(self.amount),
        "currency": JSON(self.currency),
        "window": JSON(self.window), "time_zone": JSON(self.timeZone),
      ]
      try await self.gateway.perform("POST", "/admin/v1/limits", body, columns: columns)
    }
  }

  struct List: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var subject: String?
    func run() async throws {
      let query = self.subject.map { "?subject=\($0)" } ?? ""
      try await self.gateway.perform("GET", "/admin/v1/limits\(query)", columns: columns)
    }
  }

  struct Remove: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Argument var limit: String
    func run() async throws {
      try await self.gateway.perform("DELETE", "/admin/v1/limits/\(self.limit)", columns: ["id", "deleted"])
    }
  }
}

struct Credit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Prepaid credit.", subcommands: [Grant.self, List.self])
  static let columns = ["id", "customer", "amount", "left", "currency", "priority", "expires", "promotional"]

  struct Grant: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String
    @Option var amount: String
    @Option var currency: String
    @Option(help: "0 to 100; what is lower is used first, then what expires first.") var priority: Int?
    @Option(help: "From this instant on nothing is left of it.") var expires: String?
    @Flag(help: "Given away rather than paid for: it lowers invoices before tax.") var promotional = false

    func run() async throws {
      var body: [JSONMember] = [JSONMember("amount", .string(self.amount)), JSONMember("currency", .string(self.currency))]
      if let priority = self.priority { body.append(JSONMember("priority", .integer(priority))) }
      if let expires = self.expires { body.append(JSONMember("expires", .string(expires))) }
      if self.promotional { body.append(JSONMember("promotional", true)) }
      try await self.gateway.perform(
        "POST", "/admin/v1/customers/\(self.customer)/credits", .object(body), columns: columns.filter { $0 != "left" })
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A customer's grants in the order in which they are used, with what is left.")
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String

    func run() async throws {
      try await self.gateway.perform("GET", "/admin/v1/customers/\(self.customer)/credits", columns: columns)
    }
  }
}
