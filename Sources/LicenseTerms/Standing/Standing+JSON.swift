public import Documents
import GovernanceTypes

extension Standing {
  /// `verdict`, `until`, `clauses`, `missing`, `duties`, `parameters`, `terms`, `action`, `decided_by`, `code`.
  public var json: JSON {
    [
      "verdict": .string(self.verdict.rawValue),
      "until": JSON(self.until?.description),
      "action": .string(self.action.rawValue),
      "code": JSON(self.code?.rawValue),
      "decided_by": self.deciding.map(\.json) ?? .null,
      "clauses": .array(self.clauses.map(\.json)),
      "missing": .array(self.missing.map(\.json)),
      "duties": .array(self.duties.map(\.json)),
      "parameters": .array(self.parameters.map(\.json)),
      "terms": .array(self.terms.map(\.json)),
      "unverified": .array(self.unverified.map { .string("\($0.termFile)/\($0.clause)") }.uniqued),
    ]
  }
}

extension RequestVerdict {
  /// `verdict`, `code`, `decided_by`, `clauses`, `findings`, `missing`, `recorded`.
  public var json: JSON {
    [
      "verdict": .string(self.verdict.rawValue),
      "code": JSON(self.code?.rawValue),
      "decided_by": self.deciding.map(\.json) ?? .null,
      "clauses": .array(self.clauses.map(\.json)),
      "findings": .array(self.findings.map(\.json)),
      "missing": .array(self.missing.map(\.json)),
      "recorded": .array(self.recorded.map(\.json)),
    ]
  }
}

extension UseFinding {
  public var json: JSON {
    [
      "terms": .string(self.termFile.name), "clause": .string(self.clause), "use": .string(self.use),
      "severity": .string(self.severity.rawValue),
    ]
  }
}

extension ClauseResult {
  public var json: JSON {
    [
      "terms": .string(self.termFile.name),
      "parts": .array(self.parts.map { .string($0.description) }),
      "clause": .string(self.clause),
      "ref": .string(self.ref),
      "kind": .string(self.kind.rawValue),
      "subject": .string(self.party.description),
      "truth": .string(self.truth.rawValue),
      "effect": .string(self.effect.rawValue),
      "state": .string(self.state.rawValue),
      "facts": .array(self.facts.map(\.json)),
      "summary": .string(self.summary),
      "because": JSON(self.because),
      "fact": JSON(self.fact),
      "remedy": JSON(self.remedy),
      "verified": .bool(self.isVerified),
    ]
  }
}

extension UsedFact {
  public var json: JSON {
    [
      "subject": .string(self.subject.description), "fact": .string(self.key), "value": JSON(self.value),
      "source": JSON(self.source?.rawValue), "reference": JSON(self.reference),
    ]
  }
}

extension MissingFact {
  /// `values` is left out where the values that would do cannot be listed.
  public var json: JSON {
    var members = [
      JSONMember("subject", .string(self.subject.description)),
      JSONMember("fact", .string(self.fact)),
      JSONMember("type", .string(self.type.rawValue)),
    ]
    if !self.values.isEmpty { members.append(JSONMember("values", .array(self.values.map(JSON.string)))) }
    members += [
      JSONMember("terms", .string(self.termFile.name)),
      JSONMember("parts", .array(self.parts.map { .string($0.description) })),
      JSONMember("clause", .string(self.clause)),
      JSONMember("ref", .string(self.ref)),
      JSONMember("state", .string(self.state.rawValue)),
      JSONMember("remedy", .string(self.remedy)),
    ]
    return .object(members)
  }
}

extension ParameterInForce {
  public var json: JSON {
    [
      "terms": .string(self.termFile.name), "name": .string(self.name), "value": .string(self.value.description),
      "chosen": .bool(self.isChosen),
    ]
  }
}

extension TermsInForce {
  public var json: JSON {
    [
      "id": .string(self.id.name), "parts": .array(self.parts.map { .string($0.description) }),
      "revision": .integer(self.revision), "digest": .string(self.digest.hexadecimal),
      "operator_licensor": JSON(self.operatorLicensor), "licensor": JSON(self.partyLicensor),
      "documents": .array(self.documents.map(\.json)),
    ]
  }
}

extension DocumentFound {
  public var json: JSON {
    [
      "document": .string(self.role), "state": .string(self.state.rawValue), "sha256": JSON(self.digest?.hexadecimal),
      "matched_by": JSON(self.match.kind),
    ]
  }
}

extension StandingDuty {
  public var json: JSON {
    let (name, details) = self.kind.parts
    return .object(
      [
        JSONMember("terms", .string(self.termFile.name)), JSONMember("clause", .string(self.clause)),
        JSONMember("ref", .string(self.ref)), JSONMember("subject", .string(self.party.description)),
        JSONMember("duty", .string(name)), JSONMember("state", .string(self.state.rawValue)),
        JSONMember("record", JSON(self.record)),
      ] + details.map { JSONMember($0.key, $0.value) })
  }
}

extension StandingDuty.Kind {
  /// The duty's name as it stands in term files.
  public var name: String { self.parts.name }

  fileprivate var parts: (name: String, details: [(key: String, value: JSON)]) {
    switch self {
    case .provideDocument(let role, let to, let before, let proof):
      (
        "provide_document",
        [
          ("document", .string(role)), ("to", .string(to)), ("before", .string(before)), ("proof", .string(proof)),
        ]
      )
    case .includeNotice(let file, let text, let isDone):
      ("include_notice", [("file", .string(file)), ("text", .string(text)), ("done", isDone.map(JSON.bool) ?? .null)])
    case .display(let text, let places): ("display", [("text", .string(text)), ("where", .array(places.map(JSON.string)))])
    case .namePrefix(let prefix): ("name_prefix", [("value", .string(prefix))])
    case .bindRecipient(let document, let proof):
      ("bind_recipient", [("document", .string(document)), ("proof", .string(proof))])
    case .attest(let fact): ("attest", [("fact", .string(fact))])
    case .register(let fact): ("register", [("fact", .string(fact))])
    case .deleteMaterials(let days, let proof):
      ("delete_materials", [("within_days", .integer(days)), ("proof", .string(proof))])
    case .report(let to): ("report", [("to", .string(to))])
    case .showText(let places): ("show_text", [("where", .array(places.map(JSON.string)))])
    case .header(let name, let value): ("header", [("name", .string(name)), ("value", .string(value))])
    case .reaffirm(let fact, let since): ("reaffirm", [("fact", .string(fact)), ("since", .string(since.description))])
    case .reviewDocument(let role, let since):
      ("review_document", [("document", .string(role)), ("since", .string(since.description))])
    }
  }
}

extension [JSON] {
  /// Each element once, in order of first appearance. O(n²), for the few clauses of a file.
  fileprivate var uniqued: [JSON] { self.reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
