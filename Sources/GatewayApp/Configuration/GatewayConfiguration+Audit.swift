internal import AuditSigning
internal import AuditTrail
internal import Documents

extension GatewayConfiguration {
  /// Who else watches the log, and how often it speaks of itself.
  public struct Audit: Sendable {
    struct Witness: Sendable {
      /// The submission prefix of C2SP tlog-witness.
      var url: String
      var key: NoteKey
    }

    /// Seconds between two heartbeats in the log.
    public var heartbeatSeconds = 60
    /// Witnesses that are asked to cosign each checkpoint.
    var witnesses: [Witness] = []
    /// The verifier keys of the logs that this gateway is a witness of.
    public var witnessFor: [String] = []
    /// Timestamps bundles.
    var timestamp: TimestampAuthority?

    public init() {}
  }

  static func audit(
    _ reader: inout DocumentReader, resolve: (String) -> String
  ) throws(DocumentError) -> Audit {
    var audit = Audit()
    guard var section = try reader.optionalReader("audit") else { return audit }
    audit.heartbeatSeconds = try section.optionalInteger("heartbeat_seconds", in: 1...3600) ?? audit.heartbeatSeconds
    for (path, element) in try section.list("witnesses") {
      var witness = try DocumentReader(element, path: path)
      let url = try witness.string("url")
      guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
        throw witness.failure("url", "'\(url)' is no address of a witness; it begins with http:// or https://")
      }
      let text = try witness.string("key")
      let key: NoteKey
      do throws(NoteError) { key = try NoteKey(vkey: text, use: .cosignature, digest: sha256) } catch {
        throw witness.failure("key", "is no verifier key of a witness: \(error)")
      }
      try witness.finish()
      audit.witnesses.append(Audit.Witness(url: url, key: key))
    }
    audit.witnessFor = try section.strings("witness_for")
    for text in audit.witnessFor {
      do throws(NoteError) { _ = try NoteKey(vkey: text, digest: sha256) } catch {
        throw section.failure("witness_for", "'\(text.prefix(80))' is no verifier key of a log: \(error)")
      }
    }
    if var authority = try section.optionalReader("timestamp") {
      audit.timestamp = TimestampAuthority(
        url: try authority.string("url"), certificate: resolve(try authority.string("certificate")))
      try authority.finish()
    }
    try section.finish()
    return audit
  }
}
