internal import Documents

extension VocabularySource {
  /// Room for the largest published files: a quarter of a million pieces and half a million merges, each merge a list of two.
  private static let limits = JSONLimits(bytes: 64 << 20, depth: 64, nodes: 1 << 22)

  /// Reads a `tokenizer.json` with byte-pair encoding, and what `tokenizer_config.json` adds: names of special tokens, `add_bos_token`
  /// and the chat template. O(bytes).
  ///
  /// - Throws: ``TokenizerError`` naming the field that is malformed or that asks for something not supported.
  public init(tokenizerJSON bytes: [UInt8], tokenizerConfig: [UInt8]? = nil) throws(TokenizerError) {
    var file = TokenizerFile(try Self.parse(bytes, "tokenizer.json"))
    try file.read()
    let config = try tokenizerConfig.map { bytes throws(TokenizerError) in try Self.parse(bytes, "tokenizer_config.json") }
    let names = TokenizerNames(config)
    self.init(
      pieces: file.pieces, types: file.types, merging: .pairs(file.merging),
      bos: file.bos ?? file.id(of: names.bos ?? "<s>"), eos: file.id(of: names.eos ?? "</s>"), unknown: file.unknown,
      addsBOS: names.addsBOS ?? (file.bos != nil), addsSpacePrefix: file.addsSpacePrefix)
    self.chatTemplate = names.chatTemplate
  }

  private static func parse(_ bytes: [UInt8], _ name: String) throws(TokenizerError) -> Document {
    do {
      return try Document.parseJSON(bytes, limits: Self.limits)
    } catch {
      throw TokenizerError(field: name, message: "\(error)")
    }
  }
}

/// What is used of `tokenizer_config.json`.
private struct TokenizerNames {
  var bos: String?
  var eos: String?
  var addsBOS: Bool?
  var chatTemplate: String?

  init(_ config: Document?) {
    self.bos = config?["bos_token"]?.tokenText
    self.eos = config?["eos_token"]?.tokenText
    if case .bool(let adds)? = config?["add_bos_token"]?.content { self.addsBOS = adds }
    switch config?["chat_template"]?.content {
    case .string(let text): self.chatTemplate = text
    case .list(let named):
      self.chatTemplate = named.first { $0["name"]?.text == "default" }?["template"]?.text
    default: break
    }
  }
}

/// What is used of `tokenizer.json`.
private struct TokenizerFile {
  private let root: Document
  var pieces: [String] = []
  var types: [Int32] = []
  var merging = VocabularySource.PairMerging(merges: [])
  var bos: Int32?
  var unknown: Int32?
  var addsSpacePrefix = false
  private var byText: [[UInt8]: Int32] = [:]

  /// More ids than any vocabulary has would only fill memory.
  private static let idLimit = 1 << 20

  init(_ root: Document) { self.root = root }

  func id(of text: String) -> Int32? { self.byText[Array(text.utf8)] }

  mutating func read() throws(TokenizerError) {
    let model = try self.map(self.root, "model")
    guard model["type"]?.text ?? "BPE" == "BPE" else {
      throw self.unsupported("model.type", model["type"]?.text ?? "no string", "BPE")
    }
    for key in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
      guard let value = model[key], value.text?.isEmpty != true else { continue }
      guard case .null = value.content else { throw self.unsupported("model.\(key)", value.kind, "null") }
    }
    try self.readPieces(model)
    try self.readMerges(model)
    self.merging.prefersWholeWords = model["ignore_merges"]?.flag ?? false
    try self.readCutting()
    try self.readEnds()
    if let name = model["unk_token"]?.text { self.unknown = self.id(of: name) }
  }

  private mutating func readPieces(_ model: Document) throws(TokenizerError) {
    guard case .map(let members)? = model["vocab"]?.content else {
      throw TokenizerError(field: "model.vocab", message: "A map of pieces to ids belongs here.")
    }
    let hasBytes = model["byte_fallback"]?.flag ?? false
    for member in members {
      let id = try self.checkedID(member.value, "model.vocab[\"\(member.key)\"]")
      let isByte = hasBytes && SentencePieceVocabulary.byteValue(Array(member.key.utf8)) != nil
      self.place(member.key, id, type: isByte ? 6 : 1)
    }
    guard let added = self.root["added_tokens"] else { return }
    guard case .list(let tokens) = added.content else {
      throw TokenizerError(field: "added_tokens", message: "A list belongs here, not \(added.kind).")
    }
    for (index, token) in tokens.enumerated() {
      let field = "added_tokens[\(index)]"
      guard let text = token["content"]?.text, let idValue = token["id"] else {
        throw TokenizerError(field: field, message: "It has no content or no id.")
      }
      let isSpecial = token["special"]?.flag ?? false
      for key in ["single_word", "lstrip", "rstrip"] where !isSpecial && token[key]?.flag == true {
        throw self.unsupported("\(field).\(key)", "true", "false")
      }
      let isUnknown = text == model["unk_token"]?.text
      self.place(text, try self.checkedID(idValue, field), type: isUnknown ? 2 : isSpecial ? 3 : 4)
    }
  }

  private func checkedID(_ value: Document, _ field: String) throws(TokenizerError) -> Int {
    guard let id = value.integer, (0..<Self.idLimit).contains(id) else {
      throw TokenizerError(field: field, message: "The id must be a number from 0 to \(Self.idLimit - 1).")
    }
    return id
  }

  private mutating func place(_ text: String, _ id: Int, type: Int32) {
    if id >= self.pieces.count {
      let missing = id + 1 - self.pieces.count
      self.pieces += [String](repeating: "", count: missing)
      self.types += [Int32](repeating: 5, count: missing)
    }
    self.pieces[id] = text
    self.types[id] = type
    self.byText[Array(text.utf8)] = Int32(id)
  }

  private mutating func readMerges(_ model: Document) throws(TokenizerError) {
    guard case .list(let merges)? = model["merges"]?.content else {
      throw TokenizerError(field: "model.merges", message: "A list of pairs belongs here.")
    }
    self.merging.merges.reserveCapacity(merges.count)
    for (index, merge) in merges.enumerated() {
      switch merge.content {
      case .string(let text):
        let parts = text.utf8.split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw self.malformedMerge(index) }
        self.merging.merges.append(VocabularySource.PairMerging.Merge("\(Substring(parts[0]))", "\(Substring(parts[1]))"))
      case .list(let parts):
        guard parts.count == 2, let left = parts[0].text, let right = parts[1].text else { throw self.malformedMerge(index) }
        self.merging.merges.append(VocabularySource.PairMerging.Merge(left, right))
      default: throw self.malformedMerge(index)
      }
    }
  }

  private func malformedMerge(_ index: Int) -> TokenizerError {
    TokenizerError(field: "model.merges[\(index)]", message: "Two pieces belong here, in one string or a list.")
  }

  // MARK: Normalizer and pre-tokenizer

  private mutating func readCutting() throws(TokenizerError) {
    let steps = self.steps("pre_tokenizer", "pretokenizers")
    if steps.contains(where: { $0.typeName == "ByteLevel" }) {
      try self.readByteLevel(steps)
    } else {
      try self.readCharacters(steps)
    }
  }

  private mutating func readByteLevel(_ steps: [Document]) throws(TokenizerError) {
    self.merging.alphabet = .bytes
    var expression: String?
    for step in steps {
      switch step.typeName {
      case "ByteLevel":
        guard step["add_prefix_space"]?.flag != true else {
          throw self.unsupported("pre_tokenizer.add_prefix_space", "true", "false")
        }
        if step["use_regex"]?.flag ?? true { expression = expression ?? "" }
      case "Split":
        guard expression == nil, step["behavior"]?.text == "Isolated", step["invert"]?.flag != true else {
          throw self.unsupported("pre_tokenizer.Split", "another way of cutting", "one isolated expression")
        }
        expression = step["pattern"]?["Regex"]?.text ?? "a string"
      default: throw self.unsupported("pre_tokenizer.type", step.typeName, "Split and ByteLevel")
      }
    }
    guard let expression, let kind = PreTokenizer(expression: expression) else {
      throw self.unsupported("pre_tokenizer", "\"\(expression ?? "")\"", "the expressions of GPT-2, Llama 3 and Qwen2")
    }
    self.merging.preTokenizer = kind
    for step in self.steps("normalizer", "normalizers") {
      guard step.typeName == "NFC" else { throw self.unsupported("normalizer.type", step.typeName, "NFC or null") }
      self.merging.composes = true
    }
  }

  /// The forms into which SentencePiece models are converted.
  private mutating func readCharacters(_ steps: [Document]) throws(TokenizerError) {
    self.merging.alphabet = .characters
    var replacesSpaces = false
    for step in self.steps("normalizer", "normalizers") {
      switch step.typeName {
      case "Prepend" where step["prepend"]?.text == "\u{2581}": self.addsSpacePrefix = true
      case "Replace" where step["pattern"]?["String"]?.text == " " && step["content"]?.text == "\u{2581}": replacesSpaces = true
      default: throw self.unsupported("normalizer.type", step.typeName, "Prepend and Replace with U+2581")
      }
    }
    for step in steps {
      guard step.typeName == "Metaspace", step["replacement"]?.text == "\u{2581}", step["split"]?.flag == false else {
        throw self.unsupported("pre_tokenizer.type", step.typeName, "ByteLevel, or Metaspace that does not split")
      }
      replacesSpaces = true
      self.addsSpacePrefix = step["prepend_scheme"]?.text.map { $0 != "never" } ?? step["add_prefix_space"]?.flag ?? true
    }
    guard replacesSpaces else {
      throw self.unsupported("normalizer", "one that keeps spaces", "U+2581 for spaces, or byte-level pieces")
    }
  }

  // MARK: Post-processor

  /// A template that puts one token before each text says which token that is; one that puts something behind is refused.
  private mutating func readEnds() throws(TokenizerError) {
    for step in self.steps("post_processor", "processors") where step.typeName != "ByteLevel" {
      guard step.typeName == "TemplateProcessing", case .list(let parts)? = step["single"]?.content else {
        throw self.unsupported("post_processor.type", step.typeName, "TemplateProcessing")
      }
      let names = parts.map { $0["SpecialToken"]?["id"]?.text }
      guard let sequence = names.firstIndex(where: { $0 == nil }), sequence <= 1, sequence == names.count - 1 else {
        throw self.unsupported("post_processor.single", "more than one token around the text", "at most one before it")
      }
      if sequence == 1, let name = names[0] {
        guard let id = self.id(of: name) else {
          throw TokenizerError(field: "post_processor.single", message: "The token \"\(name)\" is no piece.")
        }
        self.bos = id
      }
    }
  }

  /// The steps of a part of the file: none, one, or those of a sequence.
  private func steps(_ key: String, _ list: String) -> [Document] {
    guard let part = self.root[key], case .map = part.content else { return [] }
    guard part.typeName == "Sequence", case .list(let steps)? = part[list]?.content else { return [part] }
    return steps
  }

  private func map(_ document: Document, _ key: String) throws(TokenizerError) -> Document {
    guard let value = document[key], case .map = value.content else {
      throw TokenizerError(field: key, message: "A map belongs here; the file is no tokenizer.json.")
    }
    return value
  }

  private func unsupported(_ field: String, _ found: String, _ wanted: String) -> TokenizerError {
    TokenizerError(field: field, message: "\(found) is not supported, only \(wanted).")
  }
}

extension PreTokenizer {
  /// - Parameter expression: as a file spells it; empty for GPT-2's, which is the default of byte-level files.
  init?(expression: String) {
    let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
    let rest = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    switch expression {
    case "", "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+": self = .gpt2
    case contractions + "\\p{N}{1,3}" + rest: self = .llama3
    case contractions + "\\p{N}" + rest: self = .qwen2
    default: return nil
    }
  }
}

extension Document {
  fileprivate var text: String? { if case .string(let text) = self.content { text } else { nil } }
  fileprivate var flag: Bool? { if case .bool(let flag) = self.content { flag } else { nil } }
  fileprivate var integer: Int? { if case .number(let digits) = self.content { Int(digits) } else { nil } }
  fileprivate var typeName: String { self["type"]?.text ?? "none" }
  /// A special token's text, which files give alone or in a map.
  fileprivate var tokenText: String? { self.text ?? self["content"]?.text }
}
