import Testing

@testable import AcceptableUse

@Suite("Normalisation")
struct NormalisationTests {
  /// Each disguise of the same four words, and what it is reported as.
  static let disguises: [(text: String, transforms: TextTransforms)] = [
    ("The forbidden gizmo works", []),
    ("THE  Forbidden,\tGIZMO\n(works)", []),
    ("the for\u{200B}bid\u{200D}den giz\u{00AD}mo wor\u{FEFF}ks", .invisible),
    ("the forb\u{0000}idden \u{202E}gizmo works", .invisible),
    ("the ｆｏｒｂｉｄｄｅｎ ＧＩＺＭＯ works", .compatibility),
    ("the 𝐟𝐨𝐫𝐛𝐢𝐝𝐝𝐞𝐧 𝓰𝓲𝔃𝓶𝓸 works", .compatibility),
    ("the ⓕⓞⓡⓑⓘⓓⓓⓔⓝ 🅶🅸🆉🅼🅾 works", .compatibility),
    ("the forbidden ɢɪᴢᴍᴏ works", .compatibility),
    ("the fórbïddén gīzmö works", .diacritics),
    ("the fo\u{0301}rbi\u{0327}dden g\u{0330}i\u{0336}zmo works", .diacritics),
    ("the fоrbіddеn gizmо works", .homoglyphs),
    ("the fοrbidden gizmο works", .homoglyphs),
    ("the \u{E0066}\u{E006F}\u{E0072}\u{E0062}\u{E0069}\u{E0064}\u{E0064}\u{E0065}\u{E006E} gizmo works", .tags),
  ]

  @Test("each disguise reads as the plain words", arguments: Self.disguises)
  func disguise(text: String, transforms: TextTransforms) {
    let normalised = NormalisedText(text)
    #expect(normalised.text == "the forbidden gizmo works")
    #expect(normalised.transforms == transforms)
  }

  @Test(
    "words of one foreign script stay what they are",
    arguments: [
      ("Москва", "москва"), ("ΑΘΗΝΑ", "αθηνα"), ("Straße", "strasse"), ("Ærø", "aero"), ("don't", "dont"), ("x٣", "x3"),
    ])
  func scripts(text: String, want: String) {
    #expect(NormalisedText(text).text == want)
    #expect(!NormalisedText(text).transforms.contains(.homoglyphs))
  }

  @Test("scripts without spaces give one word a letter")
  func unspaced() { #expect(NormalisedText("炸弹x制造").text == "炸 弹 x 制 造") }

  @Test("offsets are those of the original bytes")
  func offsets() {
    let text = "é\u{200B}f 𝐠𝐢 «zmo»"
    let bytes = Array(text.utf8)
    let words = NormalisedText(text).words
    let originals = words.map { String(decoding: bytes[$0.offset..<($0.offset + $0.length)], as: UTF8.self) }
    #expect(originals == ["é\u{200B}f", "𝐠𝐢", "zmo"])
    #expect(words.map(\.text) == ["ef", "gi", "zmo"])
  }

  @Test("the commitment depends on the normalised words and the key")
  func commitment() {
    let digest = { @Sendable (key: [UInt8], message: [UInt8]) in testDigest(key + [0] + message) }
    let plain = NormalisedText("Forbidden gizmo").commitment(key: [1], by: digest)
    #expect(plain == NormalisedText("fоrbidden\u{200B}  GIZMO!").commitment(key: [1], by: digest))
    #expect(plain != NormalisedText("Forbidden gizmo").commitment(key: [2], by: digest))
    #expect(plain != NormalisedText("Forbidden gadget").commitment(key: [1], by: digest))
  }

  @Test(
    "encoded runs decode, and only printable ones",
    arguments: [
      (base64("a forbidden gizmo"), ["a forbidden gizmo"]),
      (base64("twelve bytes"), ["twelve bytes"]),
      (base64("only eleven").replacing("=", with: ""), []),
      (base64("too short"), []),
      ("internationalisation", []),
      ("AAAAAAAAAAAAAAAAAAAAAAAA", []),
      ("a%20forbidden%20gizmo", ["a forbidden gizmo"]),
      ("100%", []),
      ("%ff%fe%20", []),
    ] as [(String, [String])])
  func encodedRuns(text: String, want: [String]) {
    var runs = EncodedRuns()
    var decoded: [String] = []
    for (offset, scalar) in text.unicodeScalars.enumerated() {
      if runs.scan(scalar, at: offset) { decoded += runs.takeDecoded().map(\.text) }
    }
    if runs.finish() { decoded += runs.takeDecoded().map(\.text) }
    #expect(decoded == want)
  }

  @Test("a run beyond the limit is decoded in overlapping pieces")
  func longRun() {
    let needle = "forbidden gizmo"
    for padding in [EncodedRuns.limit / 4 * 3 - 8, EncodedRuns.limit / 4 * 3 - 7, EncodedRuns.limit / 4 * 3 - 6] {
      let text = base64(String(repeating: "a", count: padding) + " " + needle + " " + String(repeating: "b", count: 4000))
      var runs = EncodedRuns()
      var decoded: [String] = []
      for (offset, scalar) in text.unicodeScalars.enumerated() {
        if runs.scan(scalar, at: offset) { decoded += runs.takeDecoded().map(\.text) }
      }
      if runs.finish() { decoded += runs.takeDecoded().map(\.text) }
      #expect(decoded.contains { $0.contains(needle) }, "padding \(padding)")
    }
  }
}
