/// The rules of JSON's own forms, as they are written here: at most one space or one line break with its indentation between two
/// tokens, numbers of at most ``digits`` significant digits, so that every one is exact as a binary fraction.
struct JSONForms: Sendable {
  /// Any decimal of so many digits differs from its neighbours also as a 64-bit float.
  static let digits = 15
  static let indentation = 32

  /// One character of a string; the rule of which ``Program`` knows that plain tokens fit it.
  let character: Int
  let space: Expression
  let string: Expression
  let integer: Expression
  let number: Expression
  let value: Expression
  let object: Expression
  let array: Expression

  init(_ book: inout RuleBook) throws(GrammarError) {
    self.character = try book.declare()
    book.define(self.character, Self.characterForm)
    self.space = try book.add(
      .choice([
        .literal([]), .text(" "),
        .sequence([.text("\n"), .repeating(.set(ByteSet(" \t")), least: 0, most: Self.indentation)]),
      ]))
    self.string = try book.add(Self.string(self.character, least: 0, most: nil))
    self.integer = try book.add(.sequence([.optional(.text("-")), Self.natural]))
    let fraction = Expression.sequence([.text("."), .repeating(.digit, least: 1, most: Self.digits)])
    let exponent = Expression.sequence([
      .set(ByteSet("eE")), .optional(.set(ByteSet("+-"))), .repeating(.digit, least: 1, most: 2),
    ])
    self.number = try book.add(.sequence([.optional(.text("-")), Self.natural, .optional(fraction), .optional(exponent)]))
    let (value, object, array) = (try book.declare(), try book.declare(), try book.declare())
    (self.value, self.object, self.array) = (.rule(value), .rule(object), .rule(array))
    book.define(
      value, .choice([self.object, self.array, self.string, self.number, .text("true"), .text("false"), .text("null")]))
    let member = try book.add(.sequence([self.string, .text(":"), self.space, self.value, self.space]))
    book.define(object, Self.list("{", member, "}", least: 0, most: nil, space: self.space))
    let element = try book.add(.sequence([self.value, self.space]))
    book.define(array, Self.list("[", element, "]", least: 0, most: nil, space: self.space))
  }

  /// 0, or digits that do not begin with it.
  private static let natural = Expression.choice([
    .text("0"),
    .sequence([.set(ByteSet("123456789")), .repeating(.digit, least: 0, most: digits - 1)]),
  ])

  /// A string with so many characters (Unicode code points), written in any way that JSON allows but for surrogate pairs.
  static func string(_ character: Int, least: Int, most: Int?) -> Expression {
    .sequence([.text("\""), .repeating(.rule(character), least: least, most: most), .text("\"")])
  }

  /// Elements, each with the space behind it, between brackets and separated by commas.
  static func list(
    _ open: String, _ element: Expression, _ close: String, least: Int, most: Int?, space: Expression
  ) -> Expression {
    let end = Expression.text(close)
    guard most != 0 else { return .sequence([.text(open), space, end]) }
    let next = Expression.sequence([.text(","), space, element])
    let some = Expression.sequence([element, .repeating(next, least: max(0, least - 1), most: most.map { $0 - 1 }), end])
    return .sequence([.text(open), space, least == 0 ? .choice([end, some]) : some])
  }

  private static let characterForm: Expression = {
    let tail = Expression.set(ByteSet([0x80...0xBF]))
    let hex = Expression.set(ByteSet("0123456789abcdefABCDEF"))
    let unit = Expression.choice([
      .sequence([.set(ByteSet("0123456789abcABCefEF")), hex, hex, hex]),
      .sequence([.set(ByteSet("dD")), .set(ByteSet("01234567")), hex, hex]),
    ])
    return .choice([
      .set(ByteSet([0x20...0x21, 0x23...0x5B, 0x5D...0x7F])),
      .sequence([.set(ByteSet([0xC2...0xDF])), tail]),
      .sequence([.set(ByteSet([0xE0...0xE0])), .set(ByteSet([0xA0...0xBF])), tail]),
      .sequence([.set(ByteSet([0xE1...0xEC, 0xEE...0xEF])), tail, tail]),
      .sequence([.set(ByteSet([0xED...0xED])), .set(ByteSet([0x80...0x9F])), tail]),
      .sequence([.set(ByteSet([0xF0...0xF0])), .set(ByteSet([0x90...0xBF])), tail, tail]),
      .sequence([.set(ByteSet([0xF1...0xF3])), tail, tail, tail]),
      .sequence([.set(ByteSet([0xF4...0xF4])), .set(ByteSet([0x80...0x8F])), tail, tail]),
      .sequence([.text("\\"), .choice([.set(ByteSet("\"\\/bfnrt")), .sequence([.text("u"), unit])])]),
    ])
  }()
}
