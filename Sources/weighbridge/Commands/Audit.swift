internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GatewayApp

struct Audit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Export and verify audit bundles.", subcommands: [Verify.self, Export.self, Checkpoint.self])

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Verify an audit bundle, offline, from its files alone.",
      discussion: "Exit status 1 and the file and line at fault if anything was changed, dropped, added or reordered.")

    @Argument(help: "The bundle's directory.")
    var directory: String

    @Option(help: "The log's public key (a vkey line), known from elsewhere; without it the bundle's own key is used.")
    var key: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func run() throws {
      let report = try BundleCheck.verify(directory: self.directory, key: self.key)
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
}
