/// Writes XML and HTML with all text escaped: nothing that an operator or a customer typed becomes markup.
struct Markup {
  private(set) var bytes: [UInt8] = []

  /// Opens an element, writes what is in it, and closes it. Names and attribute names are literals of this module.
  mutating func element(_ name: StaticString, _ attributes: [(StaticString, String)] = [], _ content: (inout Markup) -> Void) {
    self.open(name, attributes)
    content(&self)
    self.raw("</")
    self.raw(name)
    self.raw(">")
  }

  mutating func element(_ name: StaticString, _ attributes: [(StaticString, String)] = [], _ text: String) {
    self.element(name, attributes) { $0.text(text) }
  }

  /// Writes an element where there is a text for it.
  mutating func element(_ name: StaticString, _ text: String?) {
    if let text { self.element(name, [], text) }
  }

  /// Markup of this module's own.
  mutating func raw(_ text: StaticString) {
    text.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
  }

  /// Text of any origin. Characters that XML 1.0 cannot hold become U+FFFD.
  mutating func text(_ text: String) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": self.raw("&amp;")
      case "<": self.raw("&lt;")
      case ">": self.raw("&gt;")
      case "\"": self.raw("&quot;")
      case "'": self.raw("&#39;")
      case "\t", "\n": self.bytes.append(UInt8(scalar.value))
      // A bare CR would come back from a parser as a line feed.
      case "\r": self.raw("&#13;")
      case "\0"..<" ", "\u{FFFE}", "\u{FFFF}": self.raw("\u{FFFD}")
      default: self.bytes.append(contentsOf: String(scalar).utf8)
      }
    }
  }

  private mutating func open(_ name: StaticString, _ attributes: [(StaticString, String)]) {
    self.raw("<")
    self.raw(name)
    for (attribute, value) in attributes {
      self.raw(" ")
      self.raw(attribute)
      self.raw("=\"")
      self.text(value)
      self.raw("\"")
    }
    self.raw(">")
  }
}
