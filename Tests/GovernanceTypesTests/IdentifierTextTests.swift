import GovernanceTypes
import Testing

@Suite("The text of ids") struct IdentifierTextTests {
  @Test("every value is written with 26 digits after its prefix, and read back; nothing else is read")
  func text() {
    var random = SystemRandomNumberGenerator()
    let values: [UInt128] = [0, 1, 31, 32, .max, .max - 1, 1 << 127, 1 << 125, (1 << 125) - 1, 1 << 64, (1 << 64) - 1]
    for value in values + (0..<500).map({ _ in UInt128.random(in: .min ... .max, using: &random) }) {
      let id = UsageID(value)
      #expect(id.description.utf8.count == 30)
      #expect(UsageID(id.description) == id, "\(value)")
      #expect(UsageID(ascii: Array(id.description.utf8).span) == id)
    }
    let good = UsageID(.max).description
    let stem = String(good.dropLast())
    let bad = [
      "", "usg_", "usg", stem, "\(good)0", "cus\(good.dropFirst(3))", "usg_8\(good.dropFirst(5))", "\(stem)l", "\(stem)U",
      "\(stem)\0", "\(stem.dropLast())é", "usg-\(good.dropFirst(4))", String(repeating: "0", count: 30), "usg_\(good)",
    ]
    for bad in bad { #expect(UsageID(bad) == nil, "\(bad)") }
    #expect(UsageID("usg_70000000000000000000000000") == UsageID(7 << 125), "the digits are those of Crockford's base 32")
  }
}
