// ConstrainedOutput: which tokens may come next so that a completion's text has the form that was asked for: JSON, a schema, a call.
// It holds the schema's reading, the automaton over bytes and the masks over a vocabulary.
// It must never know a model, logits, a request, a customer or a chat format by name.

/// A form that a text can be held to. Immutable and small; ``GrammarRun`` does the work.
public struct Grammar: Sendable {
  let program: Program
  /// Equal for equal forms: what a cache of automata goes by.
  public let key: String

  init(program: Program, key: String) {
    self.program = program
    self.key = key
  }

  /// Any JSON object.
  public static func jsonObject() throws(GrammarError) -> Grammar {
    var book = RuleBook()
    let forms = try JSONForms(&book)
    return Grammar(program: try Program(book, start: forms.object, character: forms.character), key: "object")
  }

  /// A JSON value that a schema accepts; see ``SchemaReader`` for what is supported.
  ///
  /// - Parameter schema: a JSON Schema as JSON text.
  /// - Throws: ``GrammarError`` with the place in the schema that is malformed or not supported.
  public static func jsonSchema(_ schema: String) throws(GrammarError) -> Grammar {
    try self.envelope([.schema(schema)])
  }

  /// A part of a text around and of JSON values.
  public enum Part: Sendable, Equatable {
    case text(String)
    case schema(String)
    /// Exactly one of these.
    case oneOf([[Part]])
    /// One or more of these with a text between them.
    case some([Part], separator: String)
  }

  /// A text made of parts, such as a tool call with its arguments.
  public static func envelope(_ parts: [Part]) throws(GrammarError) -> Grammar {
    var book = RuleBook()
    let forms = try JSONForms(&book)
    let start = try self.expression(parts, forms, &book)
    return Grammar(program: try Program(book, start: start, character: forms.character), key: "\(parts)")
  }

  private static func expression(
    _ parts: [Part], _ forms: JSONForms, _ book: inout RuleBook
  ) throws(GrammarError) -> Expression {
    var sequence: [Expression] = []
    for part in parts {
      switch part {
      case .text(let text): sequence.append(.text(text))
      case .schema(let schema): sequence.append(try SchemaReader.expression(schema, forms, &book))
      case .oneOf(let choices):
        var expressions: [Expression] = []
        for choice in choices { expressions.append(try self.expression(choice, forms, &book)) }
        sequence.append(.choice(expressions))
      case .some(let parts, let separator):
        let one = try book.add(try self.expression(parts, forms, &book))
        sequence += [one, .repeating(.sequence([.text(separator), one]), least: 0, most: nil)]
      }
    }
    return .sequence(sequence)
  }
}
