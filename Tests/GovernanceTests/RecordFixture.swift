import AuditSigning
import Documents
import Governance
import GovernanceTypes
import Simulation
import Synchronization
import Testing

/// Terms that read what records and counting can say: a count that may be measured, with affiliates; a yes or no; a document that may
/// change; the place and the purpose of a request; an end.
enum RecordTerms {
  static let text = #"""
    {"schema":"model-terms/1","id":"test","revision":1,"title":"Test terms","status":"in-force",
     "reading":{"read_on":"2026-10-01","source":"a test"},"sections":["1","2","3","4","5"],
     "documents":[{"role":"policy","name":"POLICY","url":"https://example.org/policy","mutable":true,"review_every_days":90,
                   "accepted":[{"sha256":"\#(String(repeating: "ab", count: 32))","bytes":5,"from":"a test"}]}],
     "facts":{"party.users":{"statement":"The party and its affiliates have at most that many users.","type":"count","subject":"party_and_affiliates",
                             "source":["attestation","measured"],"bound":"upper","expires":"on_event","events":["affiliates.changed"]},
              "party.agrees":{"statement":"The party agrees.","type":"bool","subject":"party","source":["attestation"],"expires_days":30},
              "party.suit_filed":{"type":"date","subject":"party","source":["event"]},
              "request.declared_purpose":{"type":"enum","values":["inference","model_training"],"subject":"request","source":["request"],"absent":"inference"},
              "train.target_lineage":{"type":"text","subject":"request","source":["request"]}},
     "clauses":[
       {"id":"grant","ref":"1","kind":"grant","summary":"Use is granted.","actions":["use","host"]},
       {"id":"agree","ref":"2","kind":"condition","summary":"The party must agree.","binds":["customer"],"moments":["onboard","request"],
        "require":{"fact":"party.agrees","is":true},"on_false":"deny","on_unknown":"require_record"},
       {"id":"few","ref":"3","kind":"condition","summary":"At most a thousand users.","binds":["customer"],"moments":["onboard","request"],
        "require":{"threshold":{"metric":"monthly_active_users","fact":"party.users","entities":{"include":["licensee","affiliates"]},"products":"all",
                   "period":{"unit":"calendar_month","anchor":"any_time"},"limit":{"at_most":1000},"ongoing":true}},
        "on_false":"deny","on_unknown":"require_record"},
       {"id":"suit","ref":"4","kind":"termination","summary":"A suit ends it.","binds":["customer"],"moments":["event","request"],
        "when":{"fact":"party.suit_filed","present":true},"from":"party.suit_filed","effect":"deny"},
       {"id":"training","ref":"5","kind":"prohibition","summary":"No training of others.","binds":["customer"],"moments":["request","train"],
        "forbids":{"action":["train_on_output"],"declared_by":{"fact":"request.declared_purpose","is":"model_training"},
                   "unless":{"fact":"train.target_lineage","is":"test"}},"on_true":"deny","on_unknown":"require_record"}]}
    """#

  /// The same with a clause about the place of a request.
  static let placed = Self.text.replacing(
    #""facts":{"#, with: #""facts":{"request.region":{"type":"region","subject":"request","source":["request","config"]},"#
  ).replacing(
    #"{"id":"suit""#,
    with: #"""
      {"id":"place","ref":"4","kind":"condition","summary":"Not from France.","binds":["customer"],"moments":["request"],
       "require":{"not":{"fact":"request.region","in":["FR"]}},"on_false":"deny","on_unknown":"require_record"},
      {"id":"suit"
      """#)
}

extension GateFixture {
  /// A customer for whom all is on record.
  static func inGoodStanding(
    terms: String = RecordTerms.text, configure: (inout GateEnvironment) -> Void = { _ in }
  ) async throws -> GateFixture {
    let fixture = try await GateFixture(script: .init(tokens: ["a "]), terms: terms, configure: configure)
    try await fixture.attest("party.agrees", "true")
    try await fixture.attest("party.users", #"{"upper":3}"#)
    return fixture
  }

  /// The refusal of a call; nil where it is served.
  func refused(_ call: Call) async throws -> Refusal? {
    await refusal { _ = try await self.serve(call) }
  }

  /// Entries of the log of the kind that an act of administration has.
  func acts(_ name: String) -> [LogEntry] {
    self.journal.entries.filter { $0.type == .admin && $0.fields.contains(JSONMember("act", .string(name))) }
  }

  func post(_ json: String, _ act: (Document) async throws -> JSON) async throws -> JSON { try await act(Self.document(json)) }
}
