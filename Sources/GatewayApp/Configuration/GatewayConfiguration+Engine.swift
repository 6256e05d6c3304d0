internal import Documents
internal import Governance
internal import Tensors

extension GatewayConfiguration {
  /// How the embedded engines keep and share what they compute.
  struct EmbeddedEngines: Sendable {
    /// How keys and values are stored; nil leaves it to the model.
    var kvType: KVType?
    /// MiB for the keys and values of one model; 0 for what all completions need at full length.
    var kvMemoryMiB = 0
    var prefixSharing = PrefixSharing.customer
    /// The most prompt tokens read in one step.
    var prefillChunk = 512
    var looksAhead = true

    init() {}

    init(_ reader: inout DocumentReader) throws(DocumentError) {
      guard var section = try reader.optionalReader("engine") else { return }
      let kvType = try section.optionalString("kv_type") ?? "auto"
      self.kvType = KVType(rawValue: kvType)
      guard self.kvType != nil || kvType == "auto" else {
        throw section.failure(
          "kv_type", "'\(kvType)' is not one of: auto, \(KVType.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      self.kvMemoryMiB = try section.optionalInteger("kv_memory_mib", in: 0...1 << 30) ?? 0
      let sharing = try section.optionalString("prefix_sharing") ?? PrefixSharing.customer.rawValue
      guard let known = PrefixSharing(rawValue: sharing) else {
        throw section.failure(
          "prefix_sharing", "'\(sharing)' is not one of: \(PrefixSharing.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      self.prefixSharing = known
      self.prefillChunk = try section.optionalInteger("prefill_chunk", in: 1...4096) ?? self.prefillChunk
      self.looksAhead = try section.optionalBool("lookahead") ?? self.looksAhead
      try section.finish()
    }

    var json: JSON {
      [
        "kv_type": .string(self.kvType?.rawValue ?? "auto"), "kv_memory_mib": .integer(self.kvMemoryMiB),
        "prefix_sharing": .string(self.prefixSharing.rawValue), "prefill_chunk": .integer(self.prefillChunk),
        "lookahead": .bool(self.looksAhead),
      ]
    }
  }
}
