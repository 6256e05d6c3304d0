import Documents
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

/// Made-up licenses with what the real ones of the field ask for beyond the shipped one.
@Suite("Licenses of other shapes need no other code")
struct OtherLicenseTests {
  private static let capped = """
    schema: model-terms/1
    id: capped
    revision: 3
    title: A license with running caps, a territory, a display duty and no hosting
    status: in-force
    documents: [{role: license, name: LICENSE, url: "https://example.org/license", mutable: false}]
    interpretations: {}
    facts:
      party.commercial_use: {type: bool, subject: party, source: [attestation], statement: The party uses the model commercially.}
      party.mau: {type: count, subject: party, source: [attestation, measured], period: calendar_month, zone: "+08:00",
          statement: Users last month.}
      product.revenue: {type: money, currency: USD, subject: product, source: [attestation], period: calendar_month,
          statement: Revenue last month.}
      party.revenue: {type: money, currency: USD, subject: party_and_affiliates, source: [attestation],
          statement: Annual revenue.}
      party.region: {type: region, subject: party, source: [config, attestation], statement: Where the party is.}
      party.sector: {type: enum, values: [research, software_provider, cloud_provider, other], subject: party,
          source: [attestation], statement: The sector.}
      party.contract: {type: bool, subject: party, source: [attestation], statement: The contract passes the limits on.}
      request.region: {type: region, subject: request, source: [request]}
      model.modalities: {type: set, values: [text, image, audio], subject: model, source: [measured]}
    clauses:
      - {id: grant, ref: "1", kind: grant, summary: May be used., actions: [use, reproduce, modify]}
      - id: cap
        ref: "4"
        kind: condition
        summary: At most 100 million users in the preceding month, for commercial users.
        binds: [customer]
        when: {fact: party.commercial_use, is: true}
        require: {threshold: {metric: monthly_active_users, fact: party.mau, entities: {include: [licensee]},
            products: any_one, period: {unit: calendar_month, anchor: rolling}, limit: {at_most: 100000000}}}
        on_unknown: require_record
      - id: display
        ref: "5"
        kind: obligation
        summary: Large products show the name.
        binds: [customer]
        moments: [onboard, response]
        when: {all: [{fact: party.commercial_use, is: true}, {threshold: {metric: revenue, currency: USD,
            fact: product.revenue, entities: {include: [product]}, period: {unit: calendar_month, anchor: rolling},
            limit: {above: "20000000.00"}}}]}
        duty: {do: display, text: Example, where: [ui]}
      - id: revenue
        ref: "3"
        kind: termination
        summary: Ends above a million of revenue.
        binds: [customer]
        when: {threshold: {metric: revenue, fact: party.revenue, entities: {include: [licensee, affiliates],
            control_over: 0.5}, period: {unit: calendar_year, anchor: any_time}, limit: {above: "1000000.00"}}}
        effect: deny
      - id: territory
        ref: "6"
        kind: condition
        summary: Not in the Union or Korea.
        binds: [customer]
        require: {all: [{not: {fact: party.region, in: [EU, KR]}}, {not: {fact: request.region, in: [EU, KR]}}]}
      - id: sector
        ref: "7"
        kind: condition
        summary: No providers.
        binds: [customer]
        require: {not: {fact: party.sector, in: [software_provider, cloud_provider]}}
      - id: images
        ref: "8"
        kind: condition
        summary: Image models need approval.
        binds: [customer]
        when: {fact: model.modalities, intersects: [image]}
        require: {exception: approval}
        on_unknown: deny
      - id: hosting
        ref: "9"
        kind: prohibition
        summary: No hosting without permission.
        binds: [operator]
        forbids: {action: host, unless: {exception: permission}}
        on_unknown: deny
      - id: contract
        ref: "10"
        kind: obligation
        summary: Recipients are bound by contract.
        binds: [customer]
        moments: [onboard]
        duty: {do: bind_recipient, document: license, fact: party.contract, blocking_at: [onboard]}
    sections: ["1", "3", "4", "5", "6", "7", "8", "9", "10"]
    exceptions:
      - {id: approval, ref: "8"}
      - {id: permission, ref: "9"}
    """

  private static let law = """
    schema: model-terms/1
    id: local-law
    revision: 1
    title: A country's law on generated content
    status: in-force
    facts:
      party.labels: {type: bool, subject: party, source: [attestation], statement: Content is labelled.}
    clauses:
      - {id: label, ref: art. 1, kind: condition, summary: Label it., binds: [customer], require: {fact: party.labels, is: true}}
    sections: [art. 1]
    """

  private static let given = """
    schema: decision-table/1
    terms: [capped]
    date: 2026-11-23
    model: m
    given:
      customer:
        party.commercial_use: true
        party.mau: {upper: 100000000}
        product.revenue: {upper: "20000000.00"}
        party.revenue: "1000000.00"
        party.region: US
        party.sector: other
        party.contract: true
      model: {model.modalities: [text]}
    """

  private func table(_ cases: String) throws -> [DecisionTable.Failure] {
    let files = try [Self.capped, Self.law].map { try TestFiles.termFile(text: $0) }
    return try DecisionTable(Document.parseYAML(Self.given + "\ncases:\n" + cases), terms: files).run()
  }

  @Test("rolling caps, amounts, territories, sectors, approvals, hosting, contracts")
  func shapes() throws {
    let cases = """
      - {name: at every limit, request: {request.region: US}, expect: {verdict: allow, missing: {}}}
      - {name: one user more, customer: {party.mau: 100000001}, expect: {verdict: deny, clause: cap}}
      - {name: not commercial, customer: {party.commercial_use: false, party.mau: 100000001}, expect: {verdict: allow}}
      - {name: perhaps commercial but small, customer: {party.commercial_use: null}, expect: {verdict: allow}}
      - {name: perhaps commercial, customer: {party.commercial_use: null, party.mau: null}, expect: {verdict: require_record,
          clause: cap, missing: {customer: [party.commercial_use, party.mau.2026-10]}}}
      - {name: last month only, customer: {party.mau: null, party.mau.2026-09: {upper: 5}}, expect: {verdict: require_record,
          clause: cap, fact: party.mau.2026-10}}
      - {name: a cent more shows the name, customer: {product.revenue: '20000000.01'}, expect: {verdict: allow,
          duties: [display]}}
      - {name: unknown revenue, customer: {product.revenue: null}, expect: {verdict: require_record, clause: display,
          remedy: 'at most 20000000.00 USD'}}
      - {name: a nano more ends it, customer: {party.revenue: '1000000.000000001'}, expect: {verdict: deny, clause: revenue,
          code: license_terminated}}
      - {name: in the Union, customer: {party.region: DE}, expect: {verdict: deny, clause: territory}}
      - {name: a small letter is a region too, customer: {party.region: de}, expect: {verdict: deny, clause: territory}}
      - {name: region unknown, customer: {party.region: null}, expect: {verdict: require_record, clause: territory,
          missing: {customer: [party.region]}}}
      - {name: a request from Korea, request: {request.region: KR}, expect: {verdict: deny, clause: territory}}
      - {name: a request from nowhere, request: {}, expect: {verdict: require_record, clause: territory,
          missing: {request: [request.region]}}}
      - {name: a request from Japan, request: {request.region: JP}, expect: {verdict: allow}}
      - {name: a provider, customer: {party.sector: cloud_provider}, expect: {verdict: deny, clause: sector}}
      - {name: sector unknown, customer: {party.sector: null}, expect: {verdict: require_record, clause: sector,
          remedy: 'with one of research, other'}}
      - {name: images unapproved, model: {model.modalities: [image, text]}, expect: {verdict: deny, clause: images}}
      - {name: images approved, model: {model.modalities: [image]}, exceptions: [{exception: approval, licensee: customer,
          from: 2026-01-01}], expect: {verdict: allow}}
      - {name: modality unknown, model: {model.modalities: null}, expect: {verdict: deny, clause: images, state: missing}}
      - {name: hosting, action: host, expect: {verdict: deny, clause: hosting}}
      - {name: hosting with permission, action: host, exceptions: [{exception: permission, licensee: operator,
          from: 2026-01-01}], expect: {verdict: allow}}
      - {name: an action nobody names, action: finetune, expect: {verdict: deny, clause: grant, remedy: 'No grant of'}}
      - {name: no contract, customer: {party.contract: null}, expect: {verdict: require_record, clause: contract}}
      - {name: the law of the land besides, terms: [capped, local-law], expect: {verdict: require_record, clause: label,
          missing: {customer: [party.labels]}}}
      - {name: both content, terms: [local-law, capped], customer: {party.labels: true}, expect: {verdict: allow}}
      - {name: the law alone grants nothing and denies nothing, terms: [local-law], customer: {party.commercial_use: null,
          party.mau: null, product.revenue: null, party.revenue: null, party.region: null, party.sector: null,
          party.contract: null, party.labels: true}, model: {model.modalities: null}, expect: {verdict: allow}}

      """
    for failure in try self.table(cases) { Issue.record("\(failure)") }
  }

  @Test("the month ends when it ends in the zone of the fact")
  func periodEnd() throws {
    let file = try TestFiles.termFile(text: Self.capped)
    let time = try #require(Timestamp("2026-11-30T15:59:59Z"))
    let facts = FactSheet([
      Fact(key: "party.commercial_use", value: .bool(true), source: .attestation, reference: "a", recordedAt: .init(seconds: 0))
    ])
    let question = StandingRequest(
      party: Party(id: "c", facts: facts), operator: .empty, model: GovernedModel(name: "m", facts: .empty), terms: [file],
      at: time)
    #expect(standing(of: question).until == Timestamp("2026-11-30T16:00:00Z"))
    #expect(standing(of: question).missing.map(\.fact).contains("party.mau.2026-10"))
    var later = question
    later.time = try #require(Timestamp("2026-11-30T16:00:00Z"))
    #expect(standing(of: later).missing.map(\.fact).contains("party.mau.2026-11"))
  }

  @Test(
    "a wrong expectation is reported, each kind of it",
    arguments: [
      "expect: {verdict: deny}", "expect: {verdict: allow, clause: cap}", "expect: {verdict: allow, state: missing}",
      "expect: {verdict: allow, missing: {customer: [party.mau.2026-10]}}", "expect: {verdict: allow, until: 2026-11-25}",
      "expect: {verdict: allow, recorded: [cap]}", "expect: {verdict: allow, lifted: [cap]}",
      "expect: {verdict: allow, duties: [display]}",
      "expect: {verdict: allow, findings: [1a]}", "expect: {verdict: allow, remedy: x}",
      "expect: {verdict: allow, code: license_terms}",
      "expect: {verdict: allow, subject: customer}", "expect: {verdict: allow, fact: party.mau}",
    ])
  func wrongExpectation(text: String) throws {
    #expect(try self.table("  - {name: wrong, \(text)}\n").count == 1)
  }

  @Test(
    "a table is read strictly",
    arguments: [
      ("{name: a, expect: {verdict: maybe}}", "'maybe' is none of"), ("{name: a}", "expect: is missing"),
      ("{name: a, expect: {verdict: allow, claus: x}}", "did you mean 'clause'?"),
      (
        "{name: a, customer: {party.mao: 1}, expect: {verdict: allow}}", "no term file reads this fact; did you mean 'party.mau'?"
      ),
      ("{name: a, customer: {party.mau: -1}, expect: {verdict: allow}}", "a whole number from 0"),
      ("{name: a, customer: {party.mau: {value: 1, source: event}}, expect: {verdict: allow}}", "is not taken from event"),
      ("{name: a, customer: {party.sector: bank}, expect: {verdict: allow}}", "'bank' is none of"),
      ("{name: a, customer: {party.region: XX}, expect: {verdict: allow}}", "ISO 3166"),
      ("{name: a, terms: [x], expect: {verdict: allow}}", "no term file 'x'"),
      ("{name: a, events: {customer: {moon: 2026-01-01}}, expect: {verdict: allow}}", "no event 'moon'"),
      (
        "{name: a, exceptions: [{exception: x, licensee: customer, from: 2026-01-01}], expect: {verdict: allow}}",
        "no exception 'x'"
      ),
      ("{name: a, expect: {verdict: allow}}\n  - {name: a, expect: {verdict: allow}}", "stands twice"),
      ("{name: a, date: soon, expect: {verdict: allow}}", "a date like"),
    ])
  func strictTable(item: String, message: String) throws {
    do {
      _ = try self.table("  - \(item)\n")
      Issue.record("'\(item)' was read")
    } catch let error as DocumentError {
      #expect(error.description.contains(message), "\(error)")
    }
  }
}
