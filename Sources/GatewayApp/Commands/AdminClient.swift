internal import AsyncHTTPClient
public import Documents
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// A client of the admin API, for the command.
public struct AdminClient: Sendable {
  private let url: String
  private let key: String

  public init(url: String, key: String) {
    self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
    self.key = key
  }

  public func json(_ method: String, _ path: String, _ body: JSON? = nil) async throws -> JSON {
    let bytes = try await self.send(method, path, body: body?.bytes, type: "application/json")
    return JSON(try Document.parseJSON(bytes, limits: JSONLimits(bytes: 256 << 20, nodes: 1 << 24)))
  }

  public func text(_ method: String, _ path: String) async throws -> String {
    String(decoding: try await self.bytes(method, path), as: UTF8.self)
  }

  public func bytes(_ method: String, _ path: String) async throws -> [UInt8] {
    try await self.send(method, path, body: nil, type: nil)
  }

  /// Writes an answer to a file as it comes; gives its size. Memory stays flat.
  public func download(_ path: String, to file: String) async throws -> Int {
    var request = HTTPClientRequest(url: self.url + path)
    request.headers.add(name: "authorization", value: "Bearer \(self.key)")
    return try await self.connected(request) { response in
      guard (200..<300).contains(response.status.code) else {
        throw ClientFailure(status: response.status.code, body: Array(buffer: try await response.body.collect(upTo: 1 << 20)))
      }
      guard FileManager.default.createFile(atPath: file, contents: nil) else { throw ClientFailure("\(file) cannot be written") }
      let output = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
      defer { output.closeFile() }
      var count = 0
      for try await piece in response.body {
        try output.write(contentsOf: Data(piece.readableBytesView))
        count += piece.readableBytes
      }
      return count
    }
  }

  /// Sends a file as it is.
  public func upload(_ path: String, file: String) async throws -> JSON {
    let bytes = try await self.send("PUT", path, body: try readFile(file), type: "application/octet-stream")
    return JSON(try Document.parseJSON(bytes))
  }

  private func send(_ method: String, _ path: String, body: [UInt8]?, type: String?) async throws -> [UInt8] {
    var request = HTTPClientRequest(url: self.url + path)
    request.method = HTTPMethod(rawValue: method)
    request.headers.add(name: "authorization", value: "Bearer \(self.key)")
    if let type, body != nil { request.headers.add(name: "content-type", value: type) }
    if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
    let (status, bytes) = try await self.exchange(request)
    guard (200..<300).contains(status) else { throw ClientFailure(status: status, body: bytes) }
    return bytes
  }

  /// One request over a connection of its own; an address where nobody listens is reported at once.
  private func exchange(_ request: HTTPClientRequest) async throws -> (status: UInt, body: [UInt8]) {
    try await self.connected(request) { response in
      (response.status.code, Array(buffer: try await response.body.collect(upTo: 4 << 30)))
    }
  }

  private func connected<Value: Sendable>(
    _ request: HTTPClientRequest, _ read: (HTTPClientResponse) async throws -> Value
  ) async throws -> Value {
    // An export of millions of entries takes its time; only silence is a failure.
    var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(5), read: .seconds(300)))
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let value = try await read(try await client.execute(request, timeout: .hours(24)))
      try await client.shutdown()
      return value
    } catch let failure as ClientFailure {
      try await client.shutdown()
      throw failure
    } catch {
      try await client.shutdown()
      throw ClientFailure("\(self.url) cannot be reached, or does not answer: \(error). Is the gateway running there?")
    }
  }
}

/// What the gateway answered instead, or why it could not be asked.
public struct ClientFailure: Error, Sendable, CustomStringConvertible {
  public var description: String

  init(_ message: String) { self.description = message }

  init(status: UInt, body: [UInt8]) {
    // A body that is no JSON is not an answer of a gateway; the status is all there is to tell then.
    guard let document = try? Document.parseJSON(body), case .string(let message)? = document["error"]?["message"]?.content,
      case .string(let code)? = document["error"]?["code"]?.content
    else {
      self.description = "the answer had the status \(status)"
      return
    }
    self.description = "\(code) (\(status)): \(message)"
  }
}
