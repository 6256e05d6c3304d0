internal import Documents
internal import JWTKit

/// The keys that a provider publishes (a JWK Set, RFC 7517): each with the one algorithm that it is used with.
public struct TokenKeys: Sendable {
  let algorithms: [String: TokenAlgorithm]
  private let collection: JWTKeyCollection

  static let byteLimit = 256 << 10
  private static let most = 64
  /// Base64url digits of a modulus of 2048 bits.
  private static let shortestModulus = 342

  /// Takes the keys that are for signing with an algorithm that is taken, and leaves the others out.
  ///
  /// - Throws: ``TokenFault`` where it is no key set, or none of its keys can be used.
  @concurrent
  public init(_ text: [UInt8], for algorithms: Set<TokenAlgorithm>) async throws(TokenFault) {
    let document: Document
    do throws(DocumentError) {
      document = try Document.parseJSON(text, limits: JSONLimits(bytes: Self.byteLimit, depth: 16, nodes: 1 << 14))
    } catch {
      throw TokenFault("the key set is no JSON: \(error)")
    }
    guard case .list(let keys)? = document["keys"]?.content else { throw TokenFault("the key set has no list 'keys'") }
    var known: [String: TokenAlgorithm] = [:]
    let collection = JWTKeyCollection()
    for key in keys.prefix(Self.most) {
      guard let usable = Self.usable(key, algorithms), let id = key["kid"]?.text else { continue }
      guard known[id] == nil else { throw TokenFault("the key set has two keys of the id '\(id)'") }
      do {
        try await collection.add(jwksJSON: JSON.object([JSONMember("keys", [usable.json])]).text)
      } catch {
        throw TokenFault("the key '\(id)' of the key set cannot be read")
      }
      known[id] = usable.algorithm
    }
    guard !known.isEmpty else { throw TokenFault("the key set has no key that can be used") }
    self.algorithms = known
    self.collection = collection
  }

  private static func usable(_ key: Document, _ allowed: Set<TokenAlgorithm>) -> (algorithm: TokenAlgorithm, json: JSON)? {
    guard let type = key["kty"]?.text, let id = key["kid"]?.text, (1...256).contains(id.utf8.count) else { return nil }
    if let use = key["use"], use.text != "sig" { return nil }
    guard let algorithm = self.algorithm(key, type), allowed.contains(algorithm) else { return nil }
    if type == "RSA", key["n"]?.text?.utf8.count ?? 0 < self.shortestModulus { return nil }
    // What is private in it, or for other purposes, is left out.
    let members = ["kty", "kid", "n", "e", "crv", "x", "y"].compactMap { name in
      key[name]?.text.map { JSONMember(name, .string($0)) }
    }
    return (algorithm, .object(members + [JSONMember("alg", .string(algorithm.rawValue))]))
  }

  /// The one that the key is for: as it says itself, else by its type and curve.
  private static func algorithm(_ key: Document, _ type: String) -> TokenAlgorithm? {
    let named = key["alg"].map { $0.text.flatMap { TokenAlgorithm(rawValue: $0) } }
    if case .some(nil) = named { return nil }
    let own: Set<TokenAlgorithm>
    switch (type, key["crv"]?.text) {
    case ("RSA", _): own = [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]
    case ("EC", "P-256"): own = [.es256]
    case ("EC", "P-384"): own = [.es384]
    case ("EC", "P-521"): own = [.es512]
    case ("OKP", "Ed25519"): own = [.eddsa]
    default: return nil
    }
    guard let named = named ?? nil else { return type == "RSA" ? .rs256 : own.first }
    return own.contains(named) ? named : nil
  }

  /// Looks at the signature of a token whose key is among these.
  func verify(_ token: String) async throws(TokenFault) {
    do {
      _ = try await self.collection.verify(token, as: Unread.self)
    } catch {
      throw TokenFault("its signature is wrong")
    }
  }

  /// The claims are read by our own rules.
  private struct Unread: JWTPayload {
    func verify(using algorithm: some JWTAlgorithm) throws {}
  }
}
