/// A checked vocabulary of pieces and ranked merges.
struct BytePairVocabulary: Sendable {
  typealias Kind = SentencePieceVocabulary.Kind

  let alphabet: VocabularySource.PairMerging.Alphabet
  let preTokenizer: PreTokenizer
  let prefersWholeWords: Bool
  let composes: Bool
  let kinds: [Kind]
  /// Normal pieces by their bytes.
  private(set) var table: PieceTable
  private(set) var pairs: PairTable
  /// By byte.
  private(set) var byteTokens: [Int32] = []
  private(set) var markers = MarkerPieces([])
  private(set) var longestPiece = 1
  private var surfaces: [UInt8] = []
  private var surfaceStarts: [Int] = [0]

  init(_ source: VocabularySource, _ merging: VocabularySource.PairMerging) throws(TokenizerError) {
    self.alphabet = merging.alphabet
    self.preTokenizer = merging.preTokenizer
    self.prefersWholeWords = merging.prefersWholeWords
    self.composes = merging.composes
    self.kinds = try SentencePieceVocabulary.kinds(source.types, count: source.pieces.count)
    self.table = PieceTable(capacity: source.pieces.count)
    self.pairs = PairTable(capacity: merging.merges.count)
    try self.addPieces(source.pieces)
    try self.findBytes(source.pieces)
    for (rank, merge) in merging.merges.enumerated() { try self.add(merge, rank, byResult: merging.ranksByResult) }
  }

  func appendSurface(of token: Int32, to bytes: inout [UInt8]) {
    guard let index = Int(exactly: token), self.kinds.indices.contains(index) else { return }
    bytes.append(contentsOf: self.surfaces[self.surfaceStarts[index]..<self.surfaceStarts[index + 1]])
  }

  /// The symbols that a character begins as: its piece, else its bytes.
  func appendSymbols(_ character: ArraySlice<UInt8>, to merger: inout PairMerger) {
    if let id = self.table.id(of: Array(character), 0, character.count) {
      merger.append(id)
    } else {
      for byte in character { merger.append(self.byteTokens[Int(byte)]) }
    }
  }

  /// What a normal piece stands for in this alphabet: bytes of text, in which a space of the characters is still U+2581.
  private func bytes(of piece: some StringProtocol) -> [UInt8]? {
    switch self.alphabet {
    case .bytes: ByteAlphabet.decode(piece)
    case .characters: Array(piece.utf8)
    }
  }

  private mutating func addPieces(_ pieces: [String]) throws(TokenizerError) {
    var markers: [(text: [UInt8], id: Int32, isUserDefined: Bool)] = []
    for (index, piece) in pieces.enumerated() {
      let id = Int32(index)
      switch self.kinds[index] {
      case .normal:
        guard let bytes = self.bytes(of: piece) else {
          throw TokenizerError(
            field: "piece \(index)",
            message: "It has a character outside the byte alphabet; its type must be control or user-defined.")
        }
        try self.checkLength(bytes.count, index)
        if !bytes.isEmpty { self.table.insert(bytes, id: id) }
        self.surfaces += self.alphabet == .bytes ? bytes : SentencePieceVocabulary.withSpaces(bytes)
        self.longestPiece = max(self.longestPiece, bytes.count)
      case .userDefined, .control:
        let bytes = Array(piece.utf8)
        try self.checkLength(bytes.count, index)
        let isUserDefined = self.kinds[index] == .userDefined
        markers.append((bytes, id, isUserDefined))
        if isUserDefined {
          self.surfaces += self.alphabet == .bytes ? bytes : SentencePieceVocabulary.withSpaces(bytes)
          self.longestPiece = max(self.longestPiece, bytes.count)
        }
      case .byte:
        guard let byte = SentencePieceVocabulary.byteValue(Array(piece.utf8)) else {
          throw TokenizerError(field: "piece \(index)", message: "A byte piece must read <0x00> to <0xFF>.")
        }
        self.surfaces.append(byte)
      case .unknown: self.surfaces += SentencePieceVocabulary.unknownSurface
      case .unused: break
      }
      self.surfaceStarts.append(self.surfaces.count)
    }
    self.markers = MarkerPieces(markers)
  }

  private func checkLength(_ count: Int, _ index: Int) throws(TokenizerError) {
    guard count <= SentencePieceVocabulary.longestPiece else {
      throw TokenizerError(
        field: "piece \(index)",
        message: "The piece has \(count) bytes, more than \(SentencePieceVocabulary.longestPiece); the file is damaged.")
    }
  }

  private mutating func findBytes(_ pieces: [String]) throws(TokenizerError) {
    var tokens = [Int32](repeating: -1, count: 256)
    switch self.alphabet {
    case .bytes:
      for byte in 0..<256 { tokens[byte] = self.table.id(of: [UInt8(byte)], 0, 1) ?? -1 }
      if let missing = tokens.firstIndex(of: -1) {
        throw TokenizerError(
          field: "pieces", message: "The byte \(missing) is no piece, so some text would have no tokens; the file is damaged.")
      }
      self.byteTokens = tokens
    case .characters:
      for (index, piece) in pieces.enumerated() where self.kinds[index] == .byte {
        if let byte = SentencePieceVocabulary.byteValue(Array(piece.utf8)) { tokens[Int(byte)] = Int32(index) }
      }
      if !tokens.contains(-1) { self.byteTokens = tokens }
      guard !self.byteTokens.isEmpty else {
        throw TokenizerError(field: "pieces", message: "Not every byte has a piece, so some text would have no tokens.")
      }
    }
  }

  private mutating func add(_ merge: VocabularySource.PairMerging.Merge, _ rank: Int, byResult: Bool) throws(TokenizerError) {
    guard let left = self.bytes(of: merge.left), let right = self.bytes(of: merge.right), let rank = UInt32(exactly: rank),
      let leftID = self.table.id(of: left, 0, left.count), let rightID = self.table.id(of: right, 0, right.count),
      let token = self.table.id(of: left + right, 0, left.count + right.count)
    else {
      throw TokenizerError(
        field: "merge \(rank)", message: "Its parts and what they make must all be pieces; the file is damaged.")
    }
    self.pairs.insert(leftID, rightID, PairTable.Merge(rank: byResult ? UInt32(token) : rank, token: token))
  }
}
