internal import Foundation
internal import Synchronization

/// A gateway as a child process with a configuration, a data directory and an admin key of its own.
final class Gateway: Sendable {
  private struct Running {
    var child: ChildProcess?
    var port = 0
    var starts = 0
  }

  let workplace: Workplace
  let adminKey = "wb-admin-\(UUID().uuidString)"
  private let running = Mutex(Running())
  /// More variables of the process.
  private let environment: [String: String]

  /// - Parameters:
  ///   - models: one more model, as a flow map.
  ///   - server: further keys of the section `server`.
  ///   - more: further sections of the configuration.
  init(
    in workplace: Workplace, listen: String = "127.0.0.1:0", server: String? = nil, models: String = "", more: String = "",
    environment: [String: String] = [:]
  ) throws {
    self.workplace = workplace
    self.environment = environment
    try workplace.write(Self.configuration(listen: listen, server: server, models: models, more: more), to: "weighbridge.yaml")
  }

  static func configuration(
    listen: String = "127.0.0.1:0", server: String? = nil, model: String? = Installation.model, models: String = "",
    more: String = ""
  ) -> String {
    """
    server:   {listen: "\(listen)"\(server.map { ", " + $0 } ?? "")}
    data:     {directory: "./data"}
    operator: {name: "Example GmbH", country: "DE"}
    models:
      - {id: demo, file: "\(model ?? "")", terms: [llama-2]}
    \(models.isEmpty ? "" : "  - " + models)
    store:    {url: "sqlite"}
    \(more)

    """
  }

  var configurationPath: String { self.workplace.file("weighbridge.yaml") }
  var dataDirectory: String { self.workplace.file("data") }

  var port: Int { self.running.withLock { $0.port } }
  var url: String { "http://127.0.0.1:\(self.port)" }
  var isRunning: Bool { self.running.withLock { $0.child?.isRunning ?? false } }

  /// What the process has in memory now.
  var residentMebibytes: Double {
    get throws {
      guard let child = self.running.withLock({ $0.child }) else { throw Failure("the gateway was never started") }
      let pages = try readText("/proc/\(child.identifier)/statm").split(separator: " ").dropFirst().first.flatMap { Double($0) }
      guard let pages else { throw Failure("the process does not say what it has in memory") }
      return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
    }
  }

  // MARK: Start and stop

  /// Starts the process without waiting for anything.
  ///
  /// - Parameter fileBlocks: the most blocks of 512 bytes that any file of the process may have; writing beyond fails as on a full disk.
  func launch(fileBlocks: Int? = nil) throws -> ChildProcess {
    guard let binary = Installation.binary else { throw Failure("the weighbridge executable is not there") }
    let number = self.running.withLock { state in
      state.starts += 1
      return state.starts
    }
    var program = binary
    var arguments = ["serve", "--config", self.configurationPath]
    if let blocks = fileBlocks {
      arguments = ["-c", "trap '' XFSZ; ulimit -f \(blocks); exec \"$@\"", "sh", binary] + arguments
      program = "/bin/sh"
    }
    let child = try ChildProcess(
      program, arguments, in: self.workplace, name: "gateway-\(number)",
      environment: Installation.environment(adding: ["WEIGHBRIDGE_ADMIN_KEY": self.adminKey].merging(self.environment) { $1 }))
    self.running.withLock { $0.child = child }
    return child
  }

  /// Starts the process and returns when it says that it is ready.
  func start(fileBlocks: Int? = nil, within patience: Duration = .seconds(30)) async throws {
    let child = try self.launch(fileBlocks: fileBlocks)
    let deadline = Patience.end(of: patience)
    while true {
      if let port = Self.announcedPort(try readText(child.outputPath)) {
        self.running.withLock { $0.port = port }
        if try await self.get("/readyz").status == 200 { return }
      }
      guard child.isRunning, ContinuousClock.now < deadline else {
        await child.end()
        throw Failure("the gateway did not come up: \(try await child.wait(within: .seconds(5)).said)")
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Waits for the line that says where it listens, and nothing else.
  func announced(by child: ChildProcess, within patience: Duration = .seconds(30)) async throws {
    let port = try await Exchange.await("the gateway listens", within: patience) {
      Self.announcedPort(try readText(child.outputPath))
    }
    self.running.withLock { $0.port = port }
  }

  /// The port in `weighbridge 0.1.0 listens on http://127.0.0.1:PORT`.
  static func announcedPort(_ text: String) -> Int? {
    guard let line = text.split(separator: "\n").first(where: { $0.contains(" listens on http") }) else { return nil }
    return line.split(separator: ":").last.flatMap { Int($0) }
  }

  /// Asks it to end and returns how it ended.
  @discardableResult
  func stop(within patience: Duration = .seconds(15)) async throws -> Outcome {
    guard let child = self.running.withLock({ $0.child }) else { throw Failure("the gateway was never started") }
    child.send(SIGTERM)
    return try await child.wait(within: patience)
  }

  /// `kill -9`, and nothing else.
  func crash() { self.running.withLock { $0.child }?.send(SIGKILL) }

  func end() async { await self.running.withLock { $0.child }?.end() }

  /// Gives `body` a running gateway that is gone afterwards, however it ends.
  static func within<Value>(
    server: String? = nil, models: String = "", more: String = "", start: Bool = true,
    _ body: (Gateway) async throws -> Value
  ) async throws -> Value {
    try await Workplace.within { workplace in
      let gateway = try Gateway(in: workplace, server: server, models: models, more: more)
      do {
        if start { try await gateway.start() }
        let value = try await body(gateway)
        await gateway.end()
        return value
      } catch {
        await gateway.end()
        throw error
      }
    }
  }

  // MARK: Requests

  func call(_ request: HTTPRequest) throws -> HTTPCall { try HTTPCall(port: self.port, bytes: request.bytes) }

  func send(_ bytes: [UInt8], within patience: Duration = .seconds(30)) async throws -> Reply {
    let call = try HTTPCall(port: self.port, bytes: bytes)
    try await Exchange.finish([call], within: patience)
    guard call.isComplete, let reply = call.reply else {
      throw Failure("the gateway closed the connection without a whole answer")
    }
    return reply
  }

  func send(_ request: HTTPRequest, within patience: Duration = .seconds(30)) async throws -> Reply {
    try await self.send(request.bytes, within: patience)
  }

  func get(_ path: String, key: String? = nil) async throws -> Reply { try await self.send(HTTPRequest(path: path, key: key)) }

  func post(_ path: String, _ body: String, key: String? = nil, headers: [(String, String)] = []) async throws -> Reply {
    try await self.send(HTTPRequest(method: "POST", path: path, key: key, headers: headers, body: Array(body.utf8)))
  }
}
