extension VocabularySource {
  /// Reads a `tokenizer.model`, a SentencePiece model in protobuf's wire format. O(bytes).
  ///
  /// - Throws: where the bytes are no such file, or the model is of a kind, or normalises text in a way, that is not supported.
  public init(sentencePieceModel bytes: [UInt8]) throws(TokenizerError) {
    var model = SentencePieceModel()
    try model.read(bytes)
    try model.checkSupport()
    self.init(
      pieces: model.pieces, types: model.types, merging: .scores(model.scores), bos: model.bos, eos: model.eos,
      unknown: model.unknown, addsBOS: true, addsSpacePrefix: model.addsDummyPrefix)
  }
}

/// What is used of SentencePiece's `ModelProto`; numbers are those of `sentencepiece_model.proto`.
private struct SentencePieceModel {
  var pieces: [String] = []
  var scores: [Float] = []
  var types: [Int32] = []
  /// 1 unigram, 2 BPE, 3 words, 4 characters.
  var kind: UInt64 = 1
  var unknown: Int32? = 0
  var bos: Int32? = 1
  var eos: Int32? = 2
  var hasSpaceSuffix = false
  var addsDummyPrefix = true
  var removesSpaces = true
  var escapesSpaces = true
  var normalizes = false

  mutating func read(_ bytes: [UInt8]) throws(TokenizerError) {
    var reader = ProtobufReader(bytes[...])
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, .bytes(let piece)): try self.readPiece(piece)
      case (2, .bytes(let trainer)): try self.readTrainer(trainer)
      case (3, .bytes(let normalizer)): try self.readNormalizer(normalizer)
      default: break
      }
    }
    guard !self.pieces.isEmpty else {
      throw TokenizerError(field: "tokenizer.model", message: "It holds no pieces; it is no SentencePiece model.")
    }
  }

  private mutating func readPiece(_ bytes: ArraySlice<UInt8>) throws(TokenizerError) {
    var reader = ProtobufReader(bytes)
    var (piece, score, type) = ("", Float(0), Int32(1))
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, .bytes(let text)):
        guard let valid = String(validating: text, as: UTF8.self) else {
          throw TokenizerError(field: "piece \(self.pieces.count)", message: "It is not UTF-8; the file is damaged.")
        }
        piece = valid
      case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
      case (3, .integer(let number)): type = Int32(truncatingIfNeeded: number)
      default: break
      }
    }
    self.pieces.append(piece)
    self.scores.append(score)
    self.types.append(type)
  }

  private mutating func readTrainer(_ bytes: ArraySlice<UInt8>) throws(TokenizerError) {
    var reader = ProtobufReader(bytes)
    while let (field, value) = try reader.next() {
      guard case .integer(let number) = value else { continue }
      // A negative id says that there is no such token.
      let id = Int64(bitPattern: number) < 0 ? nil : Int32(exactly: number) ?? .max
      switch field {
      case 3: self.kind = number
      case 24: self.hasSpaceSuffix = number != 0
      case 40: self.unknown = id
      case 41: self.bos = id
      case 42: self.eos = id
      default: break
      }
    }
  }

  private mutating func readNormalizer(_ bytes: ArraySlice<UInt8>) throws(TokenizerError) {
    var reader = ProtobufReader(bytes)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (2, .bytes(let map)): self.normalizes = !map.isEmpty
      case (3, .integer(let flag)): self.addsDummyPrefix = flag != 0
      case (4, .integer(let flag)): self.removesSpaces = flag != 0
      case (5, .integer(let flag)): self.escapesSpaces = flag != 0
      default: break
      }
    }
  }

  func checkSupport() throws(TokenizerError) {
    let refusals = [
      (self.kind != 2, "trainer_spec.model_type", "is \(self.kind); only 2 (BPE) is supported"),
      (self.hasSpaceSuffix, "trainer_spec.treat_whitespace_as_suffix", "is not supported"),
      (self.normalizes, "normalizer_spec.precompiled_charsmap", "is present; text is used as it is here"),
      (self.removesSpaces, "normalizer_spec.remove_extra_whitespaces", "is set; text is used as it is here"),
      (!self.escapesSpaces, "normalizer_spec.escape_whitespaces", "is off, which is not supported"),
    ]
    for (isRefused, field, finding) in refusals where isRefused {
      throw TokenizerError(field: field, message: "It \(finding); use a model of another vocabulary.")
    }
  }
}
