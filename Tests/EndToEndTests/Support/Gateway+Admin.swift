internal import Foundation

/// A customer in good standing, with one key.
struct Customer: Sendable {
  var id: String
  var key: String
  var keyID: String
}

/// What the demonstration model costs in these tests, in nano-units of a dollar per token.
enum Price {
  static let promptNano = 20_000
  static let completionNano = 60_000
  static let components =
    #"[{"category":"prompt_uncached","per_million":"20.00"},{"category":"completion","per_million":"60.00"}]"#

  static func charge(prompt: Int, completion: Int) -> Int { prompt * self.promptNano + completion * self.completionNano }
}

extension Gateway {
  /// An admin request that must succeed.
  @discardableResult
  func admin(_ method: String, _ path: String, _ body: String? = nil) async throws -> JSONValue {
    let reply = try await self.send(
      HTTPRequest(method: method, path: "/admin/v1" + path, key: self.adminKey, body: body.map { Array($0.utf8) }))
    guard (200..<300).contains(reply.status) else { throw Failure("\(method) \(path) answered \(reply.status): \(reply.text)") }
    return try reply.json
  }

  func setPrice(of model: String = "demo") async throws {
    try await self.admin("POST", "/prices", #"{"model":"\#(model)","currency":"USD","components":\#(Price.components)}"#)
  }

  func createKey(for customer: String, name: String = "another") async throws -> (id: String, secret: String) {
    let key = try await self.admin("POST", "/customers/\(customer)/keys", #"{"name":"\#(name)","scopes":["inference","usage"]}"#)
    guard let id = key["id"].string, let secret = key["secret"].string else {
      throw Failure("the key has no id or secret: \(key)")
    }
    return (id, secret)
  }

  /// A customer for whom everything that the license asks for is on record.
  func onboard(_ name: String = "Acme") async throws -> Customer {
    let customer = try await self.admin("POST", "/customers", #"{"name":"\#(name)","country":"DE"}"#)
    guard let id = customer["id"].string else { throw Failure("the customer has no id: \(customer)") }
    let standing = try await self.admin("GET", "/standing?subject=\(id)&model=demo")
    for row in standing["missing"].elements { try await self.admin("POST", "/attestations", try Self.attestation(for: row)) }
    let key = try await self.createKey(for: id, name: "first")
    return Customer(id: id, key: key.secret, keyID: key.id)
  }

  /// A priced model and a customer in good standing: all that a request needs.
  func open() async throws -> Customer {
    try await self.setPrice()
    return try await self.onboard()
  }

  /// A body that states what a row of `missing` asks for.
  static func attestation(for row: JSONValue) throws -> String {
    guard let subject = row["subject"].string, let fact = row["fact"].string, let type = row["type"].string else {
      throw Failure("a row of missing lacks subject, fact or type: \(row)")
    }
    let value =
      switch type {
      case "bool": "true"
      case "count": #"{"upper":1000000}"#
      case "money": #"{"upper":"1000000.00"}"#
      case "enum": try quoted(row["values"][0].string ?? "")
      case "set": "[]"
      case "region": #""DE""#
      case "date": #""2026-01-01""#
      default: #""see contract""#
      }
    return
      #"{"subject":"\#(subject)","fact":"\#(fact)","value":\#(value),"signer":{"name":"Erika Example","role":"General Counsel"}}"#
  }

  func limitSpend(of subject: String, toNano nano: Int) async throws {
    let body = #"{"subject":"\#(subject)","kind":"spend","amount":"\#(decimal(nano: nano))","currency":"USD","window":"month"}"#
    try await self.admin("POST", "/limits", body)
  }

  /// The settled total of a customer or a key.
  func total(customer: String, key: String? = nil) async throws -> JSONValue {
    try await self.admin("GET", "/usage?customer=\(customer)" + (key.map { "&key=\($0)" } ?? ""))["total"]
  }

  func metrics() async throws -> Metrics { Metrics(try await self.get("/metrics").text) }

  // MARK: Audit bundles

  /// Has a bundle made, fetches it and unpacks it with the system's tar; gives the directory with the manifest.
  func exportBundle(named name: String, span: String = "") async throws -> String {
    let order = #"{"kind":"audit","format":"bundle"\#(span)}"#
    let tar = self.workplace.file(name + ".tar")
    try Data(try await self.export(order)).write(to: URL(fileURLWithPath: tar))
    let folder = self.workplace.file(name)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let result = try await run("/bin/tar", ["-xf", tar, "-C", folder], in: self.workplace)
    guard result.status == 0 else { throw Failure("tar does not read the bundle: \(result.said)") }
    let manifests = (FileManager.default.enumerator(atPath: folder)?.allObjects ?? []).compactMap { $0 as? String }
      .filter { $0.hasSuffix("manifest.json") }
    guard let manifest = manifests.first, manifests.count == 1 else {
      throw Failure("the bundle has \(manifests.count) manifests")
    }
    return URL(fileURLWithPath: folder + "/" + manifest).deletingLastPathComponent().path
  }

  /// Orders an export, waits for it and fetches it.
  func export(_ order: String) async throws -> [UInt8] {
    let ordered = try await self.admin("POST", "/exports", order)
    guard let id = ordered["id"].string, id.hasPrefix("exp_") else { throw Failure("the export has no id: \(ordered)") }
    let state = try await Exchange.await("the export \(id) is made", within: .seconds(30)) { () -> JSONValue? in
      let state = try await self.admin("GET", "/exports/\(id)")
      return state["status"] == .string("pending") ? nil : state
    }
    guard state["status"] == .string("ready") else { throw Failure("the export failed: \(state)") }
    return try await self.send(HTTPRequest(path: "/admin/v1/exports/\(id)/content", key: self.adminKey)).body
  }

  /// What both verifiers, which share no code, say of a bundle.
  func verify(_ bundle: String) async throws -> (command: Outcome, script: Outcome) {
    let command = try await weighbridge("audit", "verify", bundle, in: self.workplace)
    let script = try await run("/usr/bin/env", ["python3", bundle + "/verify.py", bundle], in: self.workplace)
    return (command, script)
  }
}

/// Entries of a bundle's log.
struct LogEntries: Sendable {
  let all: [JSONValue]

  init(bundle: String) throws {
    self.all = try readText(bundle + "/entries.jsonl").split(separator: "\n").map { try JSONValue(String($0)) }
  }

  func ofType(_ types: String...) -> [JSONValue] { self.all.filter { types.contains($0["type"].string ?? "") } }
}
