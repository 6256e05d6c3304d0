internal import AsyncHTTPClient
internal import AuditSigning
internal import Billing
internal import Documents
internal import Governance
internal import GovernanceTypes
internal import NIOCore
internal import NIOHTTP1

/// One POST to a receiver outside. An answer that does not come is a failure after a while.
struct ReceiverRequest: Sendable {
  struct Answer: Sendable {
    var status: Int
    var retryAfter: Duration?
    /// The beginning of what a receiver says beside a status that is none of success.
    var body: [UInt8] = []
  }

  var url: String
  var headers: [(name: String, value: String)]
  var body: [UInt8]
  var timeoutSeconds: Int

  private static let mostRead = 1 << 16

  func outcome(
    by client: HTTPClient,
    reading meaning: (Answer) -> DeliveryOutcome = { DeliveryOutcome(status: $0.status, retryAfter: $0.retryAfter) }
  ) async -> DeliveryOutcome {
    var request = HTTPClientRequest(url: self.url)
    request.method = .POST
    for (name, value) in self.headers { request.headers.add(name: name, value: value) }
    request.body = .bytes(ByteBuffer(bytes: self.body))
    do {
      let response = try await client.execute(request, timeout: .seconds(Int64(self.timeoutSeconds)))
      var answer = Answer(status: Int(response.status.code))
      answer.retryAfter = response.headers.first(name: "retry-after").flatMap { Int64($0) }.map {
        Duration.seconds(min(max(0, $0), 86_400))
      }
      // Read so that the connection can be used again, though no endless answer.
      for try await piece in response.body {
        answer.body += piece.readableBytesView
        if answer.body.count > Self.mostRead { break }
      }
      return meaning(answer)
    } catch {
      return .failed("no answer: \(error)")
    }
  }
}

/// Sends webhooks, each signed anew in every attempt.
struct WebhookCarrier: DeliveryCarrier {
  let receiver: GatewayConfiguration.WebhookReceiver
  let secret: [UInt8]
  let largestBatch = 1

  func doubt(_ payload: String, attempts: Int, at now: Timestamp) -> String? { nil }

  func send(_ batch: [(id: String, payload: String)], at now: Timestamp, by client: HTTPClient) async -> DeliveryOutcome {
    guard let message = batch.first else { return .accepted }
    let body = Array(message.payload.utf8)
    return await ReceiverRequest(
      url: self.receiver.url,
      headers: [
        ("content-type", "application/json"), ("x-weighbridge-delivery", message.id),
        ("x-weighbridge-signature", WebhookSignature.header(body, secret: self.secret, at: now, hmac: hmacSHA256)),
      ], body: body, timeoutSeconds: self.receiver.timeoutSeconds
    ).outcome(by: client)
  }
}

/// Sends metering events in the form of a service.
struct PushCarrier: DeliveryCarrier {
  let receiver: GatewayConfiguration.PushReceiver
  let token: String

  var largestBatch: Int { self.receiver.format.largestBatch }

  func doubt(_ payload: String, attempts: Int, at now: Timestamp) -> String? {
    // What cannot be read is refused, by name, where it would be sent.
    guard attempts > 0, let event = try? Self.event(payload),
      self.receiver.format.mayCountTwice(event, attempts: attempts, at: now)
    else { return nil }
    return "it may have arrived in an attempt so long ago that the service would count it twice; look there, and replay it if not"
  }

  func send(_ batch: [(id: String, payload: String)], at now: Timestamp, by client: HTTPClient) async -> DeliveryOutcome {
    let request: PushRequest
    do {
      let events = try batch.map { try Self.event($0.payload) }
      var names = self.receiver.names
      for event in events where self.receiver.usesIDs && names[event.customer] == nil {
        names[event.customer] = event.customer.description
      }
      request = try self.receiver.format.request(events, names: names, at: now)
    } catch {
      return .refused("not sent: \(error)")
    }
    let (format, count) = (self.receiver.format, request.events.count)
    return await ReceiverRequest(
      url: self.receiver.url + request.path,
      headers: [("content-type", request.contentType), ("authorization", "Bearer \(self.token)")], body: request.body,
      timeoutSeconds: self.receiver.timeoutSeconds
    ).outcome(by: client) { format.outcome(status: $0.status, body: $0.body, retryAfter: $0.retryAfter, events: count) }
  }

  private static func event(_ payload: String) throws(DocumentError) -> MeterEvent {
    try MeterEvent(reading: try Document.parseJSON(Array(payload.utf8)))
  }
}
