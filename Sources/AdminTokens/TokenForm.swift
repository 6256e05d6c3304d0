internal import Documents
internal import Foundation

/// The parts of a token, as far as they can be read without believing them.
struct TokenForm {
  let algorithm: String
  /// `kid`.
  let key: String
  let claims: Document

  static let byteLimit = 8192
  private static let limits = JSONLimits(bytes: Self.byteLimit, depth: 16, nodes: 1024)
  private static let types: Set<String> = ["jwt", "at+jwt", "application/at+jwt"]

  init(_ token: String) throws(TokenFault) {
    guard token.utf8.count <= Self.byteLimit else { throw TokenFault("it has more than \(Self.byteLimit) bytes") }
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { throw TokenFault("it is not of three parts") }
    _ = try Self.bytes(parts[2])
    let header = try Self.document(parts[0], "header")
    self.claims = try Self.document(parts[1], "claims")
    guard case .map = header.content, case .map = self.claims.content else {
      throw TokenFault("header and claims must be objects")
    }
    guard let algorithm = header["alg"]?.text else { throw TokenFault("its header names no algorithm") }
    guard let key = header["kid"]?.text, (1...256).contains(key.utf8.count) else {
      throw TokenFault("its header names no key (kid)")
    }
    // An extension that is critical and not understood makes the token void (RFC 7515, 4.1.11); none is understood here.
    guard header["crit"] == nil else { throw TokenFault("its header has critical extensions") }
    if let type = header["typ"] {
      guard let name = type.text, Self.types.contains(name.lowercased()) else {
        throw TokenFault("its header names another type")
      }
    }
    self.algorithm = algorithm
    self.key = key
  }

  private static func document(_ part: Substring, _ name: String) throws(TokenFault) -> Document {
    let bytes = try self.bytes(part)
    do throws(DocumentError) {
      return try Document.parseJSON(bytes, limits: self.limits)
    } catch {
      throw TokenFault("its \(name) is no JSON")
    }
  }

  /// Base64 for URLs without padding, in its one canonical form.
  private static func bytes(_ part: Substring) throws(TokenFault) -> [UInt8] {
    var text = part.replacing("-", with: "+").replacing("_", with: "/")
    while !text.utf8.count.isMultiple(of: 4) { text += "=" }
    guard !part.utf8.contains(where: { [UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "=")].contains($0) }),
      let data = Data(base64Encoded: String(text)), data.base64EncodedString() == text
    else { throw TokenFault("a part of it is no base64url") }
    return Array(data)
  }
}
