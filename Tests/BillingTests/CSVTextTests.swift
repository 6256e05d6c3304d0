import Billing
import Testing

private func written(_ text: String) -> String {
  var bytes: [UInt8] = []
  CSVText.append(text, to: &bytes)
  return String(decoding: bytes, as: UTF8.self)
}

@Suite("Rows of comma-separated values")
struct CSVTextTests {
  @Test(
    "a field is quoted only where RFC 4180 needs it, and never runs as a formula",
    arguments: [
      ("", ""), ("llama-2-7b", "llama-2-7b"), (" two words ", " two words "), ("a;b", "a;b"), ("it's", "it's"), ("a=b", "a=b"),
      ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("a\nb", "\"a\nb\""), ("a\rb", "\"a\rb\""),
      ("a\r\nb", "\"a\r\nb\""),
      ("\"", "\"\"\"\""), (",", "\",\""),
      ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"), ("\n=1", "\"'\n=1\""),
      ("\r=1", "\"'\r=1\""),
      ("=\"a\",b", "\"'=\"\"a\"\",b\""), ("'=1", "''=1"), ("''=1", "'''=1"), ("'a", "'a"), ("'", "'"), ("=", "'="),
    ])
  func field(text: String, wanted: String) { #expect(written(text) == wanted) }

  @Test("a row is its fields, a comma between them and LF at the end")
  func row() {
    var bytes: [UInt8] = []
    CSVText.append(row: ["a", "", "c,d"], to: &bytes)
    CSVText.append(row: ["=e"], to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == "a,,\"c,d\"\n'=e\n")
  }

  @Test("any text is read back exactly, and no field begins as a formula", arguments: [UInt64(1), 20_261_123])
  func roundTrip(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<2_000 {
      let texts = (0..<3).map { _ in hostileText(&random) }
      var bytes: [UInt8] = []
      CSVText.append(row: texts, to: &bytes)
      let rows = try #require(readCSV(bytes), "seed \(seed): \(texts)")
      try #require(rows.count == 1, "seed \(seed): \(texts)")
      try #require(rows[0].map { Array(exactText($0).utf8) } == texts.map { Array($0.utf8) }, "seed \(seed)")
      for field in rows[0] {
        try #require(!field.utf8.prefix(1).contains { "=+-@\t\n\r".utf8.contains($0) }, "seed \(seed): \(texts)")
      }
    }
  }
}
