public import Documents

extension TermFile {
  /// Reads the operator's choices for this term file: names it knows, values of the right type, zones that can be computed.
  public func parameterValues(
    _ document: Document, path: String = "parameters"
  ) throws(DocumentError) -> [String: ParameterValue] {
    var reader = try DocumentReader(document, path: path)
    var values: [String: ParameterValue] = [:]
    for parameter in self.interpretations {
      guard let document = reader.document(parameter.name) else { continue }
      let value = try ParameterValue(document, for: parameter, path: reader.field(parameter.name))
      if self.zoneParameters.contains(parameter.name), offset(ofZone: value.description) == nil {
        throw reader.failure(parameter.name, zoneRule)
      }
      values[parameter.name] = value
    }
    try reader.finish()
    return values
  }

  /// The parameters that facts and thresholds take their zone from.
  var zoneParameters: Set<String> {
    var zones = self.facts.map(\.zone)
    for clause in self.clauses { for predicate in clause.predicates { zones += predicate.thresholds.map(\.zone) } }
    return Set(zones.compactMap { if case .parameter(let name) = $0 { name } else { nil } })
  }
}

let zoneRule = "UTC or an offset like +08:00 belongs here"

extension Predicate {
  var thresholds: [Threshold] {
    switch self {
    case .all(let parts), .any(let parts): parts.flatMap(\.thresholds)
    case .not(let part): part.thresholds
    case .threshold(let threshold): [threshold]
    case .fact, .holdsNotice, .parameter, .action, .exception: []
    }
  }
}
