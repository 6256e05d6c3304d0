internal import ArgumentParser
internal import Documents
internal import GatewayApp

extension License {
  struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Say what the licenses of a model say of a customer: each clause, its facts and their sources, and what is missing.")
    @OptionGroup var gateway: GatewayOptions
    @Argument var customer: String
    @Argument var model: String
    @Option(help: "What the customer is to do, such as use, host, distribute or train_on_output.") var action: String?

    func run() async throws {
      let action = self.action.map { "&action=\($0)" } ?? ""
      let explanation = try await self.gateway.client.json(
        "GET", "/admin/v1/standing?subject=\(self.customer)&model=\(self.model)\(action)")
      Terminal.say(self.gateway.json ? explanation.text : Explanation(explanation).text)
    }
  }
}

/// An explanation in lines for people.
private struct Explanation {
  private let json: JSON

  init(_ json: JSON) { self.json = json }

  var text: String { (self.head + self.clauses + self.conflicts + self.missing).joined(separator: "\n") }

  private var head: [String] {
    let until = self.word(self.json["until"])
    let verdict = self.word(self.json["verdict"])
    var lines = ["verdict: \(verdict)" + (until.isEmpty ? "" : ", until \(until)")]
    switch verdict {
    case "allow": lines.append("Nothing on record stands in the way; a single request may still be refused for what it asks.")
    case "require_record": lines.append("Refused until the records under 'missing' are there; nothing on record forbids the use.")
    default: lines.append("Refused. Further records do not change it unless they correct the one that decides.")
    }
    if let deciding = self.json["decided_by"], deciding != .null {
      lines.append("decided by: \(self.word(deciding["terms"])) \(self.word(deciding["ref"]))\(self.parts(of: deciding))")
    }
    let affiliates = self.list("affiliates", of: self.json).map { self.word($0) }
    if !affiliates.isEmpty { lines.append("affiliates: \(affiliates.joined(separator: ", "))") }
    for parameter in self.list("parameters", of: self.json) where parameter["chosen"] == true {
      lines.append(
        "chosen: \(self.word(parameter["terms"])) \(self.word(parameter["name"])) = \(self.word(parameter["value"]))")
    }
    return lines
  }

  private var clauses: [String] {
    self.list("clauses", of: self.json).flatMap { clause -> [String] in
      let place = "\(self.word(clause["terms"])) \(self.word(clause["ref"]))"
      let state = "\(self.words(ofState: self.word(clause["state"]))) (\(self.word(clause["effect"])))"
      let id = "\(self.word(clause["clause"])), asked of \(self.word(clause["subject"]))\(self.parts(of: clause))"
      var lines = ["", "\(place) [\(id)]: \(state)"]
      lines.append("    \(self.word(clause["summary"]))")
      for fact in self.list("facts", of: clause) { lines.append("    \(self.line(of: fact))") }
      let because = self.word(clause["because"])
      if !because.isEmpty { lines.append("    because of \(because)") }
      let remedy = self.word(clause["remedy"])
      if !remedy.isEmpty { lines.append("    remedy: \(remedy)") }
      if clause["verified"] == false { lines.append("    not verified: this reading was not held against its source text") }
      return lines
    }
  }

  /// Of which part of the model the clause speaks, where it is not the base alone.
  private func parts(of clause: JSON) -> String {
    let parts = self.list("parts", of: clause).map { self.word($0) }
    return parts.isEmpty || parts == ["base"] ? "" : " about \(parts.joined(separator: " and "))"
  }

  private func words(ofState state: String) -> String {
    switch state {
    case "true": "complied with"
    case "false": "not complied with"
    case "missing": "nothing on record"
    case "expired": "the record has expired"
    case "not_tight_enough": "what is on record does not decide it"
    case "contradicted": "contradicted: what was stated and what was counted cannot both be true"
    case "not_applicable": "does not apply"
    case "exempt": "exempt"
    case "cured": "lifted by a grant"
    case "deferred": "decided at each request"
    case "dated": "begins on a later day"
    default: state
    }
  }

  /// `party.users of cus_… = at most 2, attestation att_… by E. Example (Counsel), verified: …`
  private func line(of fact: JSON) -> String {
    let value = self.word(fact["value"])
    var line = "\(self.word(fact["fact"])) of \(self.word(fact["subject"])) = \(value.isEmpty ? "not on record" : value)"
    let source = self.word(fact["source"])
    guard !source.isEmpty else { return line }
    line += ", \(source) \(self.word(fact["reference"]))"
    guard let record = self.list("records", of: self.json).first(where: { $0["id"] == fact["reference"] }) else { return line }
    if let signer = record["signer"] { line += " by \(self.word(signer["name"])) (\(self.word(signer["role"])))" }
    let verified = self.word(record["verified_signer"])
    if !verified.isEmpty { line += ", signature verified: \(verified)" }
    let expires = self.word(record["expires"])
    return expires.isEmpty ? line : line + ", until \(expires)"
  }

  private var conflicts: [String] {
    let lines = self.list("conflicts", of: self.json).map { conflict in
      "\(self.word(conflict["fact"])) of \(self.word(conflict["subject"])): \(self.word(conflict["decides"])) decides, "
        + "\(self.word(conflict["contradicts"])) says \(self.word(conflict["value"]))"
    }
    return lines.isEmpty ? [] : ["", "statements that contradict each other:"] + lines
  }

  private var missing: [String] {
    let rows = self.list("missing", of: self.json)
    guard !rows.isEmpty else { return [] }
    return ["", "missing:", Terminal.columns(["subject", "fact", "type", "terms", "ref", "state"], rows), ""]
      + rows.map { "\(self.word($0["fact"])): \(self.word($0["remedy"]))" }
  }

  private func list(_ key: String, of json: JSON) -> [JSON] { if case .array(let elements)? = json[key] { elements } else { [] } }

  private func word(_ json: JSON?) -> String {
    switch json {
    case nil, .null: ""
    case .string(let text): text
    case .some(let other): other.text
    }
  }
}
