internal import Documents
public import GovernanceTypes

/// The members of an entry's line by name, read where they stand: for tables of what a log has, whose rows are made of a million lines.
///
/// One value serves for many lines. It knows text, numbers and ids; of objects and arrays it only knows that they are there.
public struct EntryFields: Sendable {
  public struct Name: Sendable {
    fileprivate let packed: PackedText
    fileprivate let bytes: [UInt8]
    public let text: StaticString

    public init(_ text: StaticString) {
      self.text = text
      self.packed = PackedText(text)
      self.bytes = Array("\(text)".utf8)
    }
  }

  private var line = CanonicalLine()
  private var bytes: [UInt8] = []

  public init() {}

  /// Takes the next line, without its newline. O(bytes).
  ///
  /// - Throws: ``BundleError`` where it is no canonical entry.
  public mutating func read(_ line: [UInt8]) throws(BundleError) {
    self.bytes = line
    do throws(LineError) { try self.line.scan(line, from: 0) } catch {
      throw BundleError(file: BundlePath.entries, message: "a line \(error.message)")
    }
  }

  /// The bytes of a string between its quotes, with its escapes; nil where there is none.
  private func string(_ name: Name) -> Range<Int>? {
    let member = self.line.members.first { member in
      // Long keys are packed alike.
      member.key == name.packed && (name.bytes.count <= 16 || self.bytes[member.name].elementsEqual(name.bytes))
    }
    return member.flatMap { $0.kind == .string ? $0.value : nil }
  }

  /// The string under a name; nil where there is none.
  public func text(_ name: Name) -> String? {
    guard let value = self.string(name) else { return nil }
    if self.bytes[value].contains(UInt8(ascii: "\\")) { return unescaped(self.bytes[value]) }
    return String(decoding: self.bytes[value], as: UTF8.self)
  }

  public func identifier<Kind: IdentifierKind>(_ name: Name) -> Identifier<Kind>? {
    self.string(name).flatMap { Identifier(ascii: self.bytes.span.extracting($0)) }
  }

  /// A string of digits, at most `largest`.
  public func decimal(_ name: Name, atMost largest: Int128) -> Int128? {
    self.string(name).flatMap { parseDecimal(self.bytes, $0, atMost: largest) }
  }
}

/// The text of a string of canonical JSON, from between its quotes.
private func unescaped(_ text: ArraySlice<UInt8>) -> String? {
  // What the scanner has let pass is JSON.
  guard case .string(let string)? = try? Document.parseJSON([UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")]).content else {
    return nil
  }
  return string
}
