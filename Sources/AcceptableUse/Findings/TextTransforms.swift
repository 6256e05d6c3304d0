/// The disguises that the normaliser took off a text, or under which a rule's words were found.
public struct TextTransforms: OptionSet, Sendable, Hashable {
  public let rawValue: UInt16

  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Zero-width, format and control characters stripped.
  public static let invisible = TextTransforms(rawValue: 1 << 0)
  /// Unicode tag characters read as ASCII.
  public static let tags = TextTransforms(rawValue: 1 << 1)
  /// Fullwidth, mathematical, enclosed, superscript and small-capital forms read as ASCII.
  public static let compatibility = TextTransforms(rawValue: 1 << 2)
  /// Diacritics dropped.
  public static let diacritics = TextTransforms(rawValue: 1 << 3)
  /// Cyrillic or Greek look-alikes read as Latin in a word that also has Latin letters.
  public static let homoglyphs = TextTransforms(rawValue: 1 << 4)
  /// A word of the rules written with digits or signs for letters.
  public static let leetspeak = TextTransforms(rawValue: 1 << 5)
  /// A word of the rules spelt as single letters.
  public static let spacedLetters = TextTransforms(rawValue: 1 << 6)
  /// A base64 run that decoded to printable text.
  public static let base64 = TextTransforms(rawValue: 1 << 7)
  /// A run with percent-encoded bytes that decoded to printable text.
  public static let percentEncoding = TextTransforms(rawValue: 1 << 8)

  private static let named: [(TextTransforms, String)] = [
    (.invisible, "invisible"), (.tags, "tags"), (.compatibility, "compatibility"), (.diacritics, "diacritics"),
    (.homoglyphs, "homoglyphs"), (.leetspeak, "leetspeak"), (.spacedLetters, "spaced_letters"), (.base64, "base64"),
    (.percentEncoding, "percent_encoding"),
  ]

  /// The names of the members, in a fixed order.
  public var names: [String] { Self.named.filter { self.contains($0.0) }.map(\.1) }
}
