internal import Foundation

/// How a process ended, and what it said.
struct Outcome: Sendable {
  /// The exit status; nil where a signal ended it.
  var status: Int32?
  var output: String
  var complaint: String

  var said: String { self.output + self.complaint }
}

/// A program that runs beside the test, its output in files.
struct ChildProcess: Sendable {
  private let process: Process
  let outputPath: String
  let complaintPath: String

  /// - Parameter name: the output goes to `name.out` and `name.err` in the workplace.
  init(
    _ program: String, _ arguments: [String], in workplace: Workplace, name: String, environment: [String: String],
    input: [UInt8] = []
  ) throws {
    self.outputPath = workplace.file(name + ".out")
    self.complaintPath = workplace.file(name + ".err")
    let inputPath = try workplace.write(input, to: name + ".in")
    try workplace.write([], to: name + ".out")
    try workplace.write([], to: name + ".err")
    self.process = Process()
    self.process.executableURL = URL(fileURLWithPath: program)
    self.process.arguments = arguments
    self.process.environment = environment
    self.process.currentDirectoryURL = URL(fileURLWithPath: workplace.path)
    self.process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: inputPath))
    self.process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: self.outputPath))
    self.process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: self.complaintPath))
    try self.process.run()
  }

  var isRunning: Bool { self.process.isRunning }
  var identifier: Int32 { self.process.processIdentifier }

  func send(_ signal: Int32) { kill(self.process.processIdentifier, signal) }

  /// Waits for the end; a process that is still there at the deadline is killed, and that is a failure.
  func wait(within patience: Duration) async throws -> Outcome {
    let deadline = Patience.end(of: patience)
    while self.process.isRunning {
      guard ContinuousClock.now < deadline, !Task.isCancelled else {
        await self.end()
        throw Failure("the process did not end within \(patience): \(try self.outcome.said.suffix(2000))")
      }
      usleep(2000)
      await Task.yield()
    }
    return try self.outcome
  }

  /// Kills it if it still runs, and returns when it is gone.
  func end() async {
    while self.process.isRunning {
      self.send(SIGKILL)
      usleep(2000)
      await Task.yield()
    }
  }

  private var outcome: Outcome {
    get throws {
      let ended = !self.process.isRunning && self.process.terminationReason == .exit
      return Outcome(
        status: ended ? self.process.terminationStatus : nil, output: try readText(self.outputPath),
        complaint: try readText(self.complaintPath))
    }
  }
}

/// Runs a program to its end.
func run(
  _ program: String, _ arguments: [String], in workplace: Workplace, environment: [String: String] = Installation.environment(),
  input: [UInt8] = [], within patience: Duration = .seconds(30)
) async throws -> Outcome {
  let child = try ChildProcess(
    program, arguments, in: workplace, name: "run-\(UUID().uuidString)", environment: environment, input: input)
  return try await child.wait(within: patience)
}

/// Runs the command under test to its end.
func weighbridge(
  _ arguments: String..., in workplace: Workplace, environment: [String: String] = [:], input: String = "",
  within patience: Duration = .seconds(30)
) async throws -> Outcome {
  guard let binary = Installation.binary else { throw Failure("the weighbridge executable is not there") }
  return try await run(
    binary, arguments, in: workplace, environment: Installation.environment(adding: environment), input: Array(input.utf8),
    within: patience)
}
