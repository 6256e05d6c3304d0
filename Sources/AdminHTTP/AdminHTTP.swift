// AdminHTTP: the admin API: resources in, acts of administration out.
// Holds the routes under /admin/v1 and the check of the admin key; what an act means is decided by the gate.
// It must never reach a store or an engine, and never sees an API key's secret but the one it hands out.

public import Documents
public import GatewayHTTP
public import Governance
public import GovernanceTypes
public import Hummingbird

/// What the admin routes need besides the gate.
public struct AdminServices: Sendable {
  public var exports: any ExportDesk
  /// Takes in the verbatim text of a license document; throws ``Refusal`` where it is not an accepted one.
  public var importDocument: @Sendable (TermFileID, _ role: String, [UInt8]) async throws -> Void
  /// Reads the term files again; throws ``Refusal`` and leaves those in force where they cannot be taken.
  public var reloadTerms: @Sendable (Actor) async throws -> Void
  public var deliveries: any DeliveryBoard
  /// A month's tokens from the engines to the invoices.
  public var captureRate: @Sendable (CalendarMonth) async throws -> JSON
  public var digest: DigestFunction
  public var bodyLimit: Int

  public init(
    exports: any ExportDesk, importDocument: @escaping @Sendable (TermFileID, String, [UInt8]) async throws -> Void,
    reloadTerms: @escaping @Sendable (Actor) async throws -> Void, deliveries: any DeliveryBoard,
    captureRate: @escaping @Sendable (CalendarMonth) async throws -> JSON, digest: @escaping DigestFunction, bodyLimit: Int
  ) {
    self.exports = exports
    self.importDocument = importDocument
    self.reloadTerms = reloadTerms
    self.deliveries = deliveries
    self.captureRate = captureRate
    self.digest = digest
    self.bodyLimit = bodyLimit
  }
}

/// Makes exports in the background and hands them out.
public protocol ExportDesk: Sendable {
  /// - Throws: ``Refusal`` where such an export is not made.
  func start(_ order: ExportOrder) async throws -> ExportState
  func state(of id: ExportID) async throws -> ExportState
  /// The finished export, for someone; that it was taken is in the log before it is given.
  func content(of id: ExportID, by actor: Actor) async throws -> ExportContent
  /// What goes with a finished table in FOCUS: who made it, in which version, and what its columns are.
  func metadata(of id: ExportID) async throws -> JSON
}

public struct ExportOrder: Sendable {
  public enum Kind: String, Sendable, CaseIterable { case audit, usage }
  public enum Format: String, Sendable, CaseIterable { case bundle, csv, jsonl, focus }

  public var kind: Kind
  public var format: Format
  public var from: Timestamp?
  public var to: Timestamp?
  public var actor: Actor
  /// What it is for, where the terms of models have a say in that.
  public var output: OutputExport?
}

public struct ExportState: Sendable {
  public enum Status: String, Sendable { case pending, ready, failed }

  public var id: ExportID
  public var order: ExportOrder
  public var status: Status
  public var failure: String?

  public init(id: ExportID, order: ExportOrder, status: Status, failure: String? = nil) {
    self.id = id
    self.order = order
    self.status = status
    self.failure = failure
  }
}

/// A finished export, read in pieces.
public struct ExportContent: Sendable {
  public var mediaType: String
  public var fileName: String
  public var byteCount: Int
  /// The next bytes at an offset; empty at the end.
  public var read: @Sendable (_ offset: Int, _ count: Int) throws -> [UInt8]

  public init(mediaType: String, fileName: String, byteCount: Int, read: @escaping @Sendable (Int, Int) throws -> [UInt8]) {
    self.mediaType = mediaType
    self.fileName = fileName
    self.byteCount = byteCount
    self.read = read
  }
}

/// Who asks, and what they may do: with several roles, what any of them may.
public struct AdminHolder: Sendable {
  public var actor: Actor
  public var roles: Set<AdminRole>

  public init(actor: Actor, roles: Set<AdminRole>) {
    self.actor = actor
    self.roles = roles
  }
}

/// Tells whose an identity provider's token is; throws ``Refusal`` where it is not taken.
public typealias TokenDesk = @Sendable (_ token: String) async throws -> AdminHolder

/// Whether a bearer secret has the form of a token rather than of a key: keys have no dots.
public func isToken(_ secret: String) -> Bool { secret.utf8.contains(UInt8(ascii: ".")) }

/// The admin routes.
public struct AdminRoutes: Sendable {
  let gate: Gate
  let services: AdminServices
  private let keyDigest: Digest?
  private let networks: [AddressRange]
  private let tokens: TokenDesk?

  /// - Parameters:
  ///   - key: the bootstrap admin key, an owner's; without one only keys that were made before are let in.
  ///   - networks: where admin requests may come from; empty for anywhere.
  ///   - tokens: nil where no identity provider is trusted.
  public init(
    gate: Gate, services: AdminServices, key: String?, networks: [AddressRange] = [], tokens: TokenDesk? = nil
  ) {
    self.networks = networks
    self.tokens = tokens
    self.gate = gate
    self.services = services
    self.keyDigest = key.map { services.digest(Array($0.utf8)) }
  }

  public func add(to router: Router<GatewayContext>) {
    self.addCustomers(to: router)
    self.addMoney(to: router)
    self.addInvoices(to: router)
    self.addOrganization(to: router)
    self.addDeliveries(to: router)
    self.addCaptureRate(to: router)
    self.addLicensing(to: router)
    self.addConduct(to: router)
    self.addRecords(to: router)
  }

  /// A token with its claims is longer than a key.
  private static let longestSecret = 8192

  typealias Handler = @Sendable (AdminRequest) async throws -> Response

  /// Wraps a handler: the admin key is checked first, refusals become error objects.
  func guarded(_ handler: @escaping Handler) -> @Sendable (Request, GatewayContext) async throws -> Response {
    { request, context in
      await answering {
        let actor = try await self.authenticate(request, from: context.remoteAddress)
        return try await handler(
          AdminRequest(request: request, context: context, actor: actor, bodyLimit: self.services.bodyLimit))
      }
    }
  }

  private func authenticate(_ request: Request, from address: String?) async throws -> Actor {
    guard self.networks.isEmpty || self.networks.contains(where: { address.map($0.contains) ?? false }) else {
      throw Refusal(.permissionDenied, "The admin API does not answer to this address.", context: address)
    }
    let secret = try bearerSecret(request, most: Self.longestSecret)
    if let tokens = self.tokens, isToken(secret) {
      let holder = try await tokens(secret)
      guard holder.roles.contains(where: { AdminAccess.permits($0, request.method, path: request.uri.path) }) else {
        let roles = holder.roles.map(\.rawValue).sorted().joined(separator: ", ")
        throw Refusal(.permissionDenied, "A token with the roles '\(roles)' may not do this.")
      }
      return holder.actor
    }
    let digest = self.services.digest(Array(secret.utf8))
    if let (actor, role) = self.gate.adminActor(secretDigest: digest) {
      guard AdminAccess.permits(role, request.method, path: request.uri.path) else {
        throw Refusal(.permissionDenied, "An admin key of the role '\(role.rawValue)' may not do this.")
      }
      return actor
    }
    guard let expected = self.keyDigest else {
      throw Refusal(.permissionDenied, "The admin API is closed: the gateway was started without WEIGHBRIDGE_ADMIN_KEY.")
    }
    guard digest == expected else {
      throw Refusal(.invalidAPIKey, "The admin key is wrong.")
    }
    return .bootstrap
  }
}

/// One authenticated admin request.
struct AdminRequest: Sendable {
  let request: Request
  let context: GatewayContext
  let actor: Actor
  let bodyLimit: Int

  func json() async throws -> Document { try await readJSON(self.request, limit: self.bodyLimit).document }

  /// The id in the path, or 404: an id of the wrong form names nothing.
  func identifier<Kind>(_ name: String = "id") throws -> Identifier<Kind> {
    let text = self.context.parameters.get(name) ?? ""
    guard let id = Identifier<Kind>(text) else { throw Refusal(.notFound, "There is no '\(text)' here.") }
    return id
  }

  func query(_ name: String) -> String? { self.request.uri.queryParameters[Substring(name)].map { String($0) } }

  func requiredQuery(_ name: String) throws -> String {
    guard let text = self.query(name) else { throw Refusal(.invalidRequest, "The query must have '\(name)'.", parameter: name) }
    return text
  }
}

/// A page of a list.
func listResponse(_ elements: [JSON]) -> Response {
  jsonResponse(["object": "list", "data": .array(elements), "has_more": false, "next_cursor": nil])
}
