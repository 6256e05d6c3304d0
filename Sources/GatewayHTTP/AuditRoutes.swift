internal import Documents
public import Governance
public import GovernanceTypes
internal import HTTPTypes
public import Hummingbird
internal import NIOCore

/// One entry with the proof that it is in the log.
public struct EntryProof: Sendable {
  /// The line without its newline.
  public var line: String
  public var sequence: Int
  public var leaf: Digest
  /// From the leaf's sibling up.
  public var path: [Digest]
  /// The signed note.
  public var checkpoint: String
  /// All of it as a file of C2SP tlog-proof.
  public var file: [UInt8]

  public init(line: String, sequence: Int, leaf: Digest, path: [Digest], checkpoint: String, file: [UInt8]) {
    self.line = line
    self.sequence = sequence
    self.leaf = leaf
    self.path = path
    self.checkpoint = checkpoint
    self.file = file
  }
}

/// An answer of the witness that this gateway is to other logs.
public struct WitnessReply: Sendable {
  public var status: Int
  public var contentType: String
  public var body: String

  public init(status: Int, contentType: String, body: String) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }
}

/// What the audit routes need besides the gate.
public struct AuditServices: Sendable {
  /// The hashes of a tile, by its path below `/audit/v1/`; nil where the published log does not have it.
  public var tile: @Sendable (_ path: String) async throws -> [UInt8]?
  /// The entries of a tile, likewise.
  public var entries: @Sendable (_ path: String) async throws -> [UInt8]?
  /// The proof of the entry under a lookup id; nil where there is none.
  public var proof: @Sendable (_ lookup: String) async throws -> EntryProof?
  /// Throws ``Refusal`` unless the secret is an admin key, or a token that stands for one.
  public var requireAuditor: @Sendable (_ secret: String) async throws -> Void
  /// Judges a checkpoint of another log; nil where this gateway is no witness.
  public var witness: (@Sendable (_ request: [UInt8]) async throws -> WitnessReply)?

  public init(
    tile: @escaping @Sendable (String) async throws -> [UInt8]?, entries: @escaping @Sendable (String) async throws -> [UInt8]?,
    proof: @escaping @Sendable (String) async throws -> EntryProof?,
    requireAuditor: @escaping @Sendable (String) async throws -> Void,
    witness: (@Sendable ([UInt8]) async throws -> WitnessReply)?
  ) {
    self.tile = tile
    self.entries = entries
    self.proof = proof
    self.requireAuditor = requireAuditor
    self.witness = witness
  }
}

/// The public side of the log: tiles of hashes for everyone, entries for auditors, receipts for customers, and the witness.
public struct AuditRoutes: Sendable {
  private let gate: Gate
  private let services: AuditServices
  private static let witnessBodyLimit = 1 << 17

  public init(gate: Gate, services: AuditServices) {
    self.gate = gate
    self.services = services
  }

  public func add(to router: Router<GatewayContext>) {
    router.get("/audit/v1/tile/**") { request, _ in await answering { try await self.tile(request) } }
    router.get("/v1/usage/receipts/{id}") { request, context in
      await answering { try await self.receipt(request, id: context.parameters.get("id") ?? "") }
    }
    router.get("/v1/usage/charges/{id}") { request, context in
      await answering { try await self.charge(request, id: context.parameters.get("id") ?? "") }
    }
    guard let witness = self.services.witness else { return }
    router.post("/audit/v1/witness/add-checkpoint") { request, _ in
      await answering { try await self.cosign(request, witness) }
    }
  }

  /// `GET /audit/v1/tile/…`, in the layout of C2SP tlog-tiles. Entries name customers, so they are for the holder of an admin key.
  private func tile(_ request: Request) async throws -> Response {
    let path = String(request.uri.path.dropFirst("/audit/v1/".count))
    let isEntries = path.hasPrefix("tile/entries/")
    if isEntries { try await self.services.requireAuditor(bearerSecret(request, most: 8192)) }
    guard let bytes = try await (isEntries ? self.services.entries(path) : self.services.tile(path)) else {
      throw Refusal(.notFound, "There is no \(path.prefix(80)) in the tree of the published checkpoint.")
    }
    // A tile never changes; a partial one is never asked for again once there is a wider one.
    let caching = isEntries ? "private, max-age=31536000, immutable" : "public, max-age=31536000, immutable"
    return Response(
      status: .ok, headers: [.contentType: "application/octet-stream", .cacheControl: caching],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// `GET /v1/usage/receipts/{id}`: the entry that ended a usage, and the proof that it is in the log; to its customer, by any of its
  /// keys, and to an auditor. With `.tlog-proof` behind the id, the same as one file.
  private func receipt(_ request: Request, id: String) async throws -> Response {
    let reader = try await self.reader(try bearerSecret(request, most: 8192))
    let isFile = id.hasSuffix(".tlog-proof")
    let text = isFile ? String(id.dropLast(".tlog-proof".count)) : id
    let missing = Refusal(.notFound, "There is no settled or voided usage \(text.prefix(80)) of yours.")
    guard let usage = UsageID(text), let proof = try await self.services.proof(usage.description) else { throw missing }
    let entry: Document
    do throws(DocumentError) { entry = try Document.parseJSON(Array(proof.line.utf8)) } catch { throw Refusal(error) }
    if let reader {
      guard case .string(let customer)? = entry["customer"]?.content, CustomerID(customer) == reader else { throw missing }
    }
    if isFile { return textResponse(String(decoding: proof.file, as: UTF8.self)) }
    return jsonResponse(
      [
        "object": "usage.receipt", "id": .string(usage.description), "entry": .string(proof.line),
        "index": .integer(proof.sequence), "leaf_hash": .string(proof.leaf.hexadecimal),
        "inclusion_proof": .array(proof.path.map { .string($0.hexadecimal) }), "checkpoint": .string(proof.checkpoint),
      ])
  }

  /// `GET /v1/usage/charges/{id}`: why a request is charged what it is charged; to its customer, by any of its keys, and to an auditor.
  private func charge(_ request: Request, id: String) async throws -> Response {
    let reader = try await self.reader(try bearerSecret(request, most: 8192))
    guard let usage = UsageID(id) else { throw Refusal(.notFound, "There is no usage \(id.prefix(80)) of yours.") }
    return jsonResponse(try await self.gate.charge(of: usage, for: reader))
  }

  /// Whose entries the secret opens; nil for an auditor, who may read all.
  private func reader(_ secret: String) async throws -> CustomerID? {
    do {
      try await self.services.requireAuditor(secret)
      return nil
    } catch is Refusal {
      // No admin key: then it is a customer's, for answers or for reading their record.
    }
    do { return try self.gate.authenticate(secret, for: .usage).customer.id } catch let refusal
      where refusal.code == .permissionDenied
    {
      return try self.gate.authenticate(secret, for: .inference).customer.id
    }
  }

  /// `POST /audit/v1/witness/add-checkpoint` (C2SP tlog-witness).
  private func cosign(_ request: Request, _ witness: @Sendable ([UInt8]) async throws -> WitnessReply) async throws -> Response {
    let reply = try await witness(try await readBody(request, limit: Self.witnessBodyLimit))
    return Response(
      status: .init(code: reply.status), headers: [.contentType: reply.contentType],
      body: ResponseBody(byteBuffer: ByteBuffer(string: reply.body)))
  }
}
