/// A checked SentencePiece vocabulary, arranged for merging and for decoding.
struct SentencePieceVocabulary: Sendable {
  /// The piece types of SentencePiece's model format; the raw values are shared with GGUF's `token_type`.
  enum Kind: Int32, Sendable {
    case normal = 1
    case unknown = 2
    case control = 3
    case userDefined = 4
    case unused = 5
    case byte = 6
  }

  static let spaceMark: [UInt8] = [0xE2, 0x96, 0x81]
  /// What SentencePiece shows for the unknown token: U+2047 between spaces.
  static let unknownSurface: [UInt8] = [0x20, 0xE2, 0x81, 0x87, 0x20]
  /// Real pieces have up to some fifty bytes; the bound keeps a lookup short whatever a vocabulary says.
  static let longestPiece = 1_024

  let kinds: [Kind]
  let scores: [Float]
  /// Normal and unused pieces: what merging may produce. Control and byte pieces are not text.
  private(set) var mergeable: PieceTable
  /// No piece has a space behind another character, so that merging never reaches from one word into the next.
  private(set) var splitsAtSpaces = true
  /// The piece of each byte, where the vocabulary has all 256.
  private var byteTokens: [Int32] = []
  private let unknown: Int32?
  private(set) var markers = MarkerPieces([])
  /// Bytes of the longest piece.
  private(set) var longestSurface = 1
  /// What each token shows, one behind the other.
  private var surfaces: [UInt8] = []
  private var surfaceStarts: [Int] = [0]

  init(pieces: [String], scores: [Float], types: [Int32], unk: Int32?) throws(TokenizerError) {
    self.kinds = try SentencePieceVocabulary.kinds(types, count: pieces.count)
    self.scores = try SentencePieceVocabulary.checked(scores, count: pieces.count)
    self.unknown = unk
    self.mergeable = PieceTable(capacity: pieces.count)
    var byteTokens = [Int32](repeating: -1, count: 256)
    for (index, piece) in pieces.enumerated() {
      try self.add(Array(piece.utf8), index, &byteTokens)
    }
    self.markers = MarkerPieces(
      pieces.enumerated().compactMap { index, piece in
        let kind = self.kinds[index]
        return kind == .control || kind == .userDefined ? (Array(piece.utf8), Int32(index), kind == .userDefined) : nil
      })
    if !byteTokens.contains(-1) { self.byteTokens = byteTokens }
    guard !self.byteTokens.isEmpty || unk != nil else {
      throw TokenizerError(
        field: "unknown token",
        message: "There are neither 256 byte pieces nor an unknown token, so some text would have no tokens.")
    }
  }

  var count: Int { self.kinds.count }

  func appendSurface(of token: Int32, to bytes: inout [UInt8]) {
    guard let index = Int(exactly: token), self.kinds.indices.contains(index) else { return }
    bytes.append(contentsOf: self.surfaces[self.surfaceStarts[index]..<self.surfaceStarts[index + 1]])
  }

  /// The tokens of a character that is no piece: its bytes, or the unknown token, once for a run of such characters.
  func appendFallback(_ character: ArraySlice<UInt8>, to tokens: inout [Int32]) {
    if !self.byteTokens.isEmpty {
      for byte in character { tokens.append(self.byteTokens[Int(byte)]) }
    } else if let unknown = self.unknown, tokens.last != unknown {
      tokens.append(unknown)
    }
  }
}

extension SentencePieceVocabulary {
  static func kinds(_ types: [Int32], count: Int) throws(TokenizerError) -> [Kind] {
    guard count > 0, count <= Int32.max else {
      throw TokenizerError(field: "pieces", message: "There are \(count) pieces; a vocabulary has at least one.")
    }
    guard types.count == count else {
      throw TokenizerError(field: "types", message: "There are \(types.count) types for \(count) pieces.")
    }
    var kinds: [Kind] = []
    kinds.reserveCapacity(count)
    for (index, type) in types.enumerated() {
      guard let kind = Kind(rawValue: type) else {
        throw TokenizerError(field: "type of piece \(index)", message: "\(type) is not a piece type (1 to 6).")
      }
      kinds.append(kind)
    }
    return kinds
  }

  private static func checked(_ scores: [Float], count: Int) throws(TokenizerError) -> [Float] {
    guard scores.count == count else {
      throw TokenizerError(field: "scores", message: "There are \(scores.count) scores for \(count) pieces.")
    }
    if let index = scores.firstIndex(where: \.isNaN) {
      throw TokenizerError(field: "score of piece \(index)", message: "The score is not a number.")
    }
    return scores
  }

  private mutating func add(_ piece: [UInt8], _ index: Int, _ byteTokens: inout [Int32]) throws(TokenizerError) {
    switch self.kinds[index] {
    case .normal, .unused:
      try self.addMergeable(piece, index)
      self.surfaces.append(contentsOf: SentencePieceVocabulary.withSpaces(piece))
    case .userDefined:
      try self.checkLength(piece, index)
      if SentencePieceVocabulary.hasInnerSpace(piece) { self.splitsAtSpaces = false }
      self.surfaces.append(contentsOf: SentencePieceVocabulary.withSpaces(piece))
    case .unknown: self.surfaces.append(contentsOf: SentencePieceVocabulary.unknownSurface)
    case .control: break
    case .byte:
      guard let byte = SentencePieceVocabulary.byteValue(piece) else {
        throw TokenizerError(field: "piece \(index)", message: "A byte piece must read <0x00> to <0xFF>.")
      }
      if byteTokens[Int(byte)] < 0 { byteTokens[Int(byte)] = Int32(index) }
      self.surfaces.append(byte)
    }
    self.longestSurface = max(self.longestSurface, piece.count)
    self.surfaceStarts.append(self.surfaces.count)
  }

  private func checkLength(_ piece: [UInt8], _ index: Int) throws(TokenizerError) {
    guard piece.count <= SentencePieceVocabulary.longestPiece else {
      throw TokenizerError(
        field: "piece \(index)",
        message: "The piece has \(piece.count) bytes, more than \(SentencePieceVocabulary.longestPiece); the file is damaged.")
    }
  }

  private mutating func addMergeable(_ piece: [UInt8], _ index: Int) throws(TokenizerError) {
    try self.checkLength(piece, index)
    guard !piece.isEmpty else { return }
    self.mergeable.insert(piece, id: Int32(index))
    if SentencePieceVocabulary.hasInnerSpace(piece) { self.splitsAtSpaces = false }
  }

  /// Whether a space mark follows another character.
  static func hasInnerSpace(_ piece: [UInt8]) -> Bool {
    var start = 0
    var seenOther = false
    while start < piece.count {
      let length = UTF8Scan.characterLength(piece, at: start)
      let isSpace = piece[start..<start + length].elementsEqual(self.spaceMark)
      if isSpace, seenOther { return true }
      if !isSpace { seenOther = true }
      start += length
    }
    return false
  }

  static func withSpaces(_ piece: [UInt8]) -> [UInt8] {
    var shown: [UInt8] = []
    var start = 0
    while start < piece.count {
      let character = piece[start..<start + UTF8Scan.characterLength(piece, at: start)]
      if character.elementsEqual(self.spaceMark) { shown.append(0x20) } else { shown.append(contentsOf: character) }
      start = character.endIndex
    }
    return shown
  }

  /// The byte that `<0x41>` names.
  static func byteValue(_ piece: [UInt8]) -> UInt8? {
    guard piece.count == 6, piece.starts(with: "<0x".utf8), piece.last == UInt8(ascii: ">") else { return nil }
    let digits = piece[3..<5].compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return digits.count == 2 ? UInt8(16 * digits[0] + digits[1]) : nil
  }
}
