// Tokenization: text to token ids and back, exactly as the model's authors did it, and the chat prompts built from them.
// It holds the tokenizers, the streaming detokenizer that never shows half a character, and one folder a chat template.
// It must never know a model file's format, a tensor, a license, a customer or the network.

/// Text to the token ids of one vocabulary and back.
///
/// No implementation parses control tokens out of text: what a user writes can never become one.
public protocol Tokenizer: Sendable {
  var vocabularySize: Int { get }
  /// The token that begins a sequence, where the vocabulary has one.
  var beginOfSequence: Int32? { get }
  /// The token that ends a sequence, where the vocabulary has one.
  var endOfSequence: Int32? { get }

  /// The ids of a UTF-8 text, preceded by ``beginOfSequence`` where asked for and present.
  func encode(_ text: [UInt8], addBOS: Bool) -> [Int32]

  /// Appends the bytes that a token stands for in running text; control tokens and ids outside the vocabulary add nothing.
  func appendBytes(of token: Int32, to bytes: inout [UInt8])

  /// Whether generation is over when the model emits this token.
  func isEndOfText(_ token: Int32) -> Bool
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
