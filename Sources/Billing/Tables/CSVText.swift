/// Rows of comma-separated values after RFC 4180, with two decisions that the RFC leaves open.
///
/// Rows end with LF, not CRLF: these files are hashed, compared and counted by line with stock tools, to which a CR would be
/// part of the last field; every reader of RFC 4180 takes LF as well.
///
/// A text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@` or a control character that is skipped
/// on import: tab, LF, CR) gets an apostrophe in front; so does one that has this form behind apostrophes of its own. A reader
/// who wants the exact text drops one apostrophe from a field that has such a character behind its leading apostrophes:
/// no two texts are written alike. Numbers, ids and instants are not texts and stay as they are, a minus sign included.
public enum CSVText {
  static let separator = UInt8(ascii: ",")
  static let rowEnd = UInt8(ascii: "\n")

  /// Writes one row of texts. O(size).
  public static func append(row fields: [String], to bytes: inout [UInt8]) {
    for (index, field) in fields.enumerated() {
      if index > 0 { bytes.append(self.separator) }
      self.append(field, to: &bytes)
    }
    bytes.append(self.rowEnd)
  }

  /// Writes one text as a field, in quotes only if it contains a comma, a quote or a line break.
  public static func append(_ text: String, to bytes: inout [UInt8]) {
    let needsQuotes = self.needsQuotes(text)
    if needsQuotes { bytes.append(self.quote) }
    if self.readsAsFormula(text) { bytes.append(self.apostrophe) }
    guard needsQuotes else { return bytes.append(contentsOf: text.utf8) }
    for byte in text.utf8 {
      if byte == self.quote { bytes.append(self.quote) }
      bytes.append(byte)
    }
    bytes.append(self.quote)
  }

  private static func needsQuotes(_ text: String) -> Bool {
    let characters = text.utf8.span
    for place in characters.indices {
      switch characters[place] {
      case self.separator, self.quote, self.rowEnd, UInt8(ascii: "\r"): return true
      default: continue
      }
    }
    return false
  }

  /// True of a text whose first character other than an apostrophe makes a spreadsheet evaluate it.
  static func readsAsFormula(_ text: String) -> Bool {
    guard let first = text.utf8.first(where: { $0 != self.apostrophe }) else { return false }
    switch first {
    case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0A, 0x0D: return true
    default: return false
    }
  }

  private static let quote = UInt8(ascii: "\"")
  private static let apostrophe = UInt8(ascii: "'")
}
