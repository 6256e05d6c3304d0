internal import ArgumentParser
internal import Documents
internal import GatewayApp

struct PriceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "price", abstract: "Prices of models.", subcommands: [Set.self, List.self])

  struct Set: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var model: String
    @Option(help: "Three capital letters of ISO 4217.") var currency: String
    @Option(help: "The first instant of the price; now if left out.") var effectiveFrom: String?
    @Option(
      name: .customLong("component"), help: "CATEGORY=PRICE per million, such as completion=0.60; give one for each category.")
    var components: [String]

    func run() async throws {
      let parts = try self.components.map { text throws -> JSON in
        let sides = text.split(separator: "=", maxSplits: 1).map { String($0) }
        guard sides.count == 2 else { throw ValidationError("'\(text)' is not of the form CATEGORY=PRICE") }
        return ["category": .string(sides[0]), "per_million": .string(sides[1])]
      }
      let body: JSON = [
        "model": .string(self.model), "currency": .string(self.currency), "effective_from": JSON(self.effectiveFrom),
        "components": .array(parts),
      ]
      try await self.gateway.perform("POST", "/admin/v1/prices", body, columns: ["id", "model", "currency", "effective_from"])
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
  static let configuration = CommandConfiguration(abstract: "Prepaid credit.", subcommands: [Grant.self])

  struct Grant: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String
    @Option var amount: String
    @Option var currency: String

    func run() async throws {
      try await self.gateway.perform(
        "POST", "/admin/v1/customers/\(self.customer)/credits",
        ["amount": .string(self.amount), "currency": .string(self.currency)], columns: ["id", "customer", "amount", "currency"])
    }
  }
}

struct Usage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Usage reports, exports and corrections.",
    subcommands: [Report.self, Export.self, Adjust.self, Adjustments.self])

  struct Report: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String?
    @Option(help: "The first instant; a date or RFC 3339.") var from: String?
    @Option(help: "The instant after the last.") var to: String?
    @Option(help: "customer, project, key, model, day, month; divided by commas.") var groupBy = "customer,model,day"

    func run() async throws {
      let query = [("customer", self.customer), ("from", self.from), ("to", self.to), ("group_by", self.groupBy)]
        .compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: "&")
      let columns =
        self.groupBy.split(separator: ",").map { String($0) }
        + ["requests", "prompt_tokens", "cached_tokens", "completion_tokens", "amount", "currency"]
      try await self.gateway.perform("GET", "/admin/v1/usage?\(query)", columns: columns)
    }
  }

  struct Export: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "csv, jsonl, focus.") var format = "csv"
    @Option var from: String?
    @Option var to: String?
    @Option(name: .shortAndLong, help: "The file to write.") var output: String

    func run() async throws {
      try await self.gateway.export(kind: "usage", format: self.format, from: self.from, to: self.to, output: self.output)
    }
  }

  struct Adjust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Corrects what a settled request was charged.")
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "The id of the request's usage record.") var usage: String
    @Option(help: "More where positive, less where negative, such as --amount=-0.05.") var amount: String
    @Option var reason: String
    @Option(help: "Your own name for it: the same one is not made twice.") var reference: String?

    func run() async throws {
      var body = [
        JSONMember("usage", .string(self.usage)), JSONMember("amount", .string(self.amount)),
        JSONMember("reason", .string(self.reason)),
      ]
      if let reference { body.append(JSONMember("reference", .string(reference))) }
      try await self.gateway.perform(
        "POST", "/admin/v1/adjustments", .object(body), columns: ["id", "usage", "amount", "currency"])
    }
  }

  struct Adjustments: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists corrections.")
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String?
    @Option var usage: String?

    func run() async throws {
      let query = [("customer", self.customer), ("usage", self.usage)]
        .compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: "&")
      try await self.gateway.perform(
        "GET", "/admin/v1/adjustments?\(query)", columns: ["id", "usage", "amount", "currency", "reason", "actor", "adjusted_at"])
    }
  }
}
