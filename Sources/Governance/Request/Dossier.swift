internal import AcceptableUse
internal import Audience
internal import Billing
internal import Completions
internal import Documents
internal import GovernanceTypes
internal import LicenseTerms

/// What is known of one request while it is being admitted; each step adds to it.
struct Dossier: Sendable {
  /// What does not change any more, once for all copies: it is large, and a request is handed from step to step.
  private let asked: Asked
  /// The standing verdict of (customer, model), once the license has been asked.
  var standing: RecordedStanding?
  /// What the rules found in the prompt, once they have read it.
  var assessment: Assessment?
  /// The acceptable-use policy that the request is under, once its prompt has been read.
  var conduct: EffectiveConduct?
  /// What a guard model said of the prompt, where it was asked.
  var opinion: OpinionRecord?
  /// How the encoder was asked about the prompt, where it was.
  var encoding: EncodingRecord?
  /// HMAC of the prompt: lets a record be matched with a text that someone else kept.
  var promptTag: Digest?
  /// The end user and the scopes in which they are new this month.
  var counted: CountedUser?

  init(
    call: Call, caller: Caller, model: ServedModel, engine: any CompletionEngine, price: Price, decision: DecisionID,
    usage: UsageID
  ) {
    self.asked = Asked(
      call: call, caller: caller, model: model, engine: engine, price: price, decision: decision, usage: usage)
  }

  var call: Call { self.asked.call }
  var caller: Caller { self.asked.caller }
  var model: ServedModel { self.asked.model }
  var engine: any CompletionEngine { self.asked.engine }
  var price: Price { self.asked.price }
  var decision: DecisionID { self.asked.decision }
  var usage: UsageID { self.asked.usage }

  private final class Asked: Sendable {
    let call: Call
    let caller: Caller
    let model: ServedModel
    /// The model's engine, or the work that is asked of it in place of a completion.
    let engine: any CompletionEngine
    let price: Price
    let decision: DecisionID
    let usage: UsageID

    init(
      call: Call, caller: Caller, model: ServedModel, engine: any CompletionEngine, price: Price, decision: DecisionID,
      usage: UsageID
    ) {
      self.call = call
      self.caller = caller
      self.model = model
      self.engine = engine
      self.price = price
      self.decision = decision
      self.usage = usage
    }
  }
}

struct CountedUser: Sendable {
  var fingerprint: UserFingerprint
  var month: CalendarMonth
  var newIn: [AudienceScope]
  /// Of a call that named no end user, where it is to be noted on disk.
  var anonymous: AnonymousTally?

  var effects: [StoreEffect] {
    self.newIn.map { .activeUser(month: self.month, scope: $0.name, fingerprint: self.fingerprint.value) }
      + (self.anonymous.map { [.object($0.object)] } ?? [])
  }
}

extension Dossier {
  /// The uses of which a rule in mode annotate found evidence in the prompt, for the client; nil where there are none.
  var annotation: String? {
    guard let rules = self.assessment?.rules, !rules.isEmpty else { return nil }
    let uses = Set(rules.lazy.filter { $0.mode == .annotate }.flatMap(\.uses)).sorted()
    return uses.isEmpty ? nil : uses.map(\.name).joined(separator: ", ")
  }

  /// The log entry of the decision on this request.
  ///
  /// - Parameter refusal: nil for a request that is let through.
  func decisionEntry(moment: Moment, verdict: String, refusal: Refusal?, assessment: Assessment?, at now: Timestamp) -> LogEntry {
    var fields: [JSONMember] = [
      JSONMember("id", .string(self.decision.description)), JSONMember("moment", .string(moment.rawValue)),
      JSONMember("verdict", .string(verdict)), JSONMember("customer", .string(self.caller.customer.id.description)),
      JSONMember("key", .string(self.caller.key.id.description)), JSONMember("model", .string(self.model.id.name)),
      JSONMember("usage", .string(self.usage.description)),
    ]
    if let standing = self.standing { fields.append(JSONMember("standing", .string(standing.id.description))) }
    if let purpose = self.call.declaredPurpose { fields.append(JSONMember("declared_purpose", .string(purpose))) }
    if let refusal { fields.append(contentsOf: Self.refusalFields(refusal)) }
    if let assessment { fields.append(JSONMember("acceptable_use", Self.findings(assessment))) }
    if let encoding = self.encoding { fields.append(JSONMember("encoder", encoding.json)) }
    if let opinion = self.opinion { fields.append(JSONMember("second_opinion", opinion.json)) }
    if let conduct = self.conduct, !conduct.exemptions.isEmpty {
      fields.append(JSONMember("exemptions", .array(conduct.exemptions.map { .string($0.description) })))
    }
    if let tag = self.promptTag { fields.append(JSONMember("prompt_tag", .string(tag.hexadecimal))) }
    return LogEntry(.decision, at: now, fields, lookup: Self.lookup(self.decision, moment))
  }

  /// Under what a decision on the prompt, and one on the answer to it, is found again.
  static func lookup(_ decision: DecisionID, _ moment: Moment) -> String {
    moment == .response ? "\(decision)/response" : decision.description
  }

  /// Under what is found again what was said of a request when it was over.
  static func sampleLookup(_ decision: DecisionID) -> String { "\(decision)/sample" }

  private static func refusalFields(_ refusal: Refusal) -> [JSONMember] {
    var fields = [JSONMember("code", .string(refusal.code.rawValue))]
    guard let citation = refusal.citation else { return fields }
    fields.append(JSONMember("terms", .string(citation.terms.name)))
    fields.append(JSONMember("clause", .string(citation.clause)))
    fields.append(JSONMember("ref", .string(citation.ref)))
    if let fact = citation.fact { fields.append(JSONMember("fact", .string(fact))) }
    if let state = citation.state { fields.append(JSONMember("state", .string(state))) }
    return fields
  }

  /// Rule ids, uses and offsets, scores in thousandths as integers: the log has no fractions.
  private static func findings(_ assessment: Assessment) -> JSON {
    let rules = assessment.rules.map { hit -> JSON in
      [
        "rule": .string(hit.ruleID), "pack": .string(hit.packID), "mode": .string(hit.mode.rawValue),
        "uses": .array(hit.uses.map { .string($0.name) }), "score_milli": .integer(hit.score),
        "offset": .integer(hit.spanOffset), "length": .integer(hit.spanLength),
        "pack_sha256": .string(hit.packDigest.hexadecimal),
      ]
    }
    var members = [
      JSONMember("flagged", .bool(assessment.flagged)), JSONMember("score_milli", .integer(assessment.score)),
      JSONMember("scanned_bytes", .integer(assessment.scannedBytes)), JSONMember("rules", .array(rules)),
      JSONMember("transforms", .array(assessment.transforms.names.map(JSON.string))),
    ]
    if let classifier = assessment.classifier {
      members.append(
        JSONMember(
          "classifier",
          [
            "score_milli": .integer(classifier.score / 1000),
            "heads_milli": .array(classifier.heads.map { .integer($0 / 1000) }),
          ]))
      if let logit = classifier.encoderLogit { members.append(JSONMember("encoder_logit_milli", .integer(logit))) }
    }
    return .object(members)
  }
}
