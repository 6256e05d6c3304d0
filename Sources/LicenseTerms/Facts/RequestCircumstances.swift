public import GovernanceTypes

/// What is known of one request besides its text, in the words that term files read: where it comes from, what it is said to be
/// for, what its output is to improve.
public struct RequestCircumstances: Sendable {
  /// The country that the request comes from, by ISO 3166-1 alpha-2; anything else counts as not known.
  public var region: String?
  public var declaredPurpose: String?
  /// The lineage of the model that the output is to improve.
  public var targetLineage: String?
  /// Ids or categories of uses that were found in the request; nil where nothing looked.
  public var usesFound: [String]?
  /// Ids or categories of uses that were looked for; nil where that is not told.
  public var usesChecked: [String]?

  public init(
    region: String? = nil, declaredPurpose: String? = nil, targetLineage: String? = nil, usesFound: [String]? = nil,
    usesChecked: [String]? = nil
  ) {
    self.region = region
    self.declaredPurpose = declaredPurpose
    self.targetLineage = targetLineage
    self.usesFound = usesFound
    self.usesChecked = usesChecked
  }

  /// The facts of the request, for ``Standing/verdict(for:at:)``. What is not known has no record, and counts as unknown.
  public func facts(reference: String, at time: Timestamp) -> FactSheet {
    func fact(_ key: String, _ value: FactValue?, _ source: FactSource) -> Fact? {
      value.map { Fact(key: key, value: $0, source: source, reference: reference, recordedAt: time) }
    }
    let uses = { (names: [String]?) -> FactValue? in names.map { .set(Set($0).sorted()) } }
    return FactSheet(
      [
        fact("request.region", self.region.flatMap(Regions.country).map(FactValue.region), .request),
        fact("request.declared_purpose", self.declaredPurpose.map(FactValue.choice), .request),
        fact("train.target_lineage", self.targetLineage.map(FactValue.text), .request),
        fact("request.use_findings", uses(self.usesFound), .rule),
        fact("request.uses_checked", uses(self.usesChecked), .rule),
      ].compactMap { $0 })
  }
}
