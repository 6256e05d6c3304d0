internal import AsyncHTTPClient
internal import AuditSigning
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// An authority for timestamps of RFC 3161 over HTTP.
struct TimestampAuthority: Sendable {
  let url: String
  /// The path of its certificate, PEM.
  let certificate: String

  private static let timeout = TimeAmount.seconds(15)
  private static let responseMaximum = 1 << 18

  func certificateBytes() throws -> [UInt8] { try readFile(self.certificate) }

  /// The response (DER) over `data`, checked against the certificate.
  ///
  /// Blocks the calling thread for as long as the authority takes, at most 15 s.
  /// - Throws: ``StartFailure`` where it cannot be reached or answers with something else.
  func stamp(_ data: [UInt8]) throws -> [UInt8] {
    let request = try HTTPClient.Request(
      url: self.url, method: .POST, headers: ["content-type": "application/timestamp-query"],
      body: .bytes(try Timestamping.request(for: data)))
    let response: HTTPClient.Response
    do {
      response = try HTTPClient.shared.execute(request: request, deadline: .now() + Self.timeout).wait()
    } catch {
      throw StartFailure("The timestamp authority \(self.url) cannot be reached: \(error)")
    }
    guard response.status == .ok, let body = response.body, body.readableBytes <= Self.responseMaximum else {
      throw StartFailure("The timestamp authority \(self.url) answered \(response.status.code) and no timestamp.")
    }
    let bytes = Array(buffer: body)
    _ = try Timestamping.verify(data, bytes, try self.certificateBytes())
    return bytes
  }
}
