internal import AuditSigning
internal import Foundation
internal import GovernanceTypes

/// A license text without what copies of it differ in: marks of formatting, quotes, white space, case.
///
/// The normaliser `nfkc-quotes-markup-space-lower/1`: NFKC; straight quotes; `(c)` for the sign; none of `* _ # > \` and back-quotes;
/// a hyphen at the end of a line joined with the next line; each run of white space one space; lower case.
enum NormalizedText {
  static let name = "nfkc-quotes-markup-space-lower/1"

  /// Nil where the bytes are no UTF-8.
  static func digest(_ bytes: [UInt8]) -> Digest? {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    return sha256(Array(self.normalized(text).utf8))
  }

  static func normalized(_ text: String) -> String {
    let straight = text.precomposedStringWithCompatibilityMapping.unicodeScalars.flatMap { self.replacement(of: $0) }
    var result: [Unicode.Scalar] = []
    var pendingSpace = false
    for (index, scalar) in straight.enumerated() {
      if scalar.properties.isWhitespace {
        let joins = index > 0 && scalar == "\n" && straight[index - 1] == "-"
        pendingSpace = pendingSpace || !joins
        continue
      }
      if pendingSpace, !result.isEmpty { result.append(" ") }
      pendingSpace = false
      result.append(scalar)
    }
    return String(String.UnicodeScalarView(result)).lowercased()
  }

  private static func replacement(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    switch scalar {
    case "\u{2018}", "\u{2019}": ["'"]
    case "\u{201C}", "\u{201D}": ["\""]
    case "\u{A9}": ["(", "c", ")"]
    case "*", "_", "#", ">", "\\", "`", "\r": []
    default: [scalar]
    }
  }
}
