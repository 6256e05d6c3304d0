import Documents
import GovernanceTypes

extension TermFile.Reading {
  init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document, path: "reading")
    self.readOn = try reader.day("read_on")
    self.source = try reader.string("source")
    self.note = try reader.optionalString("note")
    try reader.finish()
  }
}

extension TermFile.Identifiers {
  init(_ start: DocumentReader?) throws(DocumentError) {
    guard var reader = start else {
      self.huggingFace = []
      self.scanCode = []
      self.spdx = []
      self.spdxReference = nil
      self.lineage = nil
      return
    }
    self.huggingFace = try reader.uniqueStrings("huggingface")
    self.scanCode = try reader.uniqueStrings("scancode")
    self.spdx = try reader.uniqueStrings("spdx")
    self.spdxReference = try reader.optionalString("spdx_ref")
    self.lineage = try reader.optionalString("lineage")
    try reader.finish()
  }
}

extension TermFile.Licensor {
  init(_ document: Document, path: String, _ references: inout TermReferences) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    self.name = try reader.string("name")
    self.when = try reader.predicate("when", &references)
    let isForOthers = try reader.optionalBool("otherwise") ?? false
    guard (self.when == nil) == isForOthers else { throw reader.failureHere("either 'when' or 'otherwise: true' belongs here") }
    try reader.finish()
  }
}

extension TermFile.Interpretation {
  init(name: String, _ document: Document, path: String) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    guard isName(name) else { throw reader.failureHere(nameRule) }
    self.name = name
    let standard = try reader.required("default")
    switch standard.content {
    case .bool(let flag): self.standard = .bool(flag)
    case .number(let digits): self.standard = .number(digits)
    case .string(let text): self.standard = .text(text)
    case .null, .list, .map: throw reader.failure("default", "a boolean, a number or a string belongs here")
    }
    self.choices = try reader.uniqueStrings("choices")
    if case .text(let text) = self.standard {
      guard self.choices.isEmpty || self.choices.contains(text) else { throw reader.failure("choices", "lack the default") }
    } else if !self.choices.isEmpty {
      throw reader.failure("choices", "belong to texts only")
    }
    self.why = try reader.string("why")
    try reader.finish()
  }
}

extension TermFile.Notice {
  init(id: String, _ document: Document, path: String) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    guard isName(id) else { throw reader.failureHere(nameRule) }
    self.id = id
    self.file = try reader.string("file")
    self.text = try reader.string("text")
    guard !self.text.isEmpty else { throw reader.failure("text", "is empty") }
    try reader.finish()
  }
}

extension TermDocument {
  init(_ document: Document, path: String, _ references: inout TermReferences) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    self.role = try reader.name("role")
    self.name = try reader.string("name")
    self.url = try reader.string("url")
    self.isMutable = try reader.optionalBool("mutable") ?? false
    self.isVerified = try reader.optionalBool("verified") ?? true
    self.reviewEveryDays = try reader.optionalInteger("review_every_days", in: 1...36_500)
    if self.isMutable != (self.reviewEveryDays != nil) {
      throw reader.failure("review_every_days", "goes together with mutable: true")
    }
    self.incorporatedBy = try reader.optionalString("incorporated_by")
    self.accepted = try reader.elements("accepted") { (document, path) throws(DocumentError) in
      try Accepted(document, path: path)
    }
    var normalized: [Digest] = []
    for text in try reader.uniqueStrings("normalized_sha256") {
      guard let digest = Digest(hexadecimal: text) else { throw reader.failure("normalized_sha256", "'\(text)' is no SHA-256") }
      normalized.append(digest)
    }
    self.normalizedDigests = normalized
    self.normalizer = try reader.optionalString("normalizer")
    if (self.normalizer == nil) != normalized.isEmpty {
      throw reader.failure("normalizer", "goes together with normalized_sha256")
    }
    if let name = self.normalizer, name != NormalizedText.name {
      throw reader.failure("normalizer", "'\(name)' is not known; \(NormalizedText.name) is")
    }
    if let key = try reader.optionalString("found_as") {
      let fact = try references.fact(key, reader, at: "found_as")
      guard fact.type == .digest, fact.subject == .model else {
        throw reader.failure("found_as", "must be a digest of the model")
      }
      self.foundAs = key
    } else {
      self.foundAs = nil
    }
    try reader.finish()
  }
}

extension TermDocument.Accepted {
  init(_ document: Document, path: String) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    self.digest = try reader.digest("sha256")
    self.bytes = try reader.integer("bytes", in: 1...(1 << 30))
    self.from = try reader.string("from")
    try reader.finish()
  }
}

extension TermFile.Use {
  private static let places: Set<String> = [
    "classifier", "rule", "pattern", "purpose", "attestation", "system-prompt", "report", "duty",
  ]

  init(_ document: Document, path: String, _ references: inout TermReferences) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    self.id = try reader.name("id")
    self.text = try reader.string("text")
    self.category = try reader.name("category")
    self.seen = try reader.uniqueStrings("seen")
    for place in self.seen where !Self.places.contains(place) {
      throw reader.unknown("place to see a use", place, among: Self.places, at: "seen")
    }
    self.severity = try reader.optionalChoice("severity") ?? .ordinary
    self.isParent = try reader.optionalBool("parent") ?? false
    self.duty = try reader.optionalString("duty")
    self.clearedBy = reader.has("cleared_by") ? try reader.flag("cleared_by", &references) : nil
    try reader.finish()
  }
}

extension TermFile.ExceptionTerms {
  init(_ document: Document, path: String) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    self.id = try reader.name("id")
    self.ref = try reader.string("ref")
    self.cures = try reader.uniqueStrings("cures")
    self.mayWaiveOtherClauses = try reader.optionalBool("may_waive_other_clauses") ?? false
    self.needs = try reader.uniqueStrings("needs")
    self.contact = try reader.optionalString("contact")
    try reader.finish()
  }
}

extension DocumentReader {
  /// The elements of a list, each read by `read`.
  mutating func elements<Element>(
    _ key: String, _ read: (Document, String) throws(DocumentError) -> Element
  ) throws(DocumentError) -> [Element] {
    var elements: [Element] = []
    for (path, document) in try self.list(key) { elements.append(try read(document, path)) }
    return elements
  }

  /// The members of a map of named things, each read by `read`.
  mutating func entries<Element>(
    _ key: String, _ read: (String, Document, String) throws(DocumentError) -> Element
  ) throws(DocumentError) -> [Element] {
    guard var map = try self.optionalReader(key) else { return [] }
    var entries: [Element] = []
    for name in map.keys { entries.append(try read(name, try map.required(name), map.field(name))) }
    return entries
  }

  /// A map of texts.
  mutating func texts(_ key: String) throws(DocumentError) -> [Note] {
    guard var map = try self.optionalReader(key) else { return [] }
    var notes: [Note] = []
    for name in map.keys { notes.append(Note(key: name, value: try map.string(name))) }
    return notes
  }
}
