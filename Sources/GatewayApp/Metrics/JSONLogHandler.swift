internal import Documents
internal import Foundation
internal import GatewayHTTP
internal import GovernanceTypes
internal import Logging

/// Writes each log line as one JSON object to standard error: `{"at":…,"level":…,"message":…,…metadata…}`.
struct JSONLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level
  private let label: String

  init(label: String, level: Logger.Level) {
    self.label = label
    self.logLevel = level
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { self.metadata[key] }
    set { self.metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var members = [
      JSONMember("at", .string(wallClock().description)), JSONMember("level", .string(event.level.rawValue)),
      JSONMember("logger", .string(self.label)), JSONMember("message", .string(event.message.description)),
    ]
    let all = self.metadata.merging(event.metadata ?? [:]) { _, new in new }
    members += all.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value.description)) }
    if let error = event.error { members.append(JSONMember("error", .string("\(error)"))) }
    FileHandle.standardError.write(Data(JSON.object(members).bytes + [0x0A]))
  }
}

extension Logger {
  /// One request, as a line of the access log.
  func note(_ line: AccessLine) {
    let (seconds, attoseconds) = line.duration.components
    var metadata: Logger.Metadata = [
      "request_id": "\(line.id)", "method": "\(line.method)", "path": "\(line.path)", "status": "\(line.status)",
      "microseconds": "\(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)",
    ]
    if let decision = line.decision { metadata["decision"] = "\(decision)" }
    if let usage = line.usage { metadata["usage"] = "\(usage)" }
    if !line.notes.isEmpty { metadata["notes"] = "\(line.notes.joined(separator: "; "))" }
    self.log(level: line.notes.isEmpty ? .info : .warning, "request", metadata: metadata)
  }
}
