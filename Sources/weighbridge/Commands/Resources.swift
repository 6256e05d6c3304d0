internal import ArgumentParser
internal import Documents
internal import GatewayApp

struct CustomerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "customer", abstract: "Customers.", subcommands: [Create.self, List.self, Suspend.self, Activate.self])
  static let columns = ["id", "name", "country", "status", "created_at"]

  struct Create: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "The customer's name.") var name: String
    @Option(help: "Two capital letters of ISO 3166-1.") var country: String?
    @Option(help: "A term file that the customer accepts; may be given several times.") var acceptTerms: [String] = []

    func run() async throws {
      let body: JSON = [
        "name": .string(self.name), "country": JSON(self.country), "accept_terms": .array(self.acceptTerms.map(JSON.string)),
      ]
      try await self.gateway.perform("POST", "/admin/v1/customers", body, columns: columns)
    }
  }

  struct List: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    func run() async throws { try await self.gateway.perform("GET", "/admin/v1/customers", columns: columns) }
  }

  struct Suspend: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Argument var customer: String
    func run() async throws {
      try await self.gateway.perform("POST", "/admin/v1/customers/\(self.customer)/suspend", columns: columns)
    }
  }

  struct Activate: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Argument var customer: String
    func run() async throws {
      try await self.gateway.perform("POST", "/admin/v1/customers/\(self.customer)/activate", columns: columns)
    }
  }
}

struct Project: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Projects of a customer.", subcommands: [Create.self, List.self])
  static let columns = ["id", "name", "customer", "created_at"]

  struct Create: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String
    @Option var name: String
    func run() async throws {
      try await self.gateway.perform(
        "POST", "/admin/v1/customers/\(self.customer)/projects", ["name": .string(self.name)], columns: columns)
    }
  }

  struct List: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String
    func run() async throws {
      try await self.gateway.perform("GET", "/admin/v1/customers/\(self.customer)/projects", columns: columns)
    }
  }
}

struct Key: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "API keys.", subcommands: [Create.self, List.self, Suspend.self, Activate.self, Revoke.self])
  static let columns = ["id", "name", "status", "scopes", "hint", "created_at"]

  struct Create: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String
    @Option var name: String
    @Option(help: "inference, usage; both if left out.") var scope: [String] = []
    @Option(help: "A project of the customer.") var project: String?

    func run() async throws {
      let body: JSON = [
        "name": .string(self.name), "scopes": .array(self.scope.map(JSON.string)), "project": JSON(self.project),
      ]
      try await self.gateway.perform(
        "POST", "/admin/v1/customers/\(self.customer)/keys", body, columns: ["id", "name", "secret"])
    }
  }

  struct List: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String
    func run() async throws {
      try await self.gateway.perform("GET", "/admin/v1/customers/\(self.customer)/keys", columns: columns)
    }
  }

  struct Suspend: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Argument var key: String
    func run() async throws { try await self.gateway.perform("POST", "/admin/v1/keys/\(self.key)/suspend", columns: columns) }
  }

  struct Activate: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Argument var key: String
    func run() async throws { try await self.gateway.perform("POST", "/admin/v1/keys/\(self.key)/activate", columns: columns) }
  }

  struct Revoke: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Argument var key: String
    func run() async throws { try await self.gateway.perform("POST", "/admin/v1/keys/\(self.key)/revoke", columns: columns) }
  }
}

struct Model: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Models that a gateway serves, and model files.", subcommands: [List.self, Inspect.self, Verify.self])

  struct List: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    func run() async throws {
      try await self.gateway.perform(
        "GET", "/admin/v1/models", columns: ["id", "terms", "context_length", "is_priced", "weights_sha256"])
    }
  }
}

struct DecisionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decision", abstract: "Decisions in the log.", subcommands: [Show.self])

  struct Show: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Argument var decision: String
    func run() async throws {
      try await self.gateway.perform(
        "GET", "/admin/v1/decisions/\(self.decision)",
        columns: ["id", "at", "moment", "verdict", "code", "terms", "clause", "ref", "fact", "state"])
    }
  }
}

struct AudienceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audience", abstract: "Active users of this month.", subcommands: [Show.self])

  struct Show: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    func run() async throws {
      let audience = try await self.gateway.client.json("GET", "/admin/v1/audience")
      if self.gateway.json { return Terminal.say(audience.text) }
      guard case .array(let scopes)? = audience["data"] else { return Terminal.say(audience.text) }
      Terminal.say(Terminal.columns(["scope", "month", "active_users", "lower", "upper", "least", "most"], scopes))
      let caps = scopes.flatMap { scope -> [JSON] in
        guard case .array(let caps)? = scope["caps"] else { return [] }
        return caps.map { cap in
          [
            "scope": scope["scope"] ?? .null, "source": cap["source"] ?? .null, "at_most": cap["at_most"] ?? .null,
            "percent": cap["percent"] ?? .null, "reached_on": cap["reached_on"] ?? .null,
          ]
        }
      }
      guard !caps.isEmpty else { return }
      Terminal.say("\n" + Terminal.columns(["scope", "source", "at_most", "percent", "reached_on"], caps))
    }
  }
}
