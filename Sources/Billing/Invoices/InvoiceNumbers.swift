public import GovernanceTypes

/// Numbers of invoices or of credit notes, one after the other and without gaps, as a projection of what was finalised.
///
/// The number belongs in the transaction that stores the finalised document, so that a failed attempt uses up none.
public struct InvoiceNumbers: Sendable, Equatable {
  public let prefix: String
  /// The number that the next document gets.
  public private(set) var next = 1
  private var issued: [InvoiceID: String] = [:]

  public enum Defect: Error, Sendable, Equatable {
    /// The document has another number already.
    case renumbered(InvoiceID, has: String)
    /// A stored number is not the one that follows.
    case gap(expected: String, found: String)
  }

  /// Prefixes may have letters of ASCII, digits and `-`, and are at most 24 long; nil for others.
  public init?(prefix: String) {
    let isFit = prefix.utf8.allSatisfy { byte in
      byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    guard isFit, prefix.utf8.count <= 24 else { return nil }
    self.prefix = prefix
  }

  /// The document's number; the same one when it is asked for again.
  public mutating func number(for document: InvoiceID) -> String {
    if let number = self.issued[document] { return number }
    let number = self.text(self.next)
    self.issued[document] = number
    self.next += 1
    return number
  }

  /// Takes over a stored document, in the order in which they were finalised.
  public mutating func restore(_ document: InvoiceID, number: String) throws(Defect) {
    if let known = self.issued[document] {
      guard known == number else { throw .renumbered(document, has: known) }
      return
    }
    let expected = self.text(self.next)
    guard number == expected else { throw .gap(expected: expected, found: number) }
    self.issued[document] = number
    self.next += 1
  }

  private func text(_ number: Int) -> String {
    let digits = String(number)
    return self.prefix + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
  }
}
