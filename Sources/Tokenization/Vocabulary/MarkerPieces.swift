/// The pieces of a vocabulary that are no plain text: control tokens, and those that its authors or users added.
struct MarkerPieces: Sendable {
  private var named: PieceTable
  private var recognised: PieceTable
  /// The lengths of the recognised pieces, the longest first.
  private var lengths: [Int] = []
  private var firstBytes = [Bool](repeating: false, count: 256)

  /// - Parameter pieces: control and user-defined pieces by their text.
  init(_ pieces: [(text: [UInt8], id: Int32, isUserDefined: Bool)]) {
    self.named = PieceTable(capacity: pieces.count)
    self.recognised = PieceTable(capacity: pieces.count)
    for (text, id, isUserDefined) in pieces where !text.isEmpty {
      self.named.insert(text, id: id)
      guard isUserDefined, !Self.looksLikeTag(text) else { continue }
      self.recognised.insert(text, id: id)
      self.firstBytes[Int(text[0])] = true
      if !self.lengths.contains(text.count) { self.lengths.append(text.count) }
    }
    self.lengths.sort(by: >)
  }

  func id(named name: String) -> Int32? {
    let bytes = Array(name.utf8)
    return bytes.isEmpty ? nil : self.named.id(of: bytes, 0, bytes.count)
  }

  var recognisesNothing: Bool { self.lengths.isEmpty }

  /// The longest user-defined piece that begins at an offset of a text.
  ///
  /// A piece that looks like a tag is none of them, whatever its type: in chat formats such tokens carry meaning, and a user must
  /// not be able to write one.
  func match(_ text: [UInt8], at start: Int) -> (id: Int32, length: Int)? {
    guard self.firstBytes[Int(text[start])] else { return nil }
    for length in self.lengths where length <= text.count - start {
      if let id = self.recognised.id(of: text, start, length) { return (id, length) }
    }
    return nil
  }

  private static func looksLikeTag(_ text: [UInt8]) -> Bool {
    switch (text.first, text.last) {
    case (UInt8(ascii: "<"), UInt8(ascii: ">")), (UInt8(ascii: "["), UInt8(ascii: "]")): true
    default: false
    }
  }
}
