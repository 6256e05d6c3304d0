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
    var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(5)))
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let response = try await client.execute(request, timeout: .seconds(60))
      let body = Array(buffer: try await response.body.collect(upTo: 4 << 30))
      try await client.shutdown()
      return (response.status.code, body)
    } catch {
      try await client.shutdown()
      throw ClientFailure("\(self.url) cannot be reached: \(error). Is the gateway running there?")
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
