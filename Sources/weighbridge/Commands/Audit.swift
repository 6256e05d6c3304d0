internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GatewayApp

struct Audit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Export and verify audit bundles, prove single entries, witness logs, change keys.",
    subcommands: [Verify.self, Export.self, Checkpoint.self, Prove.self, Witness.self, Rotate.self])

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Verify an audit bundle or the proof of one entry, offline, from its files alone.",
      discussion: "Exit status 1 and the file and line at fault if anything was changed, dropped, added or reordered.")

    @Argument(help: "A bundle's directory, a tar of one, or a file of C2SP tlog-proof.")
    var path: String

    @Option(help: "The log's public key (a vkey line), known from elsewhere; without it a bundle's own key is used.")
    var key: String?

    @Option(help: "The signer's certificate (PEM), known from elsewhere.")
    var certificate: String?

    @Option(help: "A witness (a vkey line) that must have cosigned the checkpoint; may be repeated.")
    var witness: [String] = []

    @Option(help: "A file with an earlier checkpoint of the log, which it must extend.")
    var checkpoint: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func run() throws {
      let report = try BundleCheck.verify(
        path: self.path,
        trust: BundleCheck.Trust(
          key: self.key, certificate: self.certificate, witnesses: self.witness, checkpoint: self.checkpoint))
      Terminal.say(self.json ? report.json.text : report.text)
      if !report.isSound { throw ExitCode(1) }
    }
  }

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Have a running gateway make an audit bundle, and fetch it.")

    @OptionGroup var gateway: GatewayOptions

    @Option(help: "The first instant of the period (a date or RFC 3339); the log's beginning if left out.")
    var from: String?

    @Option(help: "The instant after the period; now if left out.")
    var to: String?

    @Option(name: .shortAndLong, help: "The tar file to write.")
    var output: String

    func run() async throws {
      try await self.gateway.export(kind: "audit", format: "bundle", from: self.from, to: self.to, output: self.output)
    }
  }

  struct Checkpoint: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the newest signed checkpoint of a running gateway's log.")

    @OptionGroup var gateway: GatewayOptions

    func run() async throws {
      let note = try await self.gateway.client.text("GET", "/audit/v1/checkpoint")
      if self.gateway.json { return Terminal.say(JSON.object([JSONMember("checkpoint", .string(note))]).text) }
      Terminal.write(note)
    }
  }

  struct Prove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fetch the proof that a usage is in the log, as a file.",
      discussion: """
        A customer sets WEIGHBRIDGE_API_KEY to one of its keys, and gets the proofs of its own usages; an auditor sets WEIGHBRIDGE_ADMIN_KEY.
        """)

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "The usage id (usg_…) of an answer.")
    var id: UsageName

    @Option(name: .shortAndLong, help: "The file to write; ID.tlog-proof if left out.")
    var output: String?

    func run() async throws {
      let bytes = try await self.gateway.readingClient.bytes("GET", "/v1/usage/receipts/\(self.id.text).tlog-proof")
      let path = self.output ?? "\(self.id.text).tlog-proof"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let result: JSON = ["file": .string(path), "bytes": .integer(bytes.count)]
      Terminal.say(
        self.gateway.json
          ? result.text : "wrote \(path) (\(bytes.count) bytes); check it with: weighbridge audit verify \(path) --key LOG-KEY")
    }
  }

  struct Witness: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run a witness: it cosigns the checkpoints of logs, and refuses those that do not extend what it has seen.",
      discussion:
        "C2SP tlog-witness at /add-checkpoint; its own key is at /key. WEIGHBRIDGE_KEY_PASSPHRASE encrypts the key on disk.")

    @Option(help: "Where to listen, as host:port.")
    var listen: String

    @Option(help: "The directory for its key and the newest checkpoint of each log.")
    var data: String

    @Option(help: "The verifier key of a log to witness (keys/log.vkey of a bundle); may be repeated.")
    var log: [String] = []

    @Option(help: "The name that it signs under, such as witness.example; fixed at the first start.")
    var name: String?

    func run() async throws {
      let server = try WitnessServer(
        listen: self.listen, directory: self.data, name: self.name, logs: self.log,
        environment: ProcessInfo.processInfo.environment)
      let key = server.key
      try await server.serve { host, port in
        Terminal.say("witness \(key) listens on http://\(host):\(port)")
      }
    }
  }

  struct Rotate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make new keys for the log and the bundles; the gateway takes them into use at its next start.",
      discussion: "The old keys sign the new ones, and are destroyed then. Bundles carry the succession.")

    @Option(help: "The gateway's configuration file (YAML).")
    var config: String

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
      let environment = ProcessInfo.processInfo.environment
      let configuration = try GatewayConfiguration.load(path: self.config, environment: environment)
      let key = try KeyRotation.prepare(
        dataDirectory: configuration.dataDirectory, keyFile: configuration.keyFile, operatorName: configuration.operatorName,
        environment: environment)
      Terminal.say(
        self.json ? JSON.object([JSONMember("key", .string(key))]).text : "made \(key); it is in force from the next start on")
    }
  }
}
