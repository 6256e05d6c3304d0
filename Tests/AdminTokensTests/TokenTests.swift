import Documents
import Foundation
import Governance
import GovernanceTypes
import Testing

@testable import AdminTokens

/// Tokens that PyJWT and cryptography made: Tests/Oracles/admin_tokens.py.
@Suite("Tokens of an identity provider")
struct TokenTests {
  struct Sample: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var token: String
    var subject: String?
    var roles: [String]?
    var testDescription: String { self.name }
  }

  private struct File: Decodable {
    var now: Int64
    var sound: [Sample]
    var spoilt: [Sample]
  }

  private static let text: Data = {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/AdminTokens/tokens.json")
    return (try? Data(contentsOf: path)) ?? Data()  // Nothing can be read of nothing, which each test tells.
  }()
  // As above.
  private static let file = (try? JSONDecoder().decode(File.self, from: Self.text)) ?? File(now: 0, sound: [], spoilt: [])

  private static func keys(_ algorithms: Set<TokenAlgorithm>) async throws -> TokenKeys {
    let document = try Document.parseJSON(Array(Self.text))
    let set = try #require(document["keys"])
    return try await TokenKeys(JSON(set).bytes, for: algorithms)
  }

  private static var policy: TokenPolicy {
    var policy = TokenPolicy(
      issuer: "https://id.example", audience: "weighbridge",
      roles: ["wb-owner": .owner, "wb-billing": .billing, "wb-audit": .auditor])
    policy.algorithms = [.rs256, .ps256, .es256, .eddsa]
    return policy
  }

  private static var now: Timestamp { Timestamp(seconds: Self.file.now) }

  @Test("the samples are there")
  func samples() { #expect(Self.file.sound.count >= 9 && Self.file.spoilt.count >= 40) }

  @Test("a sound token says whose it is and what they may be", arguments: Self.file.sound)
  func sound(_ sample: Sample) async throws {
    let keys = try await Self.keys(Self.policy.algorithms)
    let holder = try await Self.policy.holder(of: sample.token, keys: keys, at: Self.now)
    #expect(holder.subject == sample.subject)
    #expect(holder.roles.map(\.rawValue).sorted() == sample.roles)
  }

  @Test("a spoilt token is refused with a reason", arguments: Self.file.spoilt)
  func spoilt(_ sample: Sample) async throws {
    let keys = try await Self.keys(Self.policy.algorithms)
    let fault = await #expect(throws: TokenFault.self) {
      try await Self.policy.holder(of: sample.token, keys: keys, at: Self.now)
    }
    #expect(fault?.description.isEmpty == false)
  }

  @Test("every byte of a sound token counts", arguments: Self.file.sound.prefix(4))
  func mutated(_ sample: Sample) async throws {
    let keys = try await Self.keys(Self.policy.algorithms)
    let bytes = Array(sample.token.utf8)
    for place in stride(from: 0, to: bytes.count, by: 7) {
      var changed = bytes
      changed[place] = changed[place] == UInt8(ascii: "A") ? UInt8(ascii: "Q") : UInt8(ascii: "A")
      let token = String(decoding: changed, as: UTF8.self)
      await #expect(throws: TokenFault.self, "byte \(place)") {
        try await Self.policy.holder(of: token, keys: keys, at: Self.now)
      }
    }
  }

  @Test("of a key set only keys are taken that are for signing, long enough and of an algorithm that is taken")
  func keySet() async throws {
    let keys = try await Self.keys(Self.policy.algorithms)
    #expect(keys.algorithms == ["rs": .rs256, "ps": .ps256, "es": .es256, "ed": .eddsa])
    #expect(try await Self.keys([.es384]).algorithms == ["es3": .es384])
  }

  @Test(
    "what is no key set is refused",
    arguments: [
      "", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[]}"#, #"{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"AA","y":"AA"}]}"#,
    ])
  func noKeySet(_ text: String) async throws {
    await #expect(throws: TokenFault.self) { try await TokenKeys(Array(text.utf8), for: Set(TokenAlgorithm.allCases)) }
  }

  @Test("roles can lie deeper in the claims")
  func nested() throws {
    var policy = Self.policy
    policy.roleClaim = ["realm_access", "roles"]
    let claims = try Document.parseJSON(
      Array(
        #"{"iss":"https://id.example","aud":"weighbridge","sub":"a","exp":\#(Self.file.now + 9),"realm_access":{"roles":["wb-owner"]}}"#
          .utf8))
    #expect(try policy.holder(claims: claims, at: Self.now) == TokenHolder(subject: "a", roles: [.owner]))
  }
}
