/// Who writes an invoice, or receives it, as the operator entered it.
public struct InvoiceParty: Sendable, Equatable {
  public var name: String
  public var street: String
  public var city: String
  public var postalCode: String
  /// Two upper-case letters of ISO 3166-1.
  public var country: String
  /// The VAT identifier with its country prefix.
  public var vatID: String?
  /// Number in a company register.
  public var registration: String?
  public var email: String?

  public enum Defect: Error, Sendable, Equatable {
    case empty(String)
    case tooLong(String)
    case country(String)
  }

  /// No name or address has more bytes than this.
  public static let longestText = 1000

  public init(
    name: String, street: String, city: String, postalCode: String, country: String, vatID: String? = nil,
    registration: String? = nil, email: String? = nil
  ) throws(Defect) {
    let texts = [
      ("name", name), ("street", street), ("city", city), ("postal_code", postalCode), ("vat_id", vatID),
      ("registration", registration), ("email", email),
    ]
    for (field, text) in texts {
      guard let text else { continue }
      guard !text.isBlank else { throw .empty(field) }
      guard text.utf8.count <= Self.longestText else { throw .tooLong(field) }
    }
    guard country.utf8.count == 2, country.utf8.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) else {
      throw .country(country)
    }
    self.name = name
    self.street = street
    self.city = city
    self.postalCode = postalCode
    self.country = country
    self.vatID = vatID
    self.registration = registration
    self.email = email
  }
}

extension String {
  /// Whether there is nothing to read in it: EN 16931 takes such a text for a missing one.
  var isBlank: Bool { self.allSatisfy(\.isWhitespace) }
}
