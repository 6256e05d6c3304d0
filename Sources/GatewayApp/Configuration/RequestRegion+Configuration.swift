internal import Documents
internal import GatewayHTTP

extension RequestRegion {
  var json: JSON { ["header": JSON(self.headerName), "country": JSON(self.country)] }

  /// `policies.request_region`: `{header: cf-ipcountry}` names a header that a proxy in front sets and clients cannot, `{country: DE}`
  /// says it of all requests. Exactly one of them.
  init(_ policies: inout DocumentReader) throws(DocumentError) {
    self.init()
    guard var section = try policies.optionalReader("request_region") else { return }
    let header = try section.optionalString("header")
    let country = try section.optionalString("country")
    guard (header == nil) != (country == nil) else {
      throw section.failure("header", "one of 'header' and 'country' belongs here, and not both")
    }
    if let header {
      guard let region = RequestRegion(header: header) else {
        throw section.failure("header", "'\(header)' is no name of a header")
      }
      self = region
    }
    if let country {
      let isCode = country.utf8.count == 2 && country.utf8.allSatisfy { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }
      guard isCode else { throw section.failure("country", "two capital letters of ISO 3166-1 belong here, such as DE") }
      self.country = country
    }
    try section.finish()
  }
}
