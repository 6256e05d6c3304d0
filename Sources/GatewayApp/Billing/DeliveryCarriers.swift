internal import AsyncHTTPClient
internal import AuditSigning
internal import Billing
internal import Documents
internal import GovernanceTypes
internal import NIOCore
internal import NIOHTTP1

/// One POST to a receiver outside, and what its answer means. An answer that does not come is a failure after a while.
struct ReceiverRequest: Sendable {
  var url: String
  var headers: [(name: String, value: String)]
  var body: [UInt8]

  private static let timeout = TimeAmount.seconds(30)

  func outcome(by client: HTTPClient) async -> DeliveryOutcome {
    var request = HTTPClientRequest(url: self.url)
    request.method = .POST
    for (name, value) in self.headers { request.headers.add(name: name, value: value) }
    request.body = .bytes(ByteBuffer(bytes: self.body))
    do {
      let response = try await client.execute(request, timeout: Self.timeout)
      let wait = response.headers.first(name: "retry-after").flatMap { Int64($0) }.map {
        Duration.seconds(min(max(0, $0), 86_400))
      }
      // What the receiver says beside its status is not needed; it is read so that the connection can be used again.
      for try await piece in response.body where piece.readableBytes > 1 << 20 { break }
      return DeliveryOutcome(status: Int(response.status.code), retryAfter: wait)
    } catch {
      return .failed("no answer: \(error)")
    }
  }
}

/// Sends webhooks, each signed anew in every attempt.
struct WebhookCarrier: DeliveryCarrier {
  let url: String
  let secret: [UInt8]
  let largestBatch = 1

  func send(_ batch: [(id: String, payload: String)], at now: Timestamp, by client: HTTPClient) async -> DeliveryOutcome {
    guard let message = batch.first else { return .accepted }
    let body = Array(message.payload.utf8)
    return await ReceiverRequest(
      url: self.url,
      headers: [
        ("content-type", "application/json"), ("x-weighbridge-delivery", message.id),
        ("x-weighbridge-signature", WebhookSignature.header(body, secret: self.secret, at: now, hmac: hmacSHA256)),
      ], body: body
    ).outcome(by: client)
  }
}

/// Sends metering events in the form of a service.
struct PushCarrier: DeliveryCarrier {
  let receiver: GatewayConfiguration.PushReceiver
  let token: String

  var largestBatch: Int { self.receiver.format.largestBatch }

  func send(_ batch: [(id: String, payload: String)], at now: Timestamp, by client: HTTPClient) async -> DeliveryOutcome {
    let request: PushRequest
    do {
      let events = try batch.map { try MeterEvent(reading: try Document.parseJSON(Array($0.payload.utf8))) }
      var names = self.receiver.names
      for event in events where self.receiver.usesIDs && names[event.customer] == nil {
        names[event.customer] = event.customer.description
      }
      request = try self.receiver.format.request(events, names: names, at: now)
    } catch {
      return .refused("not sent: \(error)")
    }
    return await ReceiverRequest(
      url: self.receiver.url + request.path,
      headers: [("content-type", request.contentType), ("authorization", "Bearer \(self.token)")], body: request.body
    ).outcome(by: client)
  }
}
