/// Letters of other scripts that pass for Latin ones, and the lower case of scripts that have it.
enum Lookalikes {
  /// Each scalar followed by the ASCII letter it looks like.
  private static let cyrillic =
    "аaАaвbВbсcСcԁdеeЕeёeЁeһhҺhНhнhіiІiїiЇiјjЈjкkКkӏlмmМmоoОoпnрpРpԛq"
    + "гrѕsЅsтtТtуyУyүyѵvԝwхxХxьbзzЗz"
  private static let greek =
    "αaΑaβbΒbεeΕeηnΗhιiΙiκkΚkμuΜmνvΝnοoΟoρpΡpτtΤtυuΥyχxΧxγyωwΖzάaέeίi"
    + "όoύu"
  private static let armenian =
    "ոnօoսuհhզqցgաw"

  static var entries: [(UInt32, ScalarClass)] {
    [Self.cyrillic, Self.greek, Self.armenian].flatMap { text in
      let scalars = Array(text.unicodeScalars)
      return stride(from: 0, to: scalars.count - 1, by: 2).map { index in
        (scalars[index].value, ScalarClass(.lookalike, UInt8(truncatingIfNeeded: scalars[index + 1].value)))
      }
    }
  }

  /// The simple lower case of a letter outside Latin; the scripts met most are done by arithmetic.
  @inline(__always)
  static func lowercase(_ scalar: Unicode.Scalar) -> UInt32 {
    let value = scalar.value
    switch value {
    case 0x0400...0x040F: return value + 80
    case 0x0410...0x042F: return value + 32
    case 0x0430...0x045F, 0x03AC...0x03CE, 0x0590...0x109F, 0x2E80...0xABFF, 0xAC00...0xD7A3, 0x20000...0x3FFFF: return value
    case 0x0391...0x03A9: return value + 32
    case 0x0460...0x0481, 0x048A...0x04BF, 0x04D0...0x052F: return value | 1
    default: return Self.mapped(scalar)
    }
  }

  private static func mapped(_ scalar: Unicode.Scalar) -> UInt32 {
    guard scalar.properties.changesWhenLowercased else { return scalar.value }
    return scalar.properties.lowercaseMapping.unicodeScalars.first?.value ?? scalar.value
  }
}
