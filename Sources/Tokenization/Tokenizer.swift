// Tokenization: text to token ids and back, exactly as the model's authors did it, and the chat prompts built from them.
// It holds the tokenizers, the readers of their files, the streaming detokenizer that never shows half a character, and the chat templates.
// It must never know a model file's tensors, a license, a customer or the network.

/// Text to the token ids of one vocabulary and back.
///
/// No implementation parses control tokens out of text: what a user writes can never become one.
public protocol Tokenizer: Sendable {
  var vocabularySize: Int { get }
  /// The token that begins a sequence, where the vocabulary has one.
  var beginOfSequence: Int32? { get }
  /// The token that ends a sequence, where the vocabulary has one.
  var endOfSequence: Int32? { get }
  /// Whether the model's authors begin every sequence with ``beginOfSequence``: what to pass for `addBOS`.
  var addsBOS: Bool { get }
  /// Whether ``encode(_:addBOS:)`` puts a space before a text, which a text that stands alone then does not show.
  var addsSpacePrefix: Bool { get }
  /// Bytes of the longest piece: a text of `n` bytes has at least `n / longestPiece` tokens.
  var longestPiece: Int { get }

  /// The ids of a UTF-8 text, preceded by ``beginOfSequence`` where asked for and present.
  func encode(_ text: [UInt8], addBOS: Bool) -> [Int32]

  /// The ids of a text that goes on where another ended: no ``beginOfSequence`` and no space put before it.
  func encodeContinuation(_ text: [UInt8]) -> [Int32]

  /// Appends the bytes that a token stands for in running text; control tokens and ids outside the vocabulary add nothing.
  func appendBytes(of token: Int32, to bytes: inout [UInt8])

  /// Whether generation is over when the model emits this token.
  func isEndOfText(_ token: Int32) -> Bool

  /// The control or user-defined token with exactly this name, such as `<|eot_id|>`: for templates, never for users' text.
  func markerToken(_ name: String) -> Int32?
}

extension Tokenizer {
  public func encode(_ text: String, addBOS: Bool) -> [Int32] {
    self.encode(Array(text.utf8), addBOS: addBOS)
  }

  /// The bytes of a token sequence; they need not be valid UTF-8.
  ///
  /// - Parameter stripLeadingSpace: drops one leading space, the one that ``encode(_:addBOS:)`` puts before a text.
  public func decode(_ tokens: [Int32], stripLeadingSpace: Bool = false) -> [UInt8] {
    var bytes: [UInt8] = []
    for token in tokens { self.appendBytes(of: token, to: &bytes) }
    if stripLeadingSpace, bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
    return bytes
  }
}
