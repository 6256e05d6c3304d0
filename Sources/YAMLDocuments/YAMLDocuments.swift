// YAMLDocuments: YAML files as documents with positions.
// Holds one bounded, strict reading of one YAML document by the 1.2 core schema, over the events of libyaml.
// It must never know what a document means, and never open a file.

public import Documents

/// What a YAML text may cost; a text beyond any of these is refused.
public struct YAMLLimits: Sendable {
  public var bytes: Int
  public var depth: Int
  public var nodes: Int

  public init(bytes: Int = 1 << 20, depth: Int = 64, nodes: Int = 1 << 16) {
    self.bytes = bytes
    self.depth = depth
    self.nodes = nodes
  }
}

extension Document {
  /// Parses one YAML document, its plain scalars resolved by the core schema of YAML 1.2.2, chapter 10.3: only `true` and
  /// `false` are booleans, `yes`, `no`, `on`, `off` and dates are strings.
  ///
  /// Aliases, anchors, merge keys, tags, keys that are no strings, keys that stand twice, further documents and invalid UTF-8
  /// are refused by name. Numbers come out in JSON's form (`+07` as `7`, `0x1F` as `31`, `.5` as `0.5`). O(bytes) time, memory
  /// bounded by `limits.bytes`.
  public static func parseYAML(_ bytes: [UInt8], limits: YAMLLimits = YAMLLimits()) throws(DocumentError) -> Document {
    guard bytes.count <= limits.bytes else {
      throw DocumentError(position: .start, message: "the text has \(bytes.count) bytes; at most \(limits.bytes) are read")
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw DocumentError(position: .start, message: "the text is not valid UTF-8")
    }
    return try Self.parse(bytes, limits)
  }

  /// The same for a text.
  public static func parseYAML(_ text: String, limits: YAMLLimits = YAMLLimits()) throws(DocumentError) -> Document {
    guard text.utf8.count <= limits.bytes else {
      throw DocumentError(position: .start, message: "the text has \(text.utf8.count) bytes; at most \(limits.bytes) are read")
    }
    return try Self.parse(Array(text.utf8), limits)
  }

  private static func parse(_ text: [UInt8], _ limits: YAMLLimits) throws(DocumentError) -> Document {
    try text.withUnsafeBufferPointer { (buffer) throws(DocumentError) -> Document in
      var reader = try EventReader(buffer, limits: limits)
      return try reader.document()
    }
  }
}
