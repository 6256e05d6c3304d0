// AdminTokens: bearer tokens of an identity provider (JSON Web Tokens, OpenID Connect) as a way into the admin API.
// Holds what a token must be before its signature is looked at, the keys that may sign, and the claims that make it somebody's.
// It must never know a route, a secret of ours or what a role may do, and never takes a key that a token brings along.

internal import Documents
public import Governance
public import GovernanceTypes
internal import JWTKit

/// How a token may be signed. Nothing symmetric: whoever can check such a token could make one.
public enum TokenAlgorithm: String, Sendable, CaseIterable {
  case rs256 = "RS256"
  case rs384 = "RS384"
  case rs512 = "RS512"
  case ps256 = "PS256"
  case ps384 = "PS384"
  case ps512 = "PS512"
  case es256 = "ES256"
  case es384 = "ES384"
  case es512 = "ES512"
  case eddsa = "EdDSA"
}

/// Whose tokens are taken, and what they stand for here.
public struct TokenPolicy: Sendable, Equatable {
  /// `iss`, to the letter.
  public var issuer: String
  /// Must be `aud` or among it.
  public var audience: String
  public var algorithms: Set<TokenAlgorithm> = [.rs256, .es256]
  /// The claim with the roles, as a path: `["realm_access", "roles"]`.
  public var roleClaim = ["roles"]
  /// The provider's names for roles, and ours.
  public var roles: [String: AdminRole]
  /// How far the provider's clock may be off, in seconds.
  public var leeway = 60

  public init(issuer: String, audience: String, roles: [String: AdminRole]) {
    self.issuer = issuer
    self.audience = audience
    self.roles = roles
  }
}

/// Whom a token was given to.
public struct TokenHolder: Sendable, Equatable {
  /// `sub`, the provider's own name for them, which it never gives to another.
  public var subject: String
  public var roles: Set<AdminRole>
}

/// Why a token is not taken.
public struct TokenFault: Error, Sendable, Equatable, CustomStringConvertible {
  public var description: String
  /// It names a key that is not known: the provider may have a new one.
  public var isUnknownKey = false

  init(_ description: String, isUnknownKey: Bool = false) {
    self.description = description
    self.isUnknownKey = isUnknownKey
  }
}

extension TokenPolicy {
  /// Whom a token was given to, once everything about it is as it must be.
  @concurrent
  public func holder(of token: String, keys: TokenKeys, at now: Timestamp) async throws(TokenFault) -> TokenHolder {
    let form = try TokenForm(token)
    guard let algorithm = TokenAlgorithm(rawValue: form.algorithm), self.algorithms.contains(algorithm) else {
      throw TokenFault("it is signed with '\(form.algorithm)', which is not taken")
    }
    guard let known = keys.algorithms[form.key] else {
      throw TokenFault("it is signed with a key that the provider does not publish", isUnknownKey: true)
    }
    guard known == algorithm else { throw TokenFault("its key is for \(known.rawValue), not for \(algorithm.rawValue)") }
    try await keys.verify(token)
    return try self.holder(claims: form.claims, at: now)
  }

  /// Reads the claims of a token whose signature is right.
  func holder(claims: Document, at now: Timestamp) throws(TokenFault) -> TokenHolder {
    guard claims["iss"]?.text == self.issuer else { throw TokenFault("it is from another issuer") }
    let audiences = claims["aud"].map { $0.texts } ?? []
    guard audiences.contains(self.audience) else { throw TokenFault("it is for another audience") }
    let seconds = now.nanoseconds / 1_000_000_000
    guard let expiry = try Self.time("exp", claims) else { throw TokenFault("it does not say when it expires") }
    guard seconds < expiry.addingClamped(self.leeway) else { throw TokenFault("it has expired") }
    for claim in ["nbf", "iat"] {
      guard let start = try Self.time(claim, claims) else { continue }
      guard start <= seconds.addingClamped(self.leeway) else { throw TokenFault("it is not valid yet (\(claim))") }
    }
    guard let subject = claims["sub"]?.text, (1...200).contains(subject.utf8.count),
      subject.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
    else { throw TokenFault("it does not say whose it is (sub)") }
    let roles = self.roleClaim.reduce(Document?.some(claims)) { $0?[$1] }.map { $0.texts } ?? []
    let known = Set(roles.compactMap { self.roles[$0] })
    guard !known.isEmpty else { throw TokenFault("it has none of the roles that are known here") }
    return TokenHolder(subject: subject, roles: known)
  }

  /// Seconds since 1970; whole ones of a number with a fraction.
  private static func time(_ claim: String, _ claims: Document) throws(TokenFault) -> Int64? {
    guard let value = claims[claim] else { return nil }
    guard case .number(let digits) = value.content, let number = Double(digits), abs(number) < 1e15 else {
      throw TokenFault("'\(claim)' is no time")
    }
    return Int64(number)
  }
}

extension Int64 {
  fileprivate func addingClamped(_ other: Int) -> Int64 {
    let (sum, overflow) = self.addingReportingOverflow(Int64(other))
    return overflow ? .max : sum
  }
}

extension Document {
  var text: String? { if case .string(let text) = self.content { text } else { nil } }

  /// A text, or those of a list; anything else among them makes none of them count.
  var texts: [String] {
    switch self.content {
    case .string(let text): return [text]
    case .list(let elements):
      let texts = elements.compactMap(\.text)
      return texts.count == elements.count ? texts : []
    default: return []
    }
  }
}
