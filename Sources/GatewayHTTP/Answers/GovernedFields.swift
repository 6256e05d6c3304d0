internal import Completions
internal import Documents
internal import Governance
internal import GovernanceTypes
internal import HTTPTypes
internal import Hummingbird
internal import OpenAIWire

extension PublicRoutes {
  /// - Parameter asked: The model as the client named it, which a fallback may have stood in for.
  func addGovernedHeaders(_ response: inout Response, _ live: LiveRequest, asked: String) {
    response.add(.xWeighbridgeDecision, live.decision.description)
    response.add(.xWeighbridgeUsage, live.usage.description)
    if live.model.name != asked { response.add(.xWeighbridgeModel, live.model.name) }
    response.addRates(live.rates)
    response.addDuties(terms: live.terms, headers: live.responseHeaders)
  }
}

extension Response {
  /// Adds a header that is not there yet, without looking for it.
  mutating func add(_ name: HTTPField.Name, _ value: String) { self.headers.append(HTTPField(name: name, value: value)) }

  /// What the licenses of the model want to go with each answer.
  mutating func addDuties(terms: [TermFileID], headers: [(name: String, value: String)]) {
    self.add(.link, terms.map(licenseLink).joined(separator: ", "))
    for (name, value) in headers {
      guard let field = HTTPField.Name("x-\(name)") else { continue }
      self.add(field, value)
    }
  }
}

/// What the answer cost and why it ended, beside the dialect's members.
func governedFields(_ record: UsageRecord, _ finish: Finish) -> JSON {
  var members = [
    JSONMember("usage_id", .string(record.usage.description)), JSONMember("decision_id", .string(record.decision.description)),
    JSONMember("amount", .string(record.amount.description)), JSONMember("currency", .string(record.currency.description)),
    JSONMember("usage_source", .string(record.source.rawValue)),
  ]
  members += receiptMembers(record.receipt)
  if let detail = finish.detail { members.append(JSONMember("finish_detail", .string(detail.rawValue))) }
  if let citation = finish.citation {
    members.append(JSONMember("clause", .string(citation.clause)))
    members.append(JSONMember("ref", .string(citation.ref)))
  }
  return .object(members)
}

extension AnswerEnd {
  init(_ record: UsageRecord, _ finish: Finish) {
    self.init(
      finish: finish.reason.rawValue, usage: record.wireUsage,
      extra: [JSONMember("weighbridge", governedFields(record, finish))])
    self.finishes = finish.reasons.map(\.rawValue)
  }
}

extension AnswerPiece {
  init(_ piece: ReleasedPiece) {
    self.init(answer: piece.answer, text: piece.text, toolCalls: piece.toolCalls, logprobs: piece.logprobs)
  }
}

extension UsageRecord {
  var wireUsage: CompletionUsage {
    CompletionUsage(
      promptUncached: self.tokens.promptUncached.value, promptCached: self.tokens.promptCached.value,
      completion: self.tokens.completion.value)
  }
}
