internal import Billing
internal import Documents
internal import GovernanceTypes

extension GatewayConfiguration {
  /// A server of the operator's that is told of balances, budgets and invoices.
  struct WebhookReceiver: Sendable {
    var id: String
    var url: String
    /// An attempt without an answer for so long has failed.
    var timeoutSeconds: Int
    /// The variable that holds the secret of its signatures.
    var secretVariable: String
    /// What it is told of; all kinds where none is named.
    var kinds: Set<Webhook.Kind>
  }

  /// A metering service that is told what was used.
  struct PushReceiver: Sendable {
    var id: String
    var url: String
    /// An attempt without an answer for so long has failed.
    var timeoutSeconds: Int
    /// The variable that holds its token.
    var tokenVariable: String
    var format: PushFormat
    /// The name of this gateway in the ids of events.
    var origin: String
    /// What the service calls customers, where that is not their id.
    var names: [CustomerID: String]
    /// Whether a customer without a name there goes by its id; a service of fixed names refuses what it does not know.
    var usesIDs: Bool
  }

  static func webhooks(_ section: inout DocumentReader) throws(DocumentError) -> [WebhookReceiver] {
    var receivers: [WebhookReceiver] = []
    for (path, element) in try section.list("webhooks") {
      var reader = try DocumentReader(element, path: path)
      let (id, url) = try Self.receiver(&reader, among: receivers.map(\.id))
      let timeout = try Self.timeout(&reader)
      let secret = try reader.string("secret_env")
      var kinds: Set<Webhook.Kind> = []
      for name in try reader.strings("types") {
        guard let kind = Webhook.Kind(rawValue: name) else {
          throw reader.failure(
            "types", "'\(name)' is not one of: \(Webhook.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        kinds.insert(kind)
      }
      try reader.finish()
      receivers.append(
        WebhookReceiver(
          id: id, url: url, timeoutSeconds: timeout, secretVariable: secret,
          kinds: kinds.isEmpty ? Set(Webhook.Kind.allCases) : kinds))
    }
    return receivers
  }

  static func pushes(_ section: inout DocumentReader, besides webhooks: [WebhookReceiver]) throws(DocumentError) -> [PushReceiver]
  {
    var receivers: [PushReceiver] = []
    for (path, element) in try section.list("pushes") {
      var reader = try DocumentReader(element, path: path)
      let (id, url) = try Self.receiver(&reader, among: receivers.map(\.id) + webhooks.map(\.id))
      let timeout = try Self.timeout(&reader)
      let token = try reader.string("token_env")
      let format = try Self.format(&reader)
      let origin = try reader.string("origin")
      guard !origin.isEmpty, InvoiceNumbers(prefix: origin) != nil else {
        throw reader.failure("origin", "1 to 24 letters of ASCII, digits or '-' belong here")
      }
      var names: [CustomerID: String] = [:]
      for (place, member) in try reader.list("customers") {
        var customer = try DocumentReader(member, path: place)
        let text = try customer.string("customer")
        guard let known = CustomerID(text) else { throw customer.failure("customer", "a customer's id belongs here") }
        guard names.updateValue(try customer.string("name"), forKey: known) == nil else {
          throw customer.failure("customer", "stands twice")
        }
        try customer.finish()
      }
      try reader.finish()
      var usesIDs = true
      if case .stripe = format { usesIDs = false }
      receivers.append(
        PushReceiver(
          id: id, url: url, timeoutSeconds: timeout, tokenVariable: token, format: format, origin: origin, names: names,
          usesIDs: usesIDs))
    }
    return receivers
  }

  private static func receiver(
    _ reader: inout DocumentReader, among known: [String]
  ) throws(DocumentError) -> (id: String, url: String) {
    let id = try reader.string("id")
    guard (1...64).contains(id.utf8.count) else { throw reader.failure("id", "1 to 64 bytes belong here") }
    guard !known.contains(id) else { throw reader.failure("id", "'\(id)' stands twice; each receiver needs an id of its own") }
    let text = try reader.string("url")
    guard let url = Self.address(text) else {
      throw reader.failure("url", "'\(text)' is not of the form https://host/path")
    }
    return (id, url)
  }

  private static func timeout(_ reader: inout DocumentReader) throws(DocumentError) -> Int {
    try reader.optionalInteger("timeout_seconds", in: 1...300) ?? 30
  }

  private static func format(_ reader: inout DocumentReader) throws(DocumentError) -> PushFormat {
    switch try reader.string("format") {
    case "openmeter": return .openMeter(source: try reader.string("source"))
    case "lago": return .lago(code: try reader.string("code"))
    case "stripe": return .stripe(eventPrefix: try reader.optionalString("event_prefix") ?? "")
    default: throw reader.failure("format", "must be openmeter, lago or stripe")
    }
  }
}
