internal import Foundation
internal import NIOCore
internal import Synchronization
internal import UpstreamFixtures

/// What a metering service bills by.
struct MeteredPlace: Hashable {
  var customer: String
  var category: String
}

/// An event as one of the services reads it.
struct MeteredEvent: Sendable {
  var id: String
  var place: MeteredPlace
  var quantity: Int
  var seconds: Int
}

/// A metering service that speaks one of the three protocols as its makers describe it: what it requires, how much it takes at once,
/// for how long it knows an event again and what it answers then. It has troubles when a test tells it to.
final class MeteringService: Sendable {
  enum Kind: String, CaseIterable { case openmeter, lago, stripe }

  enum Trouble: Sendable {
    /// Nothing is taken.
    case status(Int)
    case throttled(seconds: Int)
    /// The connection breaks, before or after the events were taken.
    case broken(taken: Bool)
    /// The events are taken, and no answer comes.
    case silent
    case late(milliseconds: Int64)
  }

  private struct State {
    var troubles: [Trouble] = []
    var billed: [MeteredPlace: Int] = [:]
    /// When each id was taken.
    var known: [String: Int] = [:]
    var repetitions = 0
    var faults: [String] = []
    /// Customers that are not known for now.
    var unknown: Set<String> = []
    /// Calls under way, by customer and meter.
    var busy: [MeteredPlace: Date] = [:]
  }

  let kind: Kind
  private let server: ScriptedUpstream
  private let state: Mutex<State>
  private let box: Box

  private final class Box: Sendable {
    let service = Mutex<MeteringService?>(nil)
  }

  /// - Parameter clock: of the gateway, in seconds since 1970.
  init(_ kind: Kind, token: String, clock: @escaping @Sendable () -> Int) async throws {
    self.kind = kind
    self.state = Mutex(State())
    let box = Box()
    self.box = box
    self.server = try await ScriptedUpstream { _, asked in
      guard let service = box.service.withLock({ $0 }) else { return [.kill] }
      return service.answer(asked, token: token, now: clock())
    }
    box.service.withLock { $0 = self }
  }

  /// Ends it; a cycle keeps it alive until then.
  func stop() async throws {
    self.box.service.withLock { $0 = nil }
    try await self.server.stop()
  }

  var url: String { "http://127.0.0.1:\(self.server.port)" }
  var calls: Int { self.server.asked.count }
  var billed: [MeteredPlace: Int] { self.state.withLock { $0.billed } }
  var eventCount: Int { self.state.withLock { $0.known.count } }
  /// Events that came again.
  var repetitions: Int { self.state.withLock { $0.repetitions } }
  /// What no client of this service may do.
  var faults: [String] { self.state.withLock { $0.faults } }
  /// Troubles that are still to come.
  var troublesLeft: Int { self.state.withLock { $0.troubles.count } }

  /// One for each of the next calls.
  func meet(_ troubles: [Trouble]) { self.state.withLock { $0.troubles += troubles } }
  func forget(customers: Set<String>) { self.state.withLock { $0.unknown = customers } }

  // MARK: Answers

  private func answer(_ asked: ScriptedUpstream.Asked, token: String, now: Int) -> [UpstreamStep] {
    self.state.withLock { state in
      let trouble = state.troubles.isEmpty ? nil : state.troubles.removeFirst()
      switch trouble {
      case .status(let status): return Self.reply(status)
      case .throttled(let seconds): return Self.reply(429, headers: [("retry-after", "\(seconds)")])
      case .broken(taken: false): return [.kill]
      default: break
      }
      if asked.header("authorization") != "Bearer \(token)" { state.faults.append("credentials: \(asked.headers)") }
      let reply = self.take(asked, now: now, busyFor: self.delay(trouble), &state)
      switch trouble {
      case .broken: return [.kill]
      case .silent: return [.pause(.seconds(100)), .kill]
      case .late(let milliseconds): return [.pause(.milliseconds(milliseconds))] + reply
      default: return reply
      }
    }
  }

  private func delay(_ trouble: Trouble?) -> Double {
    if case .late(let milliseconds) = trouble { Double(milliseconds) / 1000 } else { 0 }
  }

  private func take(
    _ asked: ScriptedUpstream.Asked, now: Int, busyFor delay: Double, _ state: inout State
  ) -> [UpstreamStep] {
    let events: [MeteredEvent]
    do { events = try self.kind.events(asked) } catch {
      state.faults.append("\(error)")
      return Self.reply(400)
    }
    if events.contains(where: { state.unknown.contains($0.place.customer) }) { return Self.reply(422, "{}") }
    switch self.kind {
    case .openmeter:
      for event in events { Self.add(event, now, knownFor: 32 * 86_400, &state) }
      return Self.reply(204)
    case .lago:
      let repeated = events.indices.filter { state.known[events[$0].id] != nil }
      state.repetitions += repeated.count
      if !repeated.isEmpty {
        let details = repeated.map { #""\#($0)":{"transaction_id":["value_already_exist"]}"# }.joined(separator: ",")
        return Self.reply(
          422, #"{"status":422,"error":"Unprocessable Entity","code":"validation_errors","error_details":{\#(details)}}"#)
      }
      for event in events { Self.add(event, now, knownFor: .max, &state) }
      return Self.reply(200, #"{"events":[]}"#)
    case .stripe:
      for event in events {
        if let until = state.busy[event.place], until > Date() { state.faults.append("two calls at once for \(event.place)") }
        if delay > 0 { state.busy[event.place] = Date(timeIntervalSinceNow: delay) }
        if event.seconds < now - 35 * 86_400 || event.seconds > now + 300 { state.faults.append("the time of \(event)") }
        if let known = state.known[event.id], known > now - 86_400 {
          state.repetitions += 1
          let message = "An event already exists with identifier \(event.id)."
          return Self.reply(400, #"{"error":{"type":"invalid_request_error","message":"\#(message)"}}"#)
        }
        Self.add(event, now, knownFor: 86_400, &state)
      }
      return Self.reply(200, #"{"object":"billing.meter_event"}"#)
    }
  }

  private static func add(_ event: MeteredEvent, _ now: Int, knownFor seconds: Int, _ state: inout State) {
    if let known = state.known[event.id], now - known < seconds {
      state.repetitions += 1
    } else {
      state.known[event.id] = now
      state.billed[event.place, default: 0] += event.quantity
    }
  }

  private static func reply(_ status: Int, _ body: String = "", headers: [(String, String)] = []) -> [UpstreamStep] {
    let length = status == 204 ? [] : [("content-length", "\(body.utf8.count)")]
    return [.head(status, headers + length)] + (body.isEmpty ? [] : [.bytes(body)]) + [.end]
  }
}

extension MeteringService.Kind {
  /// - Throws: ``Failure`` where a request is not what the service documents.
  func events(_ asked: ScriptedUpstream.Asked) throws -> [MeteredEvent] {
    guard asked.method == "POST" else { throw Failure("\(asked.method) is no POST") }
    switch self {
    case .openmeter:
      try Self.expect(asked, "/api/v1/events", "application/cloudevents-batch+json")
      return try JSONValue(asked.body).elements.map { try Self.cloudEvent($0) }
    case .lago:
      try Self.expect(asked, "/api/v1/events/batch", "application/json")
      let events = try JSONValue(asked.body)["events"].elements
      guard (1...100).contains(events.count) else { throw Failure("a batch of \(events.count)") }
      return try events.map { try Self.lagoEvent($0) }
    case .stripe:
      try Self.expect(asked, "/v1/billing/meter_events", "application/x-www-form-urlencoded")
      return [try Self.stripeEvent(asked.body)]
    }
  }

  private static func expect(_ asked: ScriptedUpstream.Asked, _ path: String, _ type: String) throws {
    guard asked.path == path, asked.header("content-type") == type else {
      throw Failure("\(asked.path) of \(asked.header("content-type") ?? "no type") instead of \(path) of \(type)")
    }
  }

  private static func cloudEvent(_ event: JSONValue) throws -> MeteredEvent {
    guard event["specversion"].string == "1.0", let id = event["id"].string, let source = event["source"].string, !source.isEmpty,
      event["type"].string == "llm.tokens", let subject = event["subject"].string, let seconds = event["time"].seconds,
      let tokens = event["data"]["tokens"].string.flatMap({ Int($0) }), let category = event["data"]["token_type"].string,
      event["data"]["model"].string == "demo"
    else { throw Failure("no event of OpenMeter: \(event)") }
    return MeteredEvent(
      id: "\(source) \(id)", place: MeteredPlace(customer: subject, category: category), quantity: tokens, seconds: seconds)
  }

  private static func lagoEvent(_ event: JSONValue) throws -> MeteredEvent {
    guard let id = event["transaction_id"].string, let subscription = event["external_subscription_id"].string,
      event["code"].string == "llm_tokens", let seconds = event["timestamp"].string.flatMap({ Double($0) }),
      case .integer(let tokens) = event["properties"]["tokens"], let category = event["properties"]["type"].string
    else { throw Failure("no event of Lago: \(event)") }
    return MeteredEvent(
      id: "\(subscription) \(id)", place: MeteredPlace(customer: subscription, category: category), quantity: tokens,
      seconds: Int(seconds))
  }

  private static func stripeEvent(_ form: String) throws -> MeteredEvent {
    var fields: [String: String] = [:]
    for pair in form.split(separator: "&") {
      let sides = pair.split(separator: "=", omittingEmptySubsequences: false).map { String($0).removingPercentEncoding ?? "" }
      guard sides.count == 2, fields.updateValue(sides[1], forKey: sides[0]) == nil else { throw Failure("no form: \(form)") }
    }
    guard let name = fields["event_name"], name.hasPrefix("llm_"), name.utf8.count <= 100, let id = fields["identifier"],
      (1...100).contains(id.utf8.count), let customer = fields["payload[stripe_customer_id]"], customer.hasPrefix("cus_"),
      let value = fields["payload[value]"], value.allSatisfy(\.isNumber), let quantity = Int(value),
      let seconds = fields["timestamp"].flatMap({ Int($0) }), fields.count == 5
    else { throw Failure("no event of Stripe: \(form)") }
    return MeteredEvent(
      id: id, place: MeteredPlace(customer: customer, category: String(name.dropFirst(4))), quantity: quantity, seconds: seconds)
  }
}
