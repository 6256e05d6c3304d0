internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GatewayApp

struct License: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Term files, their tests, and the records that they ask for.",
    subcommands: [
      List.self, Show.self, Explain.self, Check.self, Test.self, Reload.self, Import.self, Attest.self, Grant.self,
      Terminate.self, Affiliate.self, Deletion.self, Review.self, Inventory.self,
    ])

  struct List: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    func run() async throws {
      try await self.gateway.perform("GET", "/admin/v1/licenses", columns: ["id", "revision", "title", "sha256"])
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the reading of a license, clause by clause.")
    @OptionGroup var gateway: GatewayOptions
    @Argument var license: String
    func run() async throws {
      let reading = try await self.gateway.client.json("GET", "/legal/licenses/\(self.license)")
      if self.gateway.json { return Terminal.say(reading.text) }
      guard case .array(let clauses)? = reading["clauses"] else { return Terminal.say(reading.text) }
      Terminal.say(Terminal.columns(["ref", "kind", "id", "summary"], clauses))
    }
  }

  struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run the decision tables of term files, offline.",
      discussion: "Each folder below DIRECTORY holds terms.yaml and cases.yaml. Exit status 1 if a case comes out otherwise.")

    @Argument(help: "A folder of term files; the one that comes with the gateway if left out.")
    var directory: String?

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
      let result = try TermTest.run(directory: self.directory, environment: ProcessInfo.processInfo.environment)
      Terminal.say(self.json ? result.json.text : result.text)
      if result.failureCount > 0 { throw ExitCode(1) }
    }
  }

  struct Reload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have a running gateway read its term files again. With any error in them, those in force stay.")
    @OptionGroup var gateway: GatewayOptions
    func run() async throws {
      try await self.gateway.perform("POST", "/admin/v1/licenses/reload", columns: ["id", "revision", "title", "sha256"])
    }
  }

  struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Hand a running gateway the verbatim text of a license document, to be served to customers.")
    @OptionGroup var gateway: GatewayOptions
    @Argument var license: String
    @Argument(help: "The document's role, such as license or acceptable-use-policy.") var role: String
    @Argument var file: String
    func run() async throws {
      let answer = try await self.gateway.client.upload(
        "/admin/v1/licenses/\(self.license)/documents/\(self.role)", file: self.file)
      Terminal.say(self.gateway.json ? answer.text : Terminal.columns(["terms", "role", "sha256"], [answer]))
    }
  }

  struct Attest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Record a statement that someone signs for.")
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "operator, or a customer's id.") var subject: String?
    @Option var fact: String?
    @Option(help: "The value as JSON: true, {\"upper\": 1000000}, \"DE\", [\"chat\"].") var value: String?
    @Option(help: "Who signs.") var signer: String?
    @Option(help: "In what role.") var role: String?
    @Option(help: "When the statement ends.") var expires: String?
    @Option(help: "The whole statement as a JSON file, signed or not; instead of the others.") var statement: String?

    func run() async throws {
      try await self.gateway.perform(
        "POST", "/admin/v1/attestations", try self.body,
        columns: ["id", "subject", "fact", "expires", "verified_signer", "conflicts_with"])
    }

    private var body: JSON {
      get throws {
        if let path = self.statement {
          guard let data = FileManager.default.contents(atPath: path) else { throw ValidationError("\(path) cannot be read") }
          return JSON(try Document.parseJSON(Array(data)))
        }
        guard let subject, let fact, let value, let signer, let role else {
          throw ValidationError("--subject, --fact, --value, --signer and --role are needed, or --statement with a file")
        }
        return [
          "subject": .string(subject), "fact": .string(fact), "value": JSON(try Document.parseJSON(Array(value.utf8))),
          "signer": ["name": .string(signer), "role": .string(role)], "expires": JSON(self.expires),
        ]
      }
    }
  }

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the records that end soon. Exit status 1 if there is one.")
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "How far ahead to look, in days, such as 30d.") var within = "30d"

    func run() async throws {
      guard self.within.hasSuffix("d"), let days = Int(self.within.dropLast()), days >= 0 else {
        throw ValidationError("--within takes a number of days, such as 30d")
      }
      let answer = try await self.gateway.client.json("GET", "/admin/v1/expiries?within_days=\(days)")
      guard case .array(let records)? = answer["data"] else { throw ValidationError("the gateway answered without a list") }
      Terminal.say(
        self.gateway.json
          ? answer.text
          : records.isEmpty
            ? "no record ends within \(days) days"
            : Terminal.columns(["expires", "kind", "subject", "terms", "fact", "state", "reference", "remedy"], records))
      if !records.isEmpty { throw ExitCode(1) }
    }
  }

  struct Grant: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Record, confirm or revoke a right that the licensor granted in a document of its own.",
      discussion: "A grant counts once another admin than the one who recorded it has confirmed it.",
      subcommands: [Record.self, Confirm.self, Revoke.self, List.self])
    static let columns = [
      "id", "status", "subject", "terms", "exception", "valid_from", "valid_to", "recorded_by", "confirmed_by",
    ]

    struct Record: AsyncParsableCommand {
      @OptionGroup var gateway: GatewayOptions
      @Option(help: "operator, or a customer's id.") var subject: String
      @Option var terms: String
      @Option(help: "The exception of the terms under which the grant falls.") var exception: String
      @Option(help: "A clause that is lifted; all that the exception cures if left out.") var cures: [String] = []
      @Option(help: "A model that is covered; all under the terms if left out.") var model: [String] = []
      @Option(help: "The SHA-256 of the document.") var documentSha256: String
      @Option(help: "Who signed for the licensor.") var signatory: String
      @Option var validFrom: String
      @Option var validTo: String?

      func run() async throws {
        let body: JSON = [
          "subject": .string(self.subject), "terms": .string(self.terms), "exception": .string(self.exception),
          "cures": .array(self.cures.map(JSON.string)), "models": .array(self.model.map(JSON.string)),
          "document_sha256": .string(self.documentSha256), "signatory": .string(self.signatory),
          "valid_from": .string(self.validFrom), "valid_to": JSON(self.validTo),
        ]
        try await self.gateway.perform("POST", "/admin/v1/grants", body, columns: columns)
      }
    }

    struct Confirm: AsyncParsableCommand {
      @OptionGroup var gateway: GatewayOptions
      @Argument var grant: String
      func run() async throws {
        try await self.gateway.perform("POST", "/admin/v1/grants/\(self.grant)/confirm", columns: columns)
      }
    }

    struct Revoke: AsyncParsableCommand {
      @OptionGroup var gateway: GatewayOptions
      @Argument var grant: String
      func run() async throws {
        try await self.gateway.perform("POST", "/admin/v1/grants/\(self.grant)/revoke", columns: columns)
      }
    }

    struct List: AsyncParsableCommand {
      @OptionGroup var gateway: GatewayOptions
      func run() async throws { try await self.gateway.perform("GET", "/admin/v1/grants", columns: columns) }
    }
  }

  struct Terminate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Record a dated event that ends a license for a party.")
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "operator, or a customer's id.") var subject: String
    @Option(help: "The term file.") var terms: String
    @Option(help: "The event's fact, as the term file names it.") var fact: String
    @Option(help: "The day.") var on: String

    func run() async throws {
      let body: JSON = [
        "subject": .string(self.subject), "terms": .string(self.terms), "fact": .string(self.fact), "on": .string(self.on),
      ]
      try await self.gateway.perform("POST", "/admin/v1/terminations", body, columns: ["id", "subject", "terms", "fact", "on"])
    }
  }
}
