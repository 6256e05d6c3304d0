import Documents
import Foundation
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

/// Foundation's tables for NFKC, as the gateway passes them in.
func compatibility(_ text: String) -> String { text.precomposedStringWithCompatibilityMapping }

@Suite("Texts without their typography")
struct NormalizedTextTests {
  @Test(
    "each step of the normaliser",
    arguments: [
      ("A  b\r\n\tC ", "a b c"), ("\u{201C}Don\u{2019}t\u{201D}", "\"don't\""), ("Copyright \u{A9} X", "copyright (c) x"),
      ("# *Head* _x_ > `y` \\z", "head x y z"), ("non-\nexclusive", "non-exclusive"), ("non- \nexclusive", "non- exclusive"),
      ("-*\nx", "-x"), ("\u{FF21}\u{FF11}\u{A0}\u{FB01}", "a1 fi"), ("\u{2122}", "tm"), ("", ""), (" \n ", ""),
      ("a\u{1C}b", "a b"),
      ("\u{C4}", "\u{E4}"),
    ])
  func steps(text: String, normal: String) {
    #expect(String(decoding: NormalizedText.bytes(of: Array(text.utf8), compatibility: compatibility), as: UTF8.self) == normal)
  }

  @Test("normalising twice changes nothing more, whatever the bytes", arguments: [1, 2] as [UInt64])
  func idempotent(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let alphabet = Array("aB *_#>\\`\u{2019}\u{201C}\u{A9}\u{A0}\r\t\u{FF21}\u{FB01}.".unicodeScalars)
    for _ in 0..<300 {
      var scalars = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...30, using: &random) { scalars.append(alphabet.randomElement(using: &random) ?? "a") }
      let once = NormalizedText.bytes(of: Array(String(scalars).utf8), compatibility: compatibility)
      #expect(NormalizedText.bytes(of: once, compatibility: compatibility) == once, "seed \(seed): \(String(scalars))")
    }
    _ = NormalizedText.bytes(of: [0xFF, 0xC3, 0x28, 0xF0], compatibility: compatibility)
  }

  @Test("a text is known by its bytes, else by its words, and the result says by which")
  func match() throws {
    let text = Array("The \u{201C}License\u{201D}\n".utf8)
    let words = NormalizedText.bytes(of: text, compatibility: compatibility)
    let file = try TestFiles.termFile(
      text: """
        schema: model-terms/1
        id: d
        revision: 1
        title: T
        status: in-force
        documents:
          - role: license
            name: LICENSE
            url: "https://example.org/license"
            accepted: [{sha256: \(sha256(text)), bytes: \(text.count), from: here}]
            normalized_sha256: [\(sha256(words))]
            normalizer: nfkc-quotes-markup-space-lower/1
        clauses: [{id: c, ref: "1", kind: information, summary: S.}]
        sections: ["1"]
        """)
    let document = try #require(file.documents.first)
    func match(_ text: String) -> DocumentMatch {
      document.match(Array(text.utf8), sha256: sha256, compatibility: compatibility)
    }
    #expect(match("The \u{201C}License\u{201D}\n") == .raw(from: "here"))
    #expect(match("*The*  \"license\"") == .normalized)
    #expect(match("The licence") == DocumentMatch.none)
    #expect(document.match(sha256(words)) == .normalized)
  }

  @Test("a normaliser that is not known is refused")
  func unknownNormalizer() throws {
    let text = """
      schema: model-terms/1
      id: d
      revision: 1
      title: T
      status: in-force
      documents:
        - {role: license, name: LICENSE, url: "https://example.org/license", normalizer: other/1,
           normalized_sha256: [\(sha256([]))]}
      clauses: [{id: c, ref: "1", kind: information, summary: S.}]
      sections: ["1"]
      """
    let error = #expect(throws: DocumentError.self) { try TestFiles.termFile(text: text) }
    #expect(error?.message.contains("nfkc-quotes-markup-space-lower/1") == true && error?.position.line == 7)
  }
}
