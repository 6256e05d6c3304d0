public import GovernanceTypes

/// Unicode's compatibility composition (NFKC) of a text; passed in, since the tables for it belong to a library.
public typealias CompatibilityMapping = (String) -> String

/// A text without what differs between faithful copies of it: typography, markup, line breaks, case.
///
/// The steps, in this order: NFKC; straight quotes and `(c)`; `* _ # > \` and back-quotes dropped; a hyphen at the end of a line
/// joined with the next line; white space collapsed to one space and trimmed; lower case. O(bytes).
public enum NormalizedText {
  /// The name under which term files say that their digests were made by these steps.
  public static let name = "nfkc-quotes-markup-space-lower/1"

  /// The UTF-8 of the normalised text; bytes that are no UTF-8 become U+FFFD.
  public static func bytes(of text: [UInt8], compatibility: CompatibilityMapping) -> [UInt8] {
    let mapped = compatibility(String(decoding: text, as: UTF8.self))
    var kept = String.UnicodeScalarView()
    var isSpace = false
    var afterHyphen = false
    for scalar in mapped.unicodeScalars {
      switch scalar {
      case "*", "_", "#", ">", "\\", "`": continue
      case "\n" where afterHyphen:
        afterHyphen = false
        continue
      default: break
      }
      afterHyphen = scalar == "-"
      guard !scalar.isWhiteSpace else {
        isSpace = true
        continue
      }
      if isSpace, !kept.isEmpty { kept.append(" ") }
      isSpace = false
      switch scalar {
      case "\u{2018}", "\u{2019}": kept.append("'")
      case "\u{201C}", "\u{201D}": kept.append("\"")
      case "\u{A9}": kept.append(contentsOf: "(c)".unicodeScalars)
      default: kept.append(scalar)
      }
    }
    return Array(String(kept).lowercased().utf8)
  }
}

extension Unicode.Scalar {
  /// White space, and the separators U+001C to U+001F.
  fileprivate var isWhiteSpace: Bool { self.properties.isWhitespace || (0x1C...0x1F).contains(self.value) }
}

/// How a text compares with the accepted copies of a document.
public enum DocumentMatch: Sendable, Hashable {
  /// Byte for byte the copy of this origin.
  case raw(from: String)
  /// The same words in other typography.
  case normalized
  /// Another text.
  case none

  /// The name in JSON; nil for no match.
  public var kind: String? {
    switch self {
    case .raw: "raw"
    case .normalized: "normalized"
    case .none: nil
    }
  }
}

extension TermDocument {
  /// Compares a text with the accepted copies: by its bytes, else by its normalised words. O(bytes).
  public func match(_ text: [UInt8], sha256: DigestFunction, compatibility: CompatibilityMapping) -> DocumentMatch {
    let raw = self.match(sha256(text))
    guard raw == .none, self.normalizer == NormalizedText.name, !self.normalizedDigests.isEmpty else { return raw }
    return self.match(sha256(NormalizedText.bytes(of: text, compatibility: compatibility)))
  }

  /// Compares a digest that was taken elsewhere, of the bytes or of the normalised text.
  public func match(_ digest: Digest) -> DocumentMatch {
    if let copy = self.accepted.first(where: { $0.digest == digest }) { return .raw(from: copy.from) }
    return self.normalizedDigests.contains(digest) ? .normalized : .none
  }
}
