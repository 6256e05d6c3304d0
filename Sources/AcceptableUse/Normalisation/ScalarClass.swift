/// What one scalar means for matching, in 16 bits: kind (3), transform (3), payload (8).
struct ScalarClass: Sendable, Equatable {
  enum Kind: UInt16 {
    /// Ends a word.
    case separator = 0
    /// Leaves no trace.
    case ignorable
    /// The ASCII letter or digit in the payload.
    case plain
    /// Two ASCII letters, by their index in ``ScalarClass/pairs``.
    case pair
    /// A letter of another script that looks like the ASCII letter in the payload.
    case lookalike
    /// Any other letter of a script that writes spaces.
    case letter
    /// A letter that is a word by itself: the script writes no spaces.
    case ideograph
    /// Ends a word, but may stand for the ASCII letter in the payload inside one.
    case sign
  }

  let raw: UInt16

  init(_ kind: Kind, _ payload: UInt8 = 0, _ transform: UInt16 = Self.none) {
    self.raw = kind.rawValue << 13 | transform << 10 | UInt16(payload)
  }

  init(raw: UInt16) { self.raw = raw }

  var kind: UInt16 { self.raw >> 13 }
  var payload: UInt8 { UInt8(truncatingIfNeeded: self.raw) }
  var transforms: TextTransforms { Self.transformSets[Int(self.raw >> 10 & 7)] }
  var hasTransform: Bool { self.raw & 7 << 10 != 0 }

  func with(_ transform: UInt16) -> ScalarClass { ScalarClass(raw: self.raw & ~(7 << 10) | transform << 10) }

  static let none: UInt16 = 0
  static let invisible: UInt16 = 1
  static let tags: UInt16 = 2
  static let compatibility: UInt16 = 3
  static let diacritics: UInt16 = 4
  private static let transformSets: [TextTransforms] = [[], .invisible, .tags, .compatibility, .diacritics, [], [], []]

  static let pairs: [(UInt8, UInt8)] = ["ae", "th", "ss", "ij", "oe", "dz", "lj", "nj"].map { text in
    let bytes = Array(text.utf8)
    return (bytes[0], bytes[1])
  }
}

/// The class of every scalar: a table for the basic plane, a rule for the others.
struct ScalarClasses: Sendable {
  private let basic: [UInt16]

  /// Built once, on first use: some milliseconds and 128 KiB.
  static let shared = ScalarClasses()

  private init() {
    var basic = [UInt16](repeating: 0, count: 0x10000)
    for value in 0..<UInt32(0x10000) {
      if let scalar = Unicode.Scalar(value) { basic[Int(value)] = Self.byProperties(scalar).raw }
    }
    for (value, entry) in LatinFolding.entries { basic[Int(value)] = entry.raw }
    for (value, entry) in Lookalikes.entries { basic[Int(value)] = entry.raw }
    for value in 0..<UInt32(0x80) { basic[Int(value)] = Self.ascii(UInt8(value)).raw }
    for value in UInt32(0xFF01)...0xFF5E {
      basic[Int(value)] = Self.ascii(UInt8(value - 0xFF01 + 0x21)).with(ScalarClass.compatibility).raw
    }
    self.basic = basic
  }

  @inline(__always)
  subscript(scalar: Unicode.Scalar) -> ScalarClass {
    scalar.value < 0x10000 ? ScalarClass(raw: self.basic[Int(scalar.value)]) : Self.supplementary(scalar)
  }

  private static func ascii(_ byte: UInt8) -> ScalarClass {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): ScalarClass(.plain, byte)
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): ScalarClass(.plain, byte + 32)
    case UInt8(ascii: "'"), UInt8(ascii: "`"): ScalarClass(.ignorable)
    case UInt8(ascii: "@"): ScalarClass(.sign, UInt8(ascii: "a"))
    case UInt8(ascii: "$"): ScalarClass(.sign, UInt8(ascii: "s"))
    case UInt8(ascii: "!"), UInt8(ascii: "|"): ScalarClass(.sign, UInt8(ascii: "i"))
    case UInt8(ascii: "+"): ScalarClass(.sign, UInt8(ascii: "t"))
    case 0x09...0x0D: ScalarClass(.separator)
    case ..<0x20, 0x7F: ScalarClass(.ignorable, 0, ScalarClass.invisible)
    default: ScalarClass(.separator)
    }
  }

  /// Everything that no table of ours names.
  private static func byProperties(_ scalar: Unicode.Scalar) -> ScalarClass {
    let value = scalar.value
    if isCombiningLatin(value) { return ScalarClass(.ignorable, 0, ScalarClass.diacritics) }
    if value == 0x2018 || value == 0x2019 || value == 0x02BC { return ScalarClass(.ignorable) }
    if isUnspaced(value) { return ScalarClass(.ideograph) }
    let properties = scalar.properties
    if properties.isDefaultIgnorableCodePoint { return ScalarClass(.ignorable, 0, ScalarClass.invisible) }
    switch properties.generalCategory {
    case .format, .privateUse, .unassigned, .surrogate: return ScalarClass(.ignorable, 0, ScalarClass.invisible)
    case .control: return ScalarClass(value == 0x85 ? .separator : .ignorable, 0, ScalarClass.invisible)
    case .decimalNumber:
      let digit = UInt8(exactly: properties.numericValue ?? 0) ?? 0
      return ScalarClass(.plain, UInt8(ascii: "0") + min(digit, 9), ScalarClass.compatibility)
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark, .spacingMark:
      return ScalarClass(.letter)
    default: return ScalarClass(.separator)
    }
  }

  private static func isCombiningLatin(_ value: UInt32) -> Bool {
    switch value {
    case 0x0300...0x036F, 0x1AB0...0x1AFF, 0x1DC0...0x1DFF, 0x20D0...0x20FF, 0xFE20...0xFE2F: true
    default: false
    }
  }

  /// Scripts written without spaces: Thai, Lao, Myanmar, Khmer, kana, bopomofo and ideographs.
  private static func isUnspaced(_ value: UInt32) -> Bool {
    switch value {
    case 0x0E01...0x0E7F, 0x0E81...0x0EFF, 0x1000...0x109F, 0x1780...0x17DD, 0x2E80...0x2FD5, 0x3005...0x3007,
      0x3041...0x30FA, 0x30FC...0x312F, 0x31A0...0x31BF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF,
      0x20000...0x3FFFD:
      true
    default: false
    }
  }

  private static func supplementary(_ scalar: Unicode.Scalar) -> ScalarClass {
    switch scalar.value {
    case 0xE0020...0xE007E: Self.ascii(UInt8(scalar.value - 0xE0000)).with(ScalarClass.tags)
    case 0x1D400...0x1D6A3: Self.letter((scalar.value - 0x1D400) % 26)
    case 0x1D7CE...0x1D7FF: ScalarClass(.plain, UInt8((scalar.value - 0x1D7CE) % 10) + 0x30, ScalarClass.compatibility)
    case 0x1F110...0x1F129: Self.letter(scalar.value - 0x1F110)
    case 0x1F130...0x1F149: Self.letter(scalar.value - 0x1F130)
    case 0x1F150...0x1F169: Self.letter(scalar.value - 0x1F150)
    case 0x1F170...0x1F189: Self.letter(scalar.value - 0x1F170)
    case 0x1F1E6...0x1F1FF: Self.letter(scalar.value - 0x1F1E6)
    default: Self.byProperties(scalar)
    }
  }

  private static func letter(_ index: UInt32) -> ScalarClass {
    ScalarClass(.plain, UInt8(ascii: "a") + UInt8(index % 26), ScalarClass.compatibility)
  }
}
