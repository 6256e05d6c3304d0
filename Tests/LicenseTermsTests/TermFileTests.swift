import Documents
import Glibc
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

@Suite("Term files are read strictly")
struct TermFileTests {
  @Test("the shipped term file says what it is a reading of")
  func shipped() throws {
    let bytes = try TestFiles.bytes(TestFiles.terms)
    let file = try TestFiles.termFile(TestFiles.terms)
    #expect(file.id.name == "llama-2" && file.revision == 1)
    #expect(file.digest == sha256(bytes))
    #expect(file.documents.map(\.role) == ["license", "acceptable-use-policy"])
    #expect(file.uses.filter { !$0.isParent }.count == 25)
    #expect(file.uses.filter { $0.severity == .critical }.map(\.id) == ["1a-ii", "1a-iii", "2a", "2e"])
    #expect(file.identifiers.lineage == "llama-2")
    #expect(file.sectionCoverage.count == 47)
    #expect(file.sectionCoverage.allSatisfy { !$0.accountedBy.isEmpty })
    #expect(file.sectionCoverage.first { $0.section == "5.c" }?.accountedBy == ["5c-suit", "5c-indemnity"])
  }

  @Test("the texts that the reading names are recognised by their bytes", .enabled(if: SharedData.isAvailable, "no shared data"))
  func documents() throws {
    let file = try TestFiles.termFile(TestFiles.terms)
    let license = try #require(file.documents.first)
    let policy = try #require(file.documents.last)
    for name in ["LICENSE", "LICENSE.2023-07-18", "llama-models.LICENSE"] {
      let bytes = try TestFiles.bytes("\(SharedData.texts)/\(name)")
      #expect(license.matches(sha256(bytes)), "\(name)")
      #expect(license.accepted.contains { $0.digest == sha256(bytes) && $0.bytes == bytes.count })
      #expect(!policy.matches(sha256(bytes)))
      #expect(!license.matches(sha256(bytes + [0x0A])))
    }
    for name in ["USE_POLICY.md", "llama-models.USE_POLICY.md"] {
      #expect(policy.matches(sha256(try TestFiles.bytes("\(SharedData.texts)/\(name)"))), "\(name)")
    }
    // The attribution line is quoted in 1.b.iii, broken over lines.
    let text = String(decoding: try TestFiles.bytes("\(SharedData.texts)/LICENSE"), as: UTF8.self)
    let words = text.split { $0.isWhitespace }.joined(separator: " ")
    #expect(words.contains("\"\(try #require(file.notices.first).text)\""))
  }

  @Test("an acceptance is tied to the texts, not to our wording")
  func documentsDigest() throws {
    let text = String(decoding: try TestFiles.bytes(TestFiles.terms), as: UTF8.self)
    let file = try TestFiles.termFile(text: text)
    let reworded = try TestFiles.termFile(text: text.replacing("Delivered as is;", with: "As is;"))
    #expect(reworded.documentsDigest == file.documentsDigest && reworded.digest != file.digest)
    let other = try TestFiles.termFile(text: text.replacing("f28d0561", with: "f28d0562"))
    #expect(other.documentsDigest != file.documentsDigest)
  }

  @Test(
    "a mistake is refused with its line and its name",
    arguments: [
      ("kind: grant\n", "kind: gift\n", "'gift' is none of grant"),
      ("    ref: \"1.a\"\n", "    reff: \"1.a\"\n", "reff: is not a known key; did you mean 'ref'?"),
      ("    fee: none\n", "    fee: none\n    fees: none\n", "clauses[2].fees: is not a known key; did you mean 'fee'?"),
      ("revision: 1\n", "revision: one\n", "a whole number belongs here"),
      ("schema: model-terms/1", "schema: model-terms/2", "must be model-terms/1"),
      (
        "{fact: party.sanctions_clear, is: true}",
        "{fact: party.sanction_clear, is: true}",
        "did you mean 'party.sanctions_clear'?"
      ),
      ("{fact: party.sanctions_clear, is: true}", "{fact: party.sanctions_clear, is: yes}", "true or false belongs here"),
      ("{fact: party.sanctions_clear, is: true}", "{fact: party.sanctions_clear}", "exactly one of is, in, intersects"),
      ("{fact: party.received_as, is: integrated_end_user_product}", "{fact: party.received_as, is: integrated}", "is none of"),
      ("notice: attribution, check", "notice: atribution, check", "there is no notice 'atribution'; did you mean 'attribution'?"),
      ("document: license, to", "document: licence, to", "there is no document 'licence'; did you mean 'license'?"),
      (
        "    cured_by: separate-license\n\n  - id: 2-mau-ongoing",
        "    cured_by: separate\n\n  - id: 2-mau-ongoing",
        "no exception 'separate'"
      ),
      ("exempts: [2-mau, 2-mau-ongoing]", "exempts: [2-maux, 2-mau-ongoing]", "is no clause; did you mean '2-mau'?"),
      ("cures: [2-mau, 2-mau-ongoing]", "cures: [2-mau]", "does not list it under cures"),
      ("source: [attestation, screening]", "source: [attestation, screaming]", "did you mean 'screening'?"),
      ("  - id: 3-warranty", "  - id: 2-mau", "the id '2-mau' stands twice"),
      ("{id: 3b,", "{id: 3a,", "the id '3a' stands twice"),
      ("from: party.ip_suit_filed", "from: party.received_as", "must be a date"),
      ("{param: treat_cap_as_ongoing, is: true}", "{param: treat_cap, is: true}", "no interpretation 'treat_cap'"),
      ("{param: treat_cap_as_ongoing, is: true}", "{param: treat_cap_as_ongoing, is: 1}", "a value like false belongs here"),
      ("before: 2023-07-18, zone", "before: 2023-08-18, zone", "must end in .2023-07"),
      ("limit: {at_most: 700000000}", "limit: {at_most: 700000000, below: 2}", "exactly one of at_most, below, above"),
      ("limit: {at_most: 700000000}", "limit: {at_most: -1}", "a whole number from 0 belongs here"),
      ("limit: {at_most: 700000000}", "limit: {at_most: 1.5}", "a whole number from 0 belongs here"),
      ("        ongoing: false\n", "        ongoing: true\n", "contradicts the period's anchor"),
      ("in: [EEA, CH]", "in: [EEA, Swiss]", "a country code of ISO 3166-1 alpha-2"),
      ("in: [EEA, CH]", "in: [EEA, XX]", "a country code of ISO 3166-1 alpha-2"),
      ("  - \"1.b.iii\"\n", "  - \"1.b.iii\"\n  - \"1.b.vi\"\n", "no clause and no use accounts for '1.b.vi'"),
      ("sections: [acceptable-use-policy/3e]", "sections: [acceptable-use-policy/3x]", "is not listed under sections"),
      ("  model.files.notice: ", "  model.files.note: ", "there is no fact 'model.files.notice'"),
      ("notices:\n", "  party.unused: {type: bool, subject: party, source: [config]}\n\nnotices:\n", "no clause reads this fact"),
      ("facts:\n", "  unused: {default: 1, why: x}\nfacts:\n", "nothing depends on this interpretation"),
      ("    expires_days: 30\n", "    expires_days: 0\n", "it must be from 1 to 36500"),
      ("    on_unknown: require_record\n    notice", "    on_unknown: shrug\n    notice", "'shrug' is none of"),
      (
        "    on_false: deny\n    on_unknown: require_record\n    cured_by",
        "    on_unknown: allow\n    cured_by",
        "unknown is never a plain allow"
      ),
      (
        "    binds: [operator]\n    moments: [onboard, distribute]",
        "    moments: [onboard, distribute]",
        "is missing; obligation needs it"
      ),
      ("    effect: deny\n    duty", "    effect: deny\n    exempts: [2-mau]\n    duty", "has no meaning in termination"),
      ("    mutable: true ", "    mutable: false ", "goes together with mutable: true"),
      ("seen: [purpose]}", "seen: [purposes]}", "no place to see a use 'purposes'"),
      ("cleared_by: party.checks_age", "cleared_by: party.mau", "must be a boolean of a party"),
      (
        "mau_month_zone:              {default: UTC,",
        "mau_month_zone:              {default: CEST,",
        "UTC or an offset like +08:00"
      ),
      ("    absent: unspecified", "    absent: none", "'none' is none of"),
      ("sha256: f28d0561", "sha256: f28d056", "64 hexadecimal digits"),
      ("  - role: acceptable-use-policy\n", "  - role: license\n", "the role 'license' stands twice"),
    ])
  func mistakes(original: String, mistake: String, message: String) throws {
    let text = String(decoding: try TestFiles.bytes(TestFiles.terms), as: UTF8.self)
    let range = try #require(text.firstRange(of: original), "the term file no longer has '\(original)'")
    let broken = text.replacingCharacters(in: range, with: mistake)
    do {
      _ = try TestFiles.termFile(text: broken)
      Issue.record("'\(mistake)' was read")
    } catch let error as DocumentError {
      #expect(error.description.contains(message), "\(error)")
      let line = text[..<range.lowerBound].count { $0 == "\n" } + 1
      let isLocal = abs(error.position.line - line) <= 12
      let isElsewhere = error.field.isEmpty || Self.distant.contains { message.contains($0) }
      #expect(isLocal || isElsewhere, "line \(line): \(error)")
    }
  }

  /// Mistakes that show at another place than where they were made.
  private static let distant = [
    "does not list it", "accounts for", "is not listed", "stands twice", "UTC or an offset", "no interpretation",
    "there is no fact",
  ]

  @Test("facts are recorded under external keys")
  func externalKeys() throws {
    let file = try TestFiles.termFile(TestFiles.terms)
    let time = try #require(Timestamp("2026-11-30T23:30:00Z"))
    func key(_ name: String, _ parameters: [String: ParameterValue] = [:]) throws -> String {
      file.externalKey(for: try #require(file.facts.first { $0.key == name }), at: time, parameters: parameters)
    }
    #expect(try key("terms.accepted") == "terms.accepted.llama-2")
    #expect(try key("license.terminated_on") == "license.terminated_on.llama-2")
    #expect(try key("party.mau.2023-06") == "party.mau.2023-06")
    #expect(try key("party.mau") == "party.mau.2026-10")
    #expect(try key("party.mau", ["mau_month_zone": .text("+01:00")]) == "party.mau.2026-11")
    #expect(file.declaration(forExternalKey: "terms.accepted.llama-2")?.key == "terms.accepted")
    #expect(file.declaration(forExternalKey: "terms.accepted") == nil)
    #expect(file.declaration(forExternalKey: "terms.accepted.other") == nil)
    #expect(file.declaration(forExternalKey: "party.mau.2026-10")?.key == "party.mau")
    #expect(file.declaration(forExternalKey: "party.mau.2023-06")?.key == "party.mau.2023-06")
    #expect(file.declaration(forExternalKey: "party.mau.2026-13") == nil)
    #expect(file.declaration(forExternalKey: "party.mau") == nil)
  }

  @Test(
    "the operator's choices are read by name and type",
    arguments: [
      ("{treat_cap_as_ongoing: true, affiliate_control_over: 0.25}", nil),
      ("{mau_month_zone: '+08:00'}", nil),
      ("{mau_month_zone: CET}", "UTC or an offset"),
      ("{mau_products: some}", "'some' is none of all, using_the_model"),
      ("{treat_cap: true}", "is not a known key"),
      ("{treat_cap_as_ongoing: 'true'}", "a value like false belongs here"),
    ] as [(String, String?)])
  func choices(text: String, message: String?) throws {
    let file = try TestFiles.termFile(TestFiles.terms)
    let document = try Document.parseYAML(text)
    do throws(DocumentError) {
      _ = try file.parameterValues(document)
      #expect(message == nil)
    } catch {
      #expect(message.map { error.description.contains($0) } == true, "\(error)")
    }
  }
}

/// Data beside the repository that is not part of it.
enum SharedData {
  static let root: String = {
    if let path = getenv("WEIGHBRIDGE_SHARED") { return String(cString: path) }
    return "\(TestFiles.root)/../shared"
  }()
  static let texts = "\(root)/data/license-texts/llama-2"
  static let isAvailable = access("\(texts)/LICENSE", R_OK) == 0
}

extension String {
  fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
