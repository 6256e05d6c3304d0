// YAMLDocuments: YAML files as documents with positions.
// Holds one bounded, strict reading of one YAML document by the 1.2 core schema, over the Yams library.
// It must never know what a document means, and never open a file.

public import Documents
internal import Yams

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
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw DocumentError(position: .start, message: "the text is not valid UTF-8")
    }
    return try Self.parseYAML(text, limits: limits)
  }

  /// The same for a text.
  public static func parseYAML(_ text: String, limits: YAMLLimits = YAMLLimits()) throws(DocumentError) -> Document {
    guard text.utf8.count <= limits.bytes else {
      throw DocumentError(position: .start, message: "the text has \(text.utf8.count) bytes; at most \(limits.bytes) are read")
    }
    let masked = try MaskedText(text)
    let parser: Yams.Parser
    let root: Node?
    do {
      parser = try Yams.Parser(yaml: masked.text, resolver: .basic, encoding: .utf8)
      root = try parser.singleRoot()
    } catch {
      throw DocumentError(error, masked: masked)
    }
    // Nodes refer weakly to their anchors, which the parser owns; it has to outlive the reading of the nodes.
    return try withExtendedLifetime(parser) { () throws(DocumentError) -> Document in
      guard let root else { throw DocumentError(position: .start, message: "the text holds no document") }
      var reader = NodeReader(masked: masked, limits: limits)
      return try reader.document(root, depth: 0, field: "")
    }
  }
}

/// A text in which every asterisk is replaced by a character that the text does not have.
///
/// An asterisk where a value may begin is an alias and nothing else. The library would expand aliases while it composes, which
/// a few lines can make arbitrarily costly; so it never sees one. A plain value that begins with the stand-in was an alias;
/// anywhere else the stand-in is put back. Every scalar stays one scalar, so positions are right.
struct MaskedText {
  let text: String
  private let standIn: Unicode.Scalar

  init(_ text: String) throws(DocumentError) {
    guard text.utf8.contains(UInt8(ascii: "*")) else {
      self.text = text
      self.standIn = "*"
      return
    }
    let taken = Set(text.unicodeScalars.lazy.filter { (0xE000...0xF8FF).contains($0.value) })
    guard let standIn = (UInt32(0xE000)...0xF8FF).lazy.compactMap(Unicode.Scalar.init).first(where: { !taken.contains($0) })
    else { throw DocumentError(position: .start, message: "the text uses every private-use character") }
    self.standIn = standIn
    var masked = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { masked.append(scalar == "*" ? standIn : scalar) }
    self.text = String(masked)
  }

  func beginsWithAsterisk(_ text: String) -> Bool { text.unicodeScalars.first == self.standIn }

  func restored(_ text: String) -> String {
    guard self.standIn != "*", text.unicodeScalars.contains(self.standIn) else { return text }
    var restored = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { restored.append(scalar == self.standIn ? "*" : scalar) }
    return String(restored)
  }
}
