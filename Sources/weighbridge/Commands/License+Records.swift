internal import ArgumentParser
internal import Documents
internal import GatewayApp

extension License {
  struct Affiliate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Record who controls whom; more than a half makes affiliates, whose users count together.",
      subcommands: [Record.self, End.self, List.self])
    static let columns = ["id", "controller", "controlled", "control", "valid_from", "valid_to"]

    struct Record: AsyncParsableCommand {
      @OptionGroup var gateway: GatewayOptions
      @Option(help: "operator, or a customer's id.") var controller: String
      @Option(help: "operator, or a customer's id.") var controlled: String
      @Option(help: "The share of the votes, such as 0.51.") var control: String
      @Option(help: "The first day.") var from: String
      @Option(help: "The first day on which the share is no longer held.") var to: String?

      func run() async throws {
        let body: JSON = [
          "controller": .string(self.controller), "controlled": .string(self.controlled), "control": .string(self.control),
          "valid_from": .string(self.from), "valid_to": JSON(self.to),
        ]
        try await self.gateway.perform("POST", "/admin/v1/affiliations", body, columns: columns)
      }
    }

    struct End: AsyncParsableCommand {
      @OptionGroup var gateway: GatewayOptions
      @Argument var affiliation: String
      @Option(help: "The first day on which the share is no longer held.") var to: String
      func run() async throws {
        try await self.gateway.perform(
          "POST", "/admin/v1/affiliations/\(self.affiliation)/end", ["valid_to": .string(self.to)], columns: columns)
      }
    }

    struct List: AsyncParsableCommand {
      @OptionGroup var gateway: GatewayOptions
      func run() async throws { try await self.gateway.perform("GET", "/admin/v1/affiliations", columns: columns) }
    }
  }

  struct Deletion: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "deleted", abstract: "Record that the materials of a license were deleted, as it asks for once it has ended.")
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "operator, or a customer's id.") var subject: String
    @Option(help: "The term file.") var terms: String
    @Option(help: "A model that was deleted.") var model: [String] = []
    @Option(help: "The SHA-256 of a file that was deleted.") var fileSha256: [String]
    @Option(help: "Who deleted it.") var by: String
    @Option(help: "The day.") var on: String

    func run() async throws {
      let body: JSON = [
        "subject": .string(self.subject), "terms": .string(self.terms), "models": .array(self.model.map(JSON.string)),
        "files_sha256": .array(self.fileSha256.map(JSON.string)), "by": .string(self.by), "on": .string(self.on),
      ]
      try await self.gateway.perform("POST", "/admin/v1/deletions", body, columns: ["id", "subject", "terms", "by", "on"])
    }
  }

  struct Review: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "reviewed", abstract: "Record that a document which may change in place was read again.")
    @OptionGroup var gateway: GatewayOptions
    @Argument(help: "The term file.") var license: String
    @Argument(help: "The document's role, such as acceptable-use-policy.") var role: String
    @Option(help: "Who read it.") var reviewer: String
    @Option(help: "The SHA-256 of the text as it is now.") var sha256: String

    func run() async throws {
      let body: JSON = [
        "terms": .string(self.license), "role": .string(self.role), "reviewer": .string(self.reviewer),
        "sha256": .string(self.sha256),
      ]
      try await self.gateway.perform(
        "POST", "/admin/v1/reviews", body, columns: ["id", "terms", "role", "unchanged", "reviewed_at"])
    }
  }
}
