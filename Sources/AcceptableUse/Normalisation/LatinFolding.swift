/// Latin letters with diacritics, and other forms of Latin letters and digits, in the basic plane, with what they fold to.
/// Derived from the decompositions of the Unicode Character Database, case folded; strokes and hooks added by hand.
enum LatinFolding {
  /// From U+00C0 on: the base letter, the index of a pair, or a point for neither.
  private static let supplement =
    "aaaaaa0ceeeeiiiidnooooo.ouuuuy12aaaaaa0ceeeeiiiidnooooo.ouuuuy1yaaaaaaccccccccddddeeeeeeeeeegggggggg"
    + "hhhhiiiiiiiiii33jjkkkllllllllllnnnnnnnnnoooooo44rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzsbbbb...c"
    + "cdddd...effg..iikkl..nn.oo..ppr.....tttuu.vyyzz.............555666777aaiioouuuuuuuuuu.aaaa00ggggkkoo"
    + "oo..j555gg..nnaa00ooaaaaeeeeiiiioooorrrruuuusstt..hhn...zzaaeeooooooooyy...j..acclt....bu.eejj..rryy"

  /// From U+1E00 on: the base letter, the index of a pair, or a point for neither.
  private static let additional =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssss"
    + "ssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy.s..2.aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeee"
    + "iiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......"

  /// Superscript, enclosed, letter-like and small-capital forms: first scalar of a run, and what the run folds to.
  private static let forms: [(UInt32, String)] = [
    (0x0237, "j"), (0x0251, "a"), (0x0253, "b"), (0x0256, "dd"), (0x025B, "e"), (0x0260, "ggg"), (0x0266, "h"),
    (0x0268, "iiil"), (0x0272, "n"), (0x0274, "n"), (0x027E, "r"), (0x0280, "r"), (0x0282, "s"), (0x0288, "tu"),
    (0x028B, "v"), (0x028F, "yz"), (0x0299, "b"), (0x029C, "h"), (0x029F, "l"), (0x02B0, "h"), (0x02B2, "jr"),
    (0x02B7, "wy"), (0x02E1, "lsx"), (0x1D00, "a"), (0x1D04, "cd"), (0x1D07, "e"), (0x1D0A, "jk"), (0x1D0D, "m"),
    (0x1D0F, "o"), (0x1D18, "p"), (0x1D1B, "tu"), (0x1D20, "vwz"), (0x1D2C, "a"), (0x1D2E, "b"), (0x1D30, "de"),
    (0x1D33, "ghijklmn"), (0x1D3C, "o"), (0x1D3E, "prtuwa"), (0x1D47, "bde"), (0x1D4D, "g"), (0x1D4F, "km"),
    (0x1D52, "o"), (0x1D56, "ptu"), (0x1D5B, "v"), (0x1D62, "iruv"), (0x1D9C, "c"), (0x1DA0, "f"), (0x1DBB, "z"),
    (0x2070, "0i"), (0x2074, "456789"), (0x207F, "n0123456789"), (0x2090, "aeox"), (0x2095, "hklmnpst"),
    (0x2102, "c"), (0x210A, "ghhhhhiill"), (0x2115, "n"), (0x2119, "pqrrr"), (0x2124, "z"), (0x2128, "z"),
    (0x212A, "kabc"), (0x212F, "eef"), (0x2133, "mo"), (0x2139, "i"), (0x2145, "ddeij"), (0x2160, "i"), (0x2164, "v"),
    (0x2169, "x"), (0x216C, "lcdmi"), (0x2174, "v"), (0x2179, "x"), (0x217C, "lcdm"), (0x2460, "123456789"),
    (0x249C, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0"), (0x2C7C, "jv"),
    (0xA730, "fs"), (0xA7F2, "cfq"), (0xA7F8, "h"),
  ]

  static var entries: [(UInt32, ScalarClass)] {
    Self.row(from: 0xC0, Self.supplement, ScalarClass.diacritics)
      + Self.row(from: 0x1E00, Self.additional, ScalarClass.diacritics)
      + Self.forms.flatMap { Self.row(from: $0.0, $0.1, ScalarClass.compatibility, digitsArePairs: false) }
  }

  private static func row(
    from first: UInt32, _ letters: String, _ transform: UInt16, digitsArePairs: Bool = true
  ) -> [(UInt32, ScalarClass)] {
    letters.utf8.enumerated().compactMap { index, byte in
      guard byte != UInt8(ascii: ".") else { return nil }
      let isDigit = byte <= UInt8(ascii: "9")
      let entry =
        isDigit && digitsArePairs
        ? ScalarClass(.pair, byte - UInt8(ascii: "0"), transform) : ScalarClass(.plain, byte, transform)
      return (first + UInt32(index), entry)
    }
  }
}
