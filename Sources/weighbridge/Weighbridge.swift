// weighbridge: the command. Reads arguments, calls one thing, prints, and sets the exit status.
// Holds the subcommands only; what they do lives in GatewayApp and below.
// It must never decide, meter or verify anything itself.

internal import ArgumentParser

@main
struct Weighbridge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weighbridge",
    abstract: "A license-and-usage governance gateway for model inference.",
    discussion: """
      Exit status: 0 ok, 1 refused or a failed check, 2 a faulty call.
      Commands that talk to a running gateway read WEIGHBRIDGE_URL (or --url) and WEIGHBRIDGE_ADMIN_KEY.
      """,
    subcommands: [
      Serve.self, Initialise.self, Config.self, License.self, Model.self, CustomerCommand.self, Project.self, Key.self,
      PriceCommand.self, InvoiceCommand.self,
      LimitCommand.self, Credit.self, AudienceCommand.self, Usage.self, DecisionCommand.self, Policy.self, Audit.self,
      Engine.self,
    ])

  static func main() async {
    do {
      var command = try Self.parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      Self.end(error)
    }
  }

  /// Ends the process: a faulty call exits 2, a failure exits 1 with its sentence on standard error.
  private static func end(_ error: any Error) -> Never {
    let code = Self.exitCode(for: error)
    if code == .validationFailure {
      Terminal.complain(Self.fullMessage(for: error))
      Self.exit(withError: ExitCode(2))
    }
    if error is CleanExit || error is ExitCode || code == .success { Self.exit(withError: error) }
    Terminal.complain("weighbridge: \(error)")
    Self.exit(withError: ExitCode(1))
  }
}
