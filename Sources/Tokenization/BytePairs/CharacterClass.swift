/// What pre-tokenizers tell apart. A byte that is part of no valid UTF-8 character is `other`.
enum CharacterClass: UInt8 {
  /// Unicode's L*.
  case letter
  /// Unicode's N*.
  case number
  /// Unicode's White_Space, line breaks included.
  case space
  case other

  init(_ scalar: Unicode.Scalar) {
    self = scalar.value < 0x80 ? Self.ascii[Int(scalar.value)] : Self.classify(scalar)
  }

  private static let ascii: [CharacterClass] = (0..<0x80).map { Self.classify(Unicode.Scalar(UInt8($0))) }

  /// The version of Unicode that counts: a character's ids must not change with the toolchain, and the reference is at this one.
  private static let unicodeVersion = 16

  private static func classify(_ scalar: Unicode.Scalar) -> CharacterClass {
    guard let age = scalar.properties.age, age.major <= Self.unicodeVersion else { return .other }
    return switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
    case .decimalNumber, .letterNumber, .otherNumber: .number
    default: scalar.properties.isWhitespace ? .space : .other
    }
  }
}
