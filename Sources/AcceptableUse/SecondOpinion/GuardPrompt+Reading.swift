public import Documents
public import GovernanceTypes

extension GuardPrompt {
  /// The format this reader knows.
  public static let schema = "weighbridge/guard-categories/v1"
  static let mostCategories = 64

  /// Reads `{schema, policy, categories: [{code, title, description, uses}]}` strictly.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let schema = try reader.string("schema")
    guard schema == Self.schema else { throw reader.failure("schema", "is '\(schema)'; this version reads '\(Self.schema)'") }
    let policy = TermFileID(try reader.string("policy"))
    let elements = try reader.list("categories")
    guard (1...Self.mostCategories).contains(elements.count) else {
      throw reader.failure("categories", "1 to \(Self.mostCategories) categories belong here")
    }
    let categories = try elements.map { (path, element) throws(DocumentError) -> Category in
      var entry = try DocumentReader(element, path: path)
      let category = Category(
        code: try entry.string("code"), title: try entry.string("title"),
        description: try entry.optionalString("description") ?? "",
        uses: try entry.strings("uses").map(ProhibitedUseID.init))
      try entry.finish()
      return category
    }
    do throws(AcceptableUseError) { try self.init(categories: categories, policy: policy) } catch {
      throw reader.failure("categories", error.message)
    }
    try reader.finish()
  }

  /// Uses that some category is evidence for.
  public var covered: Set<ProhibitedUseID> { Set(self.categories.flatMap(\.uses)) }
}

extension Assessment {
  /// The same with what a guard model found.
  ///
  /// - Parameter permitted: Uses that are exempt: what is found of them alone only annotates.
  public func adding(
    _ codes: [String], of prompt: GuardPrompt, digest: Digest, mode: RuleMode, permitted: Set<ProhibitedUseID>
  ) -> Assessment {
    var copy = self
    for category in prompt.categories where codes.contains(category.code) {
      let isPermitted = !category.uses.isEmpty && permitted.isSuperset(of: category.uses)
      let own = mode == .enforce && isPermitted ? .annotate : mode
      copy.rules.append(
        RuleHit(
          packID: GuardPrompt.packID, packDigest: digest, ruleID: category.code, uses: category.uses, mode: own, severity: .high,
          score: GuardPrompt.score, spanOffset: 0, spanLength: self.scannedBytes))
      if own == .enforce { copy.flagged = true }
    }
    copy.uses = UseFinding.findings(adding: copy.rules.filter { $0.packID == GuardPrompt.packID }, to: self.uses)
    copy.probability = max(copy.probability, codes.isEmpty ? 0 : GuardPrompt.score * 1000)
    return copy
  }

  /// Uses of high or critical severity that something points to and nothing enforced decided: what a second opinion is asked about.
  public func doubts(critical: Set<ProhibitedUseID>) -> Set<ProhibitedUseID> {
    guard !self.flagged else { return [] }
    let grave = self.rules.filter { hit in
      hit.severity >= .high || (hit.packID == LinearClassifier.packID && !critical.isDisjoint(with: hit.uses))
    }
    return Set(grave.flatMap(\.uses))
  }
}

extension GuardPrompt {
  /// How sure a finding of the model counts, in thousandths.
  static let score = 900
}

extension UseFinding {
  fileprivate static func findings(adding hits: [RuleHit], to known: [UseFinding]) -> [UseFinding] {
    var findings = Dictionary(uniqueKeysWithValues: known.map { ($0.id, $0) })
    for hit in hits {
      for use in hit.uses {
        var finding = findings[use] ?? UseFinding(id: use, score: 0, severity: hit.severity)
        finding.score = 1000 - (1000 - finding.score) * (1000 - hit.score) / 1000
        finding.severity = max(finding.severity, hit.severity)
        findings[use] = finding
      }
    }
    return findings.values.sorted { $0.id < $1.id }
  }
}
