internal import ArgumentParser
internal import Documents
internal import GatewayApp

extension License {
  struct Inventory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export",
      abstract: "Write a model's licenses, and what was recorded for them, as a CycloneDX 1.6 bill of materials.")
    @OptionGroup var gateway: GatewayOptions
    @Argument(help: "The id of a model, as in `model list`.") var model: String

    func run() async throws {
      Terminal.say(try await self.gateway.client.json("GET", "/admin/v1/models/\(self.model)/cyclonedx").text)
    }
  }
}
