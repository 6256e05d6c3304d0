public import Documents
internal import Foundation

/// Makes a data directory and a configuration that serves the demonstration model from it.
public struct ExampleConfiguration: Sendable {
  public let dataDirectory: String
  public let configuration: String

  public var json: JSON { ["data_directory": .string(self.dataDirectory), "configuration": .string(self.configuration)] }

  /// - Throws: ``StartFailure`` where the configuration exists already: nothing is overwritten.
  public static func write(dataDirectory: String) throws -> ExampleConfiguration {
    let directory = URL(fileURLWithPath: dataDirectory).standardizedFileURL
    let path = directory.deletingLastPathComponent().appendingPathComponent("weighbridge.yaml").path
    guard !FileManager.default.fileExists(atPath: path) else {
      throw StartFailure("\(path) exists already; it is left as it is. Name another directory, or edit that file.")
    }
    try FileManager.default.createDirectory(
      atPath: directory.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let model = SharedFiles.directory("Models/demo/demo.gguf", environment: ProcessInfo.processInfo.environment)
    try Data(self.text(directory: directory.lastPathComponent, model: model ?? "./demo.gguf").utf8).write(
      to: URL(fileURLWithPath: path), options: .withoutOverwriting)
    return ExampleConfiguration(dataDirectory: directory.path, configuration: path)
  }

  private static func text(directory: String, model: String) -> String {
    """
    # Paths are relative to this file. deploy/weighbridge.example.yaml explains each key.
    server:   {listen: "127.0.0.1:8080"}
    data:     {directory: "./\(directory)"}
    operator: {name: "Example GmbH", country: "DE"}
    models:
      - {id: demo, file: "\(model)", terms: [llama-2]}
    store:    {url: "sqlite"}

    """
  }
}
