internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GatewayApp

/// Where the running gateway is, and how to print what it answers.
struct GatewayOptions: ParsableArguments {
  @Option(help: "The gateway's address; WEIGHBRIDGE_URL if left out, else http://127.0.0.1:8080.")
  var url: String?

  @Flag(help: "Print what the gateway answers, as JSON.")
  var json = false

  var client: AdminClient {
    get throws {
      try self.client(keys: ["WEIGHBRIDGE_ADMIN_KEY"], else: "WEIGHBRIDGE_ADMIN_KEY is not set; the admin API asks for it.")
    }
  }

  /// For what a customer may ask about its own requests, and an auditor about all.
  var readingClient: AdminClient {
    get throws {
      try self.client(
        keys: ["WEIGHBRIDGE_API_KEY", "WEIGHBRIDGE_ADMIN_KEY"],
        else: "WEIGHBRIDGE_API_KEY is not set; only the customer whose usage it is, or an auditor, is told of it.")
    }
  }

  private func client(keys: [String], else complaint: String) throws -> AdminClient {
    let environment = ProcessInfo.processInfo.environment
    guard let key = keys.compactMap({ environment[$0] }).first(where: { !$0.isEmpty }) else { throw ValidationError(complaint) }
    return AdminClient(url: self.url ?? environment["WEIGHBRIDGE_URL"] ?? "http://127.0.0.1:8080", key: key)
  }

  /// Sends a request and prints the answer: as JSON where asked, else as the rows that `columns` name.
  func perform(_ method: String, _ path: String, _ body: JSON? = nil, columns: [String]) async throws {
    let answer = try await self.client.json(method, path, body)
    if self.json { return Terminal.say(answer.text) }
    if case .array(let elements)? = answer["data"] { return Terminal.say(Terminal.columns(columns, elements)) }
    Terminal.say(Terminal.columns(columns, [answer]))
  }

  /// Has the gateway make an export, waits for it and writes it to a file; a table in FOCUS with its metadata beside it.
  func export(kind: String, format: String, from: String?, to: String?, output: String) async throws {
    let client = try self.client
    let members =
      [JSONMember("kind", .string(kind)), JSONMember("format", .string(format))]
      + (from.map { [JSONMember("from", .string($0))] } ?? []) + (to.map { [JSONMember("to", .string($0))] } ?? [])
    var state = try await client.json("POST", "/admin/v1/exports", .object(members))
    guard case .string(let id)? = state["id"] else { throw ValidationError("the gateway answered without an export id") }
    while state["status"] == "pending" {
      try await Task.sleep(for: .milliseconds(100))
      state = try await client.json("GET", "/admin/v1/exports/\(id)")
    }
    guard state["status"] == "ready" else {
      Terminal.complain("the export failed: \(state["error"]?.text ?? "")")
      throw ExitCode(1)
    }
    let count = try await client.download("/admin/v1/exports/\(id)/content", to: output)
    Terminal.say(self.json ? state.text : "wrote \(output) (\(count) bytes)")
    guard format == "focus" else { return }
    let metadata = output + ".metadata.json"
    _ = try await client.download("/admin/v1/exports/\(id)/metadata", to: metadata)
    if !self.json { Terminal.say("wrote \(metadata)") }
  }
}
