public import Documents
public import GovernanceTypes

/// A license as data: the reading of one text, in our own words, with references to its sections.
///
/// Immutable, and a reference because every decision of a process shares it.
public final class TermFile: Sendable {
  public let id: TermFileID
  public let revision: Int
  public let title: String
  public let status: String
  public let released: CalendarDay?
  public let language: String?
  public let reading: Reading?
  public let identifiers: Identifiers
  public let licensors: [Licensor]
  public let documents: [TermDocument]
  public let interpretations: [Interpretation]
  public let facts: [FactDeclaration]
  public let notices: [Notice]
  public let clauses: [Clause]
  public let uses: [Use]
  public let exceptions: [ExceptionTerms]
  /// Where to report, by purpose.
  public let reporting: [Note]
  /// Sections of the source texts, each of which a clause or a use accounts for: `2`, `acceptable-use-policy/1a`.
  public let sections: [String]
  /// The role of the document that ``uses`` are the items of.
  public let useList: String?
  /// SHA-256 of the term file's bytes, as given by the caller.
  public let digest: Digest
  /// SHA-256 over the digests of all accepted texts of all documents: what an acceptance is tied to. It does not change when
  /// only our wording does.
  public let documentsDigest: Digest

  let factsByKey: [String: FactDeclaration]
  let usesByID: [String: Use]
  /// The clauses with all names resolved to places.
  let resolved: ResolvedTerms

  /// Reads a term file strictly: an unknown key, a wrong type, a reference to nothing, a fact nobody reads, a section nobody
  /// accounts for or an id used twice is an error with its line.
  ///
  /// `digest` is the SHA-256 of the file's bytes; `sha256` computes ``documentsDigest``.
  public init(_ document: Document, digest: Digest, sha256: DigestFunction) throws(DocumentError) {
    var reader = try DocumentReader(document)
    guard try reader.string("schema") == Self.schema else { throw reader.failure("schema", "must be \(Self.schema)") }
    self.id = TermFileID(try reader.name("id"))
    self.revision = try reader.integer("revision", in: 1...1_000_000)
    self.title = try reader.string("title")
    self.status = try reader.string("status")
    self.released = try reader.optionalDay("released")
    self.language = try reader.optionalString("language")
    self.reading = try reader.document("reading").map { (document) throws(DocumentError) in try Reading(document) }
    self.identifiers = try Identifiers(try reader.optionalReader("identifiers"))
    self.reporting = try reader.texts("reporting")
    self.digest = digest

    var references = TermReferences()
    self.interpretations = try reader.entries("interpretations") { (name, document, path) throws(DocumentError) in
      try Interpretation(name: name, document, path: path)
    }
    references.parameters = Dictionary(self.interpretations.map { ($0.name, $0) }) { first, _ in first }
    self.facts = try reader.entries("facts") { (key, document, path) throws(DocumentError) in
      try FactDeclaration(key: key, document, path: path)
    }
    guard self.facts.count <= FactPlaces.limit else {
      throw reader.failure("facts", "at most \(FactPlaces.limit) facts are declared in one file")
    }
    self.factsByKey = Dictionary(self.facts.map { ($0.key, $0) }) { first, _ in first }
    references.facts = self.factsByKey
    for fact in self.facts { try references.check(fact.zone, reader, at: "facts") }
    self.notices = try reader.entries("notices") { (id, document, path) throws(DocumentError) in
      try Notice(id: id, document, path: path)
    }
    references.notices = Set(self.notices.map(\.id))
    self.documents = try reader.elements("documents") { (document, path) throws(DocumentError) in
      try TermDocument(document, path: path, &references)
    }
    references.documents = Set(self.documents.map(\.role))
    self.useList = try reader.optionalString("use_list")
    self.uses = try reader.elements("uses") { (document, path) throws(DocumentError) in
      try Use(document, path: path, &references)
    }
    self.usesByID = Dictionary(self.uses.map { ($0.id, $0) }) { first, _ in first }
    references.uses = Set(self.uses.map(\.id))
    self.exceptions = try reader.elements("exceptions") { (document, path) throws(DocumentError) in
      try ExceptionTerms(document, path: path)
    }
    references.exceptions = Set(self.exceptions.map(\.id))
    self.licensors = try reader.elements("licensor") { (document, path) throws(DocumentError) in
      try Licensor(document, path: path, &references)
    }
    self.clauses = try reader.elements("clauses") { (document, path) throws(DocumentError) in
      try Clause(document, path: path, &references)
    }
    self.resolved = ResolvedTerms(
      TermParts(
        id: self.id, facts: self.facts, interpretations: self.interpretations, notices: self.notices, clauses: self.clauses,
        licensors: self.licensors, usesByID: self.usesByID, factsByKey: self.factsByKey))
    self.sections = try reader.uniqueStrings("sections")
    self.documentsDigest = sha256(Array(Self.documentsText(self.documents).utf8))
    try TermFileCheck(file: self, reader: reader, references: references).run()
    try reader.finish()
  }

  public struct Reading: Sendable, Hashable {
    public let readOn: CalendarDay
    public let source: String
    public let note: String?
  }

  public struct Identifiers: Sendable, Hashable {
    public let huggingFace: [String]
    public let scanCode: [String]
    public let spdx: [String]
    public let spdxReference: String?
    /// The tag by which derived models name their base.
    public let lineage: String?
  }

  public struct Licensor: Sendable, Hashable {
    public let name: String
    /// Nil for the licensor of everyone else.
    public let when: Predicate?
  }

  public struct Interpretation: Sendable, Hashable {
    public let name: String
    public let standard: ParameterValue
    /// The values a text may have; empty for any.
    public let choices: [String]
    public let why: String
  }

  public struct Notice: Sendable, Hashable {
    public let id: String
    public let file: String
    public let text: String
  }

  /// One item of an acceptable-use list.
  public struct Use: Sendable, Hashable {
    public enum Severity: String, Sendable, Hashable, CaseIterable { case ordinary, critical }

    public let id: String
    public let text: String
    public let category: String
    /// Where it can be seen: `classifier`, `rule`, `pattern`, `purpose`, `attestation`, `system-prompt`, `report`, `duty`.
    public let seen: [String]
    public let severity: Severity
    /// A heading over other items.
    public let isParent: Bool
    public let duty: String?
    /// A fact of the party that makes the use lawful for it (a licence to practise, consents).
    public let clearedBy: String?
  }

  /// An exception that the licensor may grant.
  public struct ExceptionTerms: Sendable, Hashable {
    public let id: String
    public let ref: String
    public let cures: [String]
    public let mayWaiveOtherClauses: Bool
    public let needs: [String]
    public let contact: String?
  }
}

/// A text that a term file is a reading of.
public struct TermDocument: Sendable, Hashable {
  public struct Accepted: Sendable, Hashable {
    public let digest: Digest
    public let bytes: Int
    public let from: String
  }

  public let role: String
  public let name: String
  public let url: String
  /// The text at the address may change without a new name.
  public let isMutable: Bool
  /// The text itself was read; otherwise what the file says of it is recalled or taken from others.
  public let isVerified: Bool
  public let reviewEveryDays: Int?
  public let incorporatedBy: String?
  public let accepted: [Accepted]
  public let normalizedDigests: [Digest]
  public let normalizer: String?
  /// The model fact with the digest of this text as found beside the weights.
  public let foundAs: String?

  /// Whether bytes with this SHA-256, of the copy as it is or of its normalised form, are an accepted copy of the text.
  public func matches(_ digest: Digest) -> Bool {
    self.accepted.contains { $0.digest == digest } || self.normalizedDigests.contains(digest)
  }
}
