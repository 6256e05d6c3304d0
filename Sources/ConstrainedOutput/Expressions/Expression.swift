/// A set of byte strings: what a grammar is built from.
indirect enum Expression: Sendable {
  case literal([UInt8])
  case set(ByteSet)
  case sequence([Expression])
  case choice([Expression])
  /// `most` nil: any number.
  case repeating(Expression, least: Int, most: Int?)
  /// A rule by its index in the grammar, so that expressions may be shared and may contain themselves.
  case rule(Int)

  static func text(_ text: String) -> Expression { .literal(Array(text.utf8)) }
  static func optional(_ expression: Expression) -> Expression { .choice([.literal([]), expression]) }
  static let digit = Expression.set(ByteSet("0123456789"))
}

/// The rules of a grammar while they are being written.
struct RuleBook: Sendable {
  /// More than any schema that a person wrote has; a bound for those that nobody did.
  static let limit = 1 << 16

  private(set) var rules: [Expression?] = []

  /// A rule to be defined later, so that it may be used before.
  mutating func declare() throws(GrammarError) -> Int {
    guard self.rules.count < Self.limit else { throw GrammarError(path: "#", message: "The schema is too large.") }
    self.rules.append(nil)
    return self.rules.count - 1
  }

  mutating func define(_ index: Int, _ expression: Expression) { self.rules[index] = expression }

  mutating func add(_ expression: Expression) throws(GrammarError) -> Expression {
    let index = try self.declare()
    self.define(index, expression)
    return .rule(index)
  }
}

/// Why a form cannot be held to.
public struct GrammarError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Where in the schema, as a JSON pointer behind `#`: `#/properties/a/pattern`.
  public let path: String
  /// What is wrong and the remedy.
  public let message: String

  public init(path: String, message: String) {
    self.path = path
    self.message = message
  }

  public var description: String { "\(self.path): \(self.message)" }
}
