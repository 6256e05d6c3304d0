internal import Documents
public import GovernanceTypes

/// A request to a metering service, but for its address and the credentials.
public struct PushRequest: Sendable, Equatable {
  /// Appended to the address of the service.
  public let path: String
  public let contentType: String
  public let body: [UInt8]
  /// The events in it, by id: all are accepted or none.
  public let events: [String]
}

/// The form in which a metering service takes events.
public enum PushFormat: Sendable, Equatable {
  /// CloudEvents in batches: `POST /api/v1/events`, `application/cloudevents-batch+json`. The service drops a second event of one
  /// source and id.
  case openMeter(source: String)
  /// `POST /api/v1/events/batch`; a second event of one transaction id and the same time is dropped.
  case lago(code: String)
  /// `POST /v1/billing/meter_events`, one event a request, form-encoded; one call at a time for a customer and a meter. Event names are
  /// this prefix and the category.
  case stripe(eventPrefix: String)

  public enum Defect: Error, Sendable, Equatable {
    /// The service's name for the customer is not configured.
    case unknownCustomer(CustomerID)
    case tooManyEvents(Int)
    /// Stripe takes events from 35 days ago to 5 minutes ahead.
    case outsideTime(String)
    /// Stripe takes names of 100 characters at most.
    case longName(String)
  }

  /// Events in one request at most.
  public var largestBatch: Int {
    switch self {
    case .openMeter, .lago: 100
    case .stripe: 1
    }
  }

  /// Events of one lane are sent one after the other.
  public func lane(of event: MeterEvent) -> String? {
    if case .stripe = self { "\(event.customer):\(event.category.rawValue)" } else { nil }
  }

  /// - Parameter names: what the service calls the customers.
  public func request(
    _ events: [MeterEvent], names: [CustomerID: String], at now: Timestamp
  ) throws(Defect) -> PushRequest {
    guard events.count <= self.largestBatch else { throw .tooManyEvents(events.count) }
    var named: [(MeterEvent, String)] = []
    for event in events {
      guard let name = names[event.customer] else { throw .unknownCustomer(event.customer) }
      named.append((event, name))
    }
    let ids = events.map(\.id)
    switch self {
    case .openMeter(let source):
      let body = JSON.array(named.map { Self.cloudEvent($0, subject: $1, source: source) })
      return PushRequest(
        path: "/api/v1/events", contentType: "application/cloudevents-batch+json", body: body.bytes, events: ids)
    case .lago(let code):
      let body: JSON = ["events": .array(named.map { Self.lagoEvent($0, subscription: $1, code: code) })]
      return PushRequest(path: "/api/v1/events/batch", contentType: "application/json", body: body.bytes, events: ids)
    case .stripe(let prefix):
      let body = try Self.form(named, prefix: prefix, now)
      return PushRequest(
        path: "/v1/billing/meter_events", contentType: "application/x-www-form-urlencoded", body: Array(body.utf8), events: ids)
    }
  }

  /// What a service's answer to a request means. Each has its own way to say that it has an event already.
  ///
  /// - Parameters:
  ///   - body: what came of the answer's body; looked at only where the status is none of success.
  ///   - events: how many the request had.
  public func outcome(status: Int, body: [UInt8], retryAfter: Duration?, events: Int) -> DeliveryOutcome {
    switch self {
    case .openMeter: break
    case .lago:
      // Of a batch with one faulty event nothing is kept: where others are new, each is sent alone then.
      if status == 422, Self.members(body)["error_details"]?.repeatsTransactions(events) == true { return .accepted }
    case .stripe:
      // Not a repetition: another call for this customer and meter was under way.
      if status == 409 { return .failed("status 409") }
      let error = Self.members(body)["error"]
      if status == 400, error?["code"] == "duplicate_meter_event" { return .accepted }
      if status == 400, case .string(let message)? = error?["message"], message.hasPrefix(Self.stripeRepetition) {
        return .accepted
      }
    }
    return DeliveryOutcome(status: status, retryAfter: retryAfter)
  }

  /// Whether a service may have forgotten an event that it was sent before, so that sending it again could count it twice.
  ///
  /// - Parameter attempts: that may have arrived; the first was not before the end of the event's minute.
  public func mayCountTwice(_ event: MeterEvent, attempts: Int, at now: Timestamp) -> Bool {
    guard attempts > 0, let memory = self.memory else { return false }
    return now.seconds - event.minute.seconds >= memory
  }

  /// For how many seconds a service surely knows an event again, less an hour; nil where it always does.
  private var memory: Int64? {
    switch self {
    case .openMeter: 32 * 86_400 - 3600
    case .lago: nil
    case .stripe: 86_400 - 3600
    }
  }

  private static let stripeRepetition = "An event already exists with identifier"

  private static func members(_ body: [UInt8]) -> JSON {
    do throws(DocumentError) { return JSON(try Document.parseJSON(body)) } catch { return [:] }
  }

  private static func cloudEvent(_ event: MeterEvent, subject: String, source: String) -> JSON {
    [
      "specversion": "1.0", "id": .string(event.id), "source": .string(source), "type": "llm.tokens", "subject": .string(subject),
      "time": .string(event.minute.description), "datacontenttype": "application/json",
      "data": [
        "tokens": .string(String(event.quantity)), "token_type": .string(event.category.rawValue),
        "model": .string(event.model.name),
      ],
    ]
  }

  private static func lagoEvent(_ event: MeterEvent, subscription: String, code: String) -> JSON {
    [
      "transaction_id": .string(event.id), "external_subscription_id": .string(subscription), "code": .string(code),
      "timestamp": .string(String(event.minute.seconds)),
      "properties": [
        "tokens": .integer(event.quantity), "type": .string(event.category.rawValue), "model": .string(event.model.name),
      ],
    ]
  }

  private static func form(_ events: [(MeterEvent, String)], prefix: String, _ now: Timestamp) throws(Defect) -> String {
    guard let (event, customer) = events.first else { return "" }
    let age = now.seconds - event.minute.seconds
    guard age <= 35 * 86_400, age >= -300 else { throw .outsideTime(event.id) }
    let name = "\(prefix)\(event.category.rawValue)"
    guard name.utf8.count <= 100 else { throw .longName(name) }
    let fields = [
      ("event_name", name), ("payload[stripe_customer_id]", customer), ("payload[value]", String(event.quantity)),
      ("identifier", event.id), ("timestamp", String(event.minute.seconds)),
    ]
    return fields.map { "\(self.percentEncoded($0))=\(self.percentEncoded($1))" }.joined(separator: "&")
  }

  /// Everything but letters, digits and `-._` as `%XX`.
  private static func percentEncoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        bytes.append(byte)
      default:
        bytes.append(UInt8(ascii: "%"))
        bytes.append(contentsOf: hexadecimalText([byte]).uppercased().utf8)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension JSON {
  /// Whether Lago's errors say of so many events, each under its place, that it has them already:
  /// `{"0": {"transaction_id": ["value_already_exist"]}}`; of a single event the place may be left out.
  fileprivate func repeatsTransactions(_ events: Int) -> Bool {
    guard case .object(let members) = self else { return false }
    if events == 1, self.repeatsTransaction { return true }
    return members.count == events && members.allSatisfy { $0.value.repeatsTransaction }
  }

  private var repeatsTransaction: Bool {
    guard case .object(let members) = self, members.count == 1 else { return false }
    return ["value_already_exist", "value_already_exists"].contains { self["transaction_id"] == .array([.string($0)]) }
  }
}
