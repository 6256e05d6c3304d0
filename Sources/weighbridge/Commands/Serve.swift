internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GatewayApp

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run the gateway until it is told to stop.")

  @Option(help: "The configuration file (YAML).")
  var config: String

  @Flag(help: "Before the start, read the whole database, rebuild balances and open holds from the log, and compare.")
  var check = false

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let configuration = try GatewayConfiguration.load(path: self.config, environment: environment)
    let scheme = configuration.server.certificate == nil ? "http" : "https"
    try await GatewayApp(configuration: configuration, environment: environment, checksBooks: self.check).serve { host, port in
      Terminal.say("weighbridge \(GatewayApp.version) listens on \(scheme)://\(host):\(port)")
    }
  }
}

struct Initialise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make a data directory and an example configuration beside it.")

  @Option(help: "The data directory to make.")
  var data: String

  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    let made = try ExampleConfiguration.write(dataDirectory: self.data)
    if self.json { return Terminal.say(made.json.text) }
    Terminal.say("made \(made.dataDirectory) and \(made.configuration)")
    Terminal.say("next: export WEIGHBRIDGE_ADMIN_KEY=…; weighbridge serve --config \(made.configuration)")
  }
}

struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check or show a configuration.", subcommands: [Check.self, Show.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read a configuration and all that it names; print nothing if all is well.")

    @Option(help: "The configuration file (YAML).")
    var config: String

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
      let environment = ProcessInfo.processInfo.environment
      let configuration = try GatewayConfiguration.load(path: self.config, environment: environment)
      let summary = try configuration.check(environment: environment)
      if self.json { Terminal.say(summary.text) }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show a configuration with defaults and environment applied.")

    @Option(help: "The configuration file (YAML).")
    var config: String

    @Flag(help: "Print as JSON.")
    var json = false

    func run() throws {
      let configuration = try GatewayConfiguration.load(path: self.config, environment: ProcessInfo.processInfo.environment)
      if self.json { return Terminal.say(configuration.json.text) }
      Terminal.say(Terminal.table(configuration.rows))
    }
  }
}
