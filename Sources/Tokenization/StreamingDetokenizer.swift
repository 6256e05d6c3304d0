/// Turns tokens into text as they come and never shows half a character.
///
/// The texts returned, put together, are the whole byte sequence decoded as UTF-8, each maximal invalid part replaced by
/// U+FFFD; at most three bytes are held back.
public struct StreamingDetokenizer: Sendable {
  private let tokenizer: any Tokenizer
  private var stripsLeadingSpace: Bool
  /// Bytes not shown yet.
  private var pending: [UInt8] = []

  /// - Parameter stripLeadingSpace: drops one space where the text begins with it: right for a text that stands alone,
  ///   wrong for one that continues another.
  public init(tokenizer: any Tokenizer, stripLeadingSpace: Bool) {
    self.tokenizer = tokenizer
    self.stripsLeadingSpace = stripLeadingSpace
  }

  /// The text that this token completes; empty while a character is unfinished and for control tokens.
  public mutating func append(_ token: Int32) -> String {
    self.tokenizer.appendBytes(of: token, to: &self.pending)
    if self.stripsLeadingSpace, let first = self.pending.first {
      if first == UInt8(ascii: " ") { self.pending.removeFirst() }
      self.stripsLeadingSpace = false
    }
    return self.release(self.pending.count - UTF8Scan.unfinishedTail(self.pending))
  }

  /// What is left at the end of the sequence: empty, or U+FFFD for a character that was never finished.
  public mutating func finish() -> String {
    self.release(self.pending.count)
  }

  private mutating func release(_ count: Int) -> String {
    let text = String(decoding: self.pending[..<count], as: UTF8.self)
    self.pending.removeFirst(count)
    return text
  }
}
