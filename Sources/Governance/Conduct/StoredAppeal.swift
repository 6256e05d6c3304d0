internal import AcceptableUse
internal import Documents
internal import GovernanceTypes

/// An appeal with whose it is and which rules it is about, as stored.
struct StoredAppeal: Sendable {
  var appeal: Appeal
  var customer: CustomerID
  /// The enforced rules of the decision, as `pack/rule`: what is found wrong about it counts against them.
  var rules: [String]

  var json: JSON {
    guard case .object(let members) = self.appeal.json else { return self.appeal.json }
    return .object(
      members + [
        JSONMember("customer", .string(self.customer.description)), JSONMember("rules", .array(self.rules.map(JSON.string))),
      ])
  }

  init(_ appeal: Appeal, customer: CustomerID, rules: [String]) {
    self.appeal = appeal
    self.customer = customer
    self.rules = rules
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.customer = try reader.identifier("customer")
    self.rules = try reader.strings("rules")
    _ = try reader.string("object")
    let id = try reader.string("id")
    let decision = try reader.string("decision")
    let note = try reader.optionalString("note") ?? ""
    let raised = try reader.timestamp("raised_at")
    do {
      var appeal = try Appeal(id: id, decision: decision, note: note, at: raised)
      if try reader.string("status") == "closed" {
        let outcome: Appeal.Outcome = try reader.choice("outcome")
        try appeal.close(
          outcome, by: try reader.string("reviewer"), note: try reader.optionalString("outcome_note") ?? "",
          at: try reader.timestamp("closed_at"))
      }
      self.appeal = appeal
    } catch let error as AcceptableUseError {
      throw reader.failure("id", error.message)
    } catch let error as DocumentError {
      throw error
    } catch {
      throw reader.failure("id", "\(error)")
    }
    try reader.finish()
  }
}

/// A report that a violation calls for, as stored.
struct StoredIncident: Sendable {
  var report: IncidentReport
  var customer: CustomerID?

  var json: JSON {
    guard case .object(let members) = self.report.json else { return self.report.json }
    return .object(members + [JSONMember("customer", JSON(self.customer?.description))])
  }

  init(_ report: IncidentReport, customer: CustomerID?) {
    self.report = report
    self.customer = customer
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.customer = try reader.optionalIdentifier("customer")
    _ = try reader.string("object")
    var report = IncidentReport(
      id: try reader.string("id"), decision: try reader.string("decision"),
      uses: try reader.strings("uses").map(ProhibitedUseID.init), recipient: try reader.string("recipient"),
      dueBy: try reader.timestamp("due_by"))
    if try reader.string("status") == "sent" {
      guard let receipt = Digest(hexadecimal: try reader.string("receipt")) else {
        throw reader.failure("receipt", "64 hexadecimal digits belong here")
      }
      let at = try reader.timestamp("sent_at")
      let by = try reader.string("sent_by")
      do throws(AcceptableUseError) { try report.markSent(at: at, by: by, receipt: receipt) } catch {
        throw reader.failure("sent_by", error.message)
      }
    }
    self.report = report
    try reader.finish()
  }
}
