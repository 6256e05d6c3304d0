internal import Documents

/// Reads `tokenizer.json` of the library tokenizers: byte-pair encoding over bytes, or SentencePiece's with byte fallback.
public enum TokenizerJSON {
  /// - Throws: `wrongFormat`, `missingKey`, `limitExceeded`, `invalidValue`, and `unsupportedVersion` for another algorithm or an
  ///   unknown rule to cut text by, each naming the field.
  public static func vocabulary(path: String) throws(ModelFileError) -> VocabularyFile {
    try Self.vocabulary(try JSONFile(path: path))
  }

  public static func vocabulary(bytes: UnsafeRawBufferPointer, path: String) throws(ModelFileError) -> VocabularyFile {
    try Self.vocabulary(try JSONFile(bytes: bytes, path: path))
  }

  private static func vocabulary(_ text: JSONFile) throws(ModelFileError) -> VocabularyFile {
    guard let model = text.document["model"] else { throw text.error(.missingKey, "model", "The file has no model.") }
    let kind = model["type"]?.text ?? "BPE"
    guard kind == "BPE" else {
      throw text.error(.unsupportedVersion, "model.type", "The algorithm is \"\(kind)\"; only \"BPE\" is supported.")
    }
    let fallsBack = model["byte_fallback"]?.flag ?? false
    var pieces = try Pieces(model, text)
    try pieces.add(added: text.document["added_tokens"], text)
    let merges = try Self.merges(model["merges"], text)
    let (names, types) = pieces.list(hasBytePieces: fallsBack, unknown: model["unk_token"]?.text)
    var result = VocabularyFile(
      kind: fallsBack ? .scores : .merges(rule: try Self.rule(text)), pieces: names, types: types,
      unknown: model["unk_token"]?.text.flatMap { pieces.ids[$0] })
    result.addsBegin = Self.addsBegin(text.document["post_processor"])
    if fallsBack {
      result.scores = Self.scores(pieces.ids, count: names.count, merges)
      result.addsSpacePrefix = Self.addsSpacePrefix(text.document)
    } else {
      result.merges = merges
    }
    return result
  }

  private static func merges(_ merges: Document?, _ text: JSONFile) throws(ModelFileError) -> [String] {
    guard let elements = merges?.elements, elements.count <= VocabularyFile.mergeLimit else {
      throw text.error(.missingKey, "model.merges", "A list of at most \(VocabularyFile.mergeLimit) merges belongs here.")
    }
    var result: [String] = []
    result.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
      if let line = element.text, line.utf8.contains(UInt8(ascii: " ")) {
        result.append(line)
      } else if let pair = element.elements, pair.count == 2, let left = pair[0].text, let right = pair[1].text {
        result.append(left + " " + right)
      } else {
        throw text.error(.invalidValue, "model.merges[\(index)]", "A merge is a pair of pieces.")
      }
    }
    return result
  }

  /// Which merge makes a piece first is the order in which SentencePiece's scores would have it.
  private static func scores(_ ids: [String: Int], count: Int, _ merges: [String]) -> [Float] {
    var scores = [Float](repeating: -Float(merges.count + 1), count: count)
    for (rank, merge) in merges.enumerated().reversed() {
      if let id = ids[String(merge.filter { $0 != " " })] { scores[id] = -Float(rank) }
    }
    return scores
  }

  /// The rule by which text is cut before merging, told by the one thing in which its pattern differs from the others'.
  private static func rule(_ text: JSONFile) throws(ModelFileError) -> String {
    let steps = text.document["pre_tokenizer"].map { $0["pretokenizers"]?.elements ?? [$0] } ?? []
    let patterns = steps.compactMap { $0["pattern"]?["Regex"]?.text }
    if patterns.isEmpty, steps.contains(where: { $0["type"]?.text == "ByteLevel" }) { return "gpt-2" }
    if patterns.contains(where: { $0.contains("(?i:'s|") && $0.contains("\\p{N}{1,3}|") }) { return "llama-bpe" }
    if patterns.contains(where: { $0.contains("(?i:'s|") && $0.contains("\\p{N}|") }) { return "qwen2" }
    throw text.error(
      .unsupportedVersion, "pre_tokenizer", "The rule by which text is cut is none of those known (llama-bpe, qwen2, gpt-2).")
  }

  private static func addsBegin(_ processor: Document?) -> Bool? {
    guard let processor, !processor.isNull else { return nil }
    let steps = processor["processors"]?.elements ?? [processor]
    guard let template = steps.first(where: { $0["type"]?.text == "TemplateProcessing" }) else { return false }
    return template["single"]?.elements?.first?["SpecialToken"] != nil
  }

  private static func addsSpacePrefix(_ document: Document) -> Bool {
    let normalisers = document["normalizer"].map { $0["normalizers"]?.elements ?? [$0] } ?? []
    if normalisers.contains(where: { $0["type"]?.text == "Prepend" }) { return true }
    let steps = document["pre_tokenizer"].map { $0["pretokenizers"]?.elements ?? [$0] } ?? []
    guard let mark = steps.first(where: { $0["type"]?.text == "Metaspace" }) else { return false }
    return mark["prepend_scheme"]?.text.map { $0 != "never" } ?? mark["add_prefix_space"]?.flag ?? true
  }
}

/// The pieces by name and id, while they are collected.
private struct Pieces {
  private(set) var ids: [String: Int] = [:]
  private var names: [Int: String] = [:]
  private var special: [Int: Bool] = [:]
  private var count = 0

  init(_ model: Document, _ text: JSONFile) throws(ModelFileError) {
    guard let members = model["vocab"]?.members else {
      throw text.error(.missingKey, "model.vocab", "An object of pieces and their ids belongs here.")
    }
    self.ids.reserveCapacity(members.count)
    for member in members { try self.insert(member.key, member.value.integer, "model.vocab", text) }
    // An id far beyond the number of pieces would cost memory that the file does not have.
    guard self.count <= 2 * members.count + 1_024 else {
      throw text.error(.invalidValue, "model.vocab", "The highest id is \(self.count - 1) for \(members.count) pieces.")
    }
  }

  mutating func add(added: Document?, _ text: JSONFile) throws(ModelFileError) {
    let before = self.count
    let elements = added?.elements ?? []
    for (index, element) in elements.enumerated() {
      let field = "added_tokens[\(index)]"
      guard let name = element["content"]?.text else { throw text.error(.missingKey, field, "content is missing.") }
      try self.insert(name, element["id"]?.integer, field, text)
      if let id = self.ids[name] { self.special[id] = element["special"]?.flag ?? false }
    }
    guard self.count <= 2 * before + elements.count + 1_024 else {
      throw text.error(.invalidValue, "added_tokens", "The highest id is \(self.count - 1), far beyond the \(before) pieces.")
    }
  }

  private mutating func insert(_ name: String, _ id: Int?, _ field: String, _ text: JSONFile) throws(ModelFileError) {
    guard let id, id >= 0, id < VocabularyFile.pieceLimit else {
      throw text.error(.invalidValue, field, "The id of '\(name.prefix(40))' is no number below \(VocabularyFile.pieceLimit).")
    }
    guard self.ids.updateValue(id, forKey: name) ?? id == id, self.names.updateValue(name, forKey: id) ?? name == name else {
      throw text.error(.duplicate, field, "'\(name.prefix(40))' has two ids, or shares its id \(id).")
    }
    self.count = max(self.count, id + 1)
  }

  func list(hasBytePieces: Bool, unknown: String?) -> (names: [String], types: [Int32]) {
    var names = (0..<self.count).map { "[unused\($0)]" }
    var types = [Int32](repeating: 3, count: self.count)
    for (name, id) in self.ids {
      names[id] = name
      types[id] = 1
      if hasBytePieces, name.utf8.count == 6, name.hasPrefix("<0x"), name.hasSuffix(">") { types[id] = 6 }
      if let isSpecial = self.special[id] { types[id] = isSpecial ? 3 : 4 }
      if name == unknown, hasBytePieces { types[id] = 2 }
    }
    return (names, types)
  }
}
