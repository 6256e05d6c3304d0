internal import Documents
internal import GatewayHTTP
internal import Governance
internal import GovernanceTypes
internal import Hummingbird
internal import NIOCore

extension AdminRoutes {
  func addRecords(to router: Router<GatewayContext>) {
    router.get(
      "/admin/v1/decisions/{id}",
      use: self.guarded { call in
        jsonResponse(try await self.gate.decision(call.identifier()))
      })
    router.get(
      "/admin/v1/audience",
      use: self.guarded { _ in
        listResponse(self.gate.audience())
      })
    router.post(
      "/admin/v1/exports",
      use: self.guarded { call in
        let order = try ExportOrder(await call.json(), by: call.actor)
        if let output = order.output { try await self.gate.askExport(output, by: call.actor) }
        return jsonResponse(try await self.services.exports.start(order).json, status: .accepted)
      })
    router.get(
      "/admin/v1/exports/{id}",
      use: self.guarded { call in
        jsonResponse(try await self.services.exports.state(of: call.identifier()).json)
      })
    router.get(
      "/admin/v1/exports/{id}/content",
      use: self.guarded { call in
        self.download(try await self.services.exports.content(of: call.identifier(), by: call.actor))
      })
    router.get(
      "/admin/v1/exports/{id}/metadata",
      use: self.guarded { call in jsonResponse(try await self.services.exports.metadata(of: call.identifier())) })
  }

  private func download(_ content: ExportContent) -> Response {
    let body = ResponseBody(contentLength: content.byteCount) { writer in
      var offset = 0
      while true {
        let bytes = try content.read(offset, 1 << 18)
        guard !bytes.isEmpty else { break }
        try await writer.write(ByteBuffer(bytes: bytes))
        offset += bytes.count
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok,
      headers: [.contentType: content.mediaType, .contentDisposition: "attachment; filename=\"\(content.fileName)\""], body: body)
  }
}

extension ExportOrder {
  init(_ document: Document, by actor: Actor) throws {
    do throws(DocumentError) {
      var reader = try DocumentReader(document)
      let kind = try reader.string("kind")
      let format = try reader.string("format")
      guard let knownKind = Kind(rawValue: kind) else { throw reader.failure("kind", "'\(kind)' is not one of: audit, usage") }
      guard let knownFormat = Format(rawValue: format), (knownKind == .audit) == (knownFormat == .bundle) else {
        let known = knownKind == .audit ? "bundle" : "csv, jsonl, focus"
        throw reader.failure("format", "'\(format)' is not one of: \(known)")
      }
      self.init(
        kind: knownKind, format: knownFormat, from: try Self.time(&reader, "from"), to: try Self.time(&reader, "to"),
        actor: actor,
        output: try Self.output(&reader))
      try reader.finish()
    } catch {
      throw Refusal(error)
    }
  }

  /// What the export is for, where the body says so: `purpose`, and with it `customer`, `models` and `target_lineage`.
  private static func output(_ reader: inout DocumentReader) throws(DocumentError) -> OutputExport? {
    guard let name = try reader.optionalString("purpose") else { return nil }
    guard let purpose = ExportPurpose(rawValue: name) else {
      let known = ExportPurpose.allCases.map(\.rawValue).joined(separator: ", ")
      throw reader.failure("purpose", "'\(name)' is not one of: \(known)")
    }
    let customer = try reader.optionalString("customer")
    let id = customer.flatMap { CustomerID($0) }
    if customer != nil, id == nil { throw reader.failure("customer", "a customer's id belongs here") }
    return OutputExport(
      purpose: purpose, customer: id, models: try reader.strings("models").map { ModelID($0) },
      trainingTarget: try reader.optionalString("target_lineage"))
  }

  private static func time(_ reader: inout DocumentReader, _ key: String) throws(DocumentError) -> Timestamp? {
    guard let text = try reader.optionalString(key) else { return nil }
    guard let time = Timestamp(text) else { throw reader.failure(key, "a date or an RFC 3339 time belongs here") }
    return time
  }
}

extension ExportState {
  var json: JSON {
    [
      "id": .string(self.id.description), "object": "export", "kind": .string(self.order.kind.rawValue),
      "format": .string(self.order.format.rawValue), "status": .string(self.status.rawValue), "error": JSON(self.failure),
    ]
  }
}
