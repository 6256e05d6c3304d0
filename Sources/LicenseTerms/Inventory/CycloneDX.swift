public import Documents
public import GovernanceTypes

/// A model as it is served, for an inventory: its digests, the term files of its lineage, and the standings that rest on them.
public struct InventoryModel: Sendable {
  public var name: String
  /// SHA-256 of the weights, where they are on this machine.
  public var weights: [Digest]
  public var terms: [TermFile]
  /// Who may use the model, and by what records.
  public var standings: [Entry]

  public struct Entry: Sendable {
    /// The party's id.
    public var party: String
    public var standing: Standing

    public init(party: String, standing: Standing) {
      self.party = party
      self.standing = standing
    }
  }

  public init(name: String, weights: [Digest], terms: [TermFile], standings: [Entry]) {
    self.name = name
    self.weights = weights
    self.terms = terms
    self.standings = standings
  }
}

/// A bill of materials of models by CycloneDX 1.6: licenses, digests, and what was declared of them.
///
/// Each term file is a standard with its clauses as requirements; each record that a standing used is evidence; each clause of a
/// standing is a claim with its conformance; each standing is an attestation by the operator. Pure: the serial number and the time
/// come in. O(models × standings × clauses).
public struct CycloneDX: Sendable {
  public static let specification = "1.6"

  private let `operator`: String
  private let models: [InventoryModel]

  public init(operator: String, models: [InventoryModel]) {
    self.operator = `operator`
    self.models = models
  }

  /// - Parameters:
  ///   - serial: Sixteen bytes for the document's UUID (RFC 9562, version 8 is stamped on them); any fewer are taken as zero.
  ///   - version: Counts the revisions of one serial number from 1.
  public func json(serial: [UInt8], version: Int, at time: Timestamp) -> JSON {
    let files = self.files
    return [
      "bomFormat": "CycloneDX",
      "specVersion": .string(Self.specification),
      "serialNumber": .string("urn:uuid:\(uuid(serial))"),
      "version": .integer(version),
      "metadata": [
        "timestamp": .string(time.description),
        "manufacturer": ["name": .string(self.operator)],
      ],
      "components": .array(self.models.map { self.component($0) }),
      "definitions": ["standards": .array(files.map { self.standard($0) })],
      "declarations": self.declarations,
    ]
  }

  /// Each term file once.
  private var files: [TermFile] {
    var seen: Set<TermFileID> = []
    return self.models.flatMap(\.terms).filter { seen.insert($0.id).inserted }.sorted { $0.id < $1.id }
  }

  private func component(_ model: InventoryModel) -> JSON {
    [
      "type": "machine-learning-model",
      "bom-ref": .string(Self.reference(model)),
      "name": .string(model.name),
      "hashes": .array(model.weights.map { ["alg": "SHA-256", "content": .string($0.hexadecimal)] }),
      "licenses": .array(model.terms.sorted { $0.id < $1.id }.map { self.license($0, of: model) }),
    ]
  }

  private func license(_ file: TermFile, of model: InventoryModel) -> JSON {
    var license: [JSONMember] = []
    if let id = file.identifiers.spdx.first {
      license.append(JSONMember("id", .string(id)))
    } else {
      license.append(JSONMember("name", .string(file.title)))
    }
    license.append(JSONMember("bom-ref", .string("license:\(model.name):\(file.id)")))
    license.append(JSONMember("acknowledgement", "concluded"))
    if let url = file.documents.first?.url { license.append(JSONMember("url", .string(url))) }
    if let licensor = file.licensors.last?.name {
      license.append(
        JSONMember(
          "licensing",
          [
            "licensor": ["organization": ["name": .string(licensor)]],
            "licensee": ["organization": ["name": .string(self.operator)]],
            "licenseTypes": .array([.string(file.isMetered ? "custom-metric" : "other")]),
          ]))
    }
    license.append(
      JSONMember(
        "properties",
        .array([
          Self.property("terms", file.id.name), Self.property("terms:revision", "\(file.revision)"),
          Self.property("terms:sha256", file.digest.hexadecimal),
        ])))
    return ["license": .object(license)]
  }

  private func standard(_ file: TermFile) -> JSON {
    [
      "bom-ref": .string("terms:\(file.id)"),
      "name": .string(file.title),
      "version": .string("\(file.revision)"),
      "description": .string(file.reading?.note ?? "A reading in our own words; the text governs."),
      "requirements": .array(
        file.clauses.map { clause in
          [
            "bom-ref": .string(Self.reference(file.id, clause.id)), "identifier": .string(clause.ref),
            "title": .string(clause.id), "text": .string(clause.summary),
          ]
        }),
    ]
  }

  static func property(_ name: String, _ value: String) -> JSON {
    ["name": .string("weighbridge:\(name)"), "value": .string(value)]
  }

  static func reference(_ model: InventoryModel) -> String { "model:\(model.name)" }
  static func reference(_ file: TermFileID, _ clause: String) -> String { "terms:\(file)#\(clause)" }
}

extension CycloneDX {
  private var declarations: JSON {
    var evidence = EvidenceList()
    var claims: [JSON] = []
    var attestations: [JSON] = []
    for model in self.models {
      for entry in model.standings {
        let results = entry.standing.clauses.filter { $0.kind != .information && $0.kind != .grant }
        claims += results.map { self.claim($0, model, entry, &evidence) }
        attestations.append(self.attestation(results, model, entry))
      }
    }
    return [
      "assessors": [
        ["bom-ref": "assessor:operator", "thirdParty": .bool(false), "organization": ["name": .string(self.operator)]]
      ],
      "attestations": .array(attestations),
      "claims": .array(claims),
      "evidence": .array(evidence.items),
    ]
  }

  private func attestation(_ results: [ClauseResult], _ model: InventoryModel, _ entry: InventoryModel.Entry) -> JSON {
    let until = entry.standing.until.map { ", valid until \($0)" } ?? ""
    return [
      "summary": .string(
        "\(entry.party) and \(model.name), \(entry.standing.action.rawValue): \(entry.standing.verdict.rawValue) at \(entry.standing.time)\(until)"
      ),
      "assessor": "assessor:operator",
      "map": .array(
        results.map { result in
          [
            "requirement": .string(Self.reference(result.termFile, result.clause)),
            "claims": .array([.string(Self.reference(result, model, entry))]),
            "conformance": [
              "score": .integer(result.truth == .true || result.state == .exempt || result.state == .cured ? 1 : 0),
              "rationale": .string(Self.rationale(result)),
            ],
          ]
        }),
    ]
  }

  private static func rationale(_ result: ClauseResult) -> String {
    let reading = result.isVerified ? "" : " The reading of this clause is not verified."
    return "\(result.effect.rawValue), state \(result.state.rawValue).\(result.remedy.map { " \($0)" } ?? "")\(reading)"
  }

  private func claim(
    _ result: ClauseResult, _ model: InventoryModel, _ entry: InventoryModel.Entry, _ evidence: inout EvidenceList
  ) -> JSON {
    let references = result.facts.filter { $0.value != nil }.map { evidence.reference($0) }
    var members = [
      JSONMember("bom-ref", .string(Self.reference(result, model, entry))),
      JSONMember("target", .string(Self.reference(model))),
      JSONMember("predicate", .string("\(result.party) complies with \(result.termFile), \(result.ref)")),
    ]
    if !references.isEmpty { members.append(JSONMember("evidence", .array(references.map(JSON.string)))) }
    return .object(members)
  }

  /// A party's result of a clause for a model; the operator's stands once for each party it was judged with.
  private static func reference(_ result: ClauseResult, _ model: InventoryModel, _ entry: InventoryModel.Entry) -> String {
    "claim:\(model.name):\(entry.party):\(result.party):\(result.termFile)#\(result.clause)"
  }
}

/// Each record once, however many clauses rest on it.
private struct EvidenceList {
  private(set) var items: [JSON] = []
  private var known: [UsedFact: String] = [:]

  mutating func reference(_ fact: UsedFact) -> String {
    if let known = self.known[fact] { return known }
    let reference = "evidence:\(self.items.count + 1)"
    self.known[fact] = reference
    let origin = [fact.source?.rawValue, fact.reference].compactMap { $0 }.joined(separator: " ")
    self.items.append([
      "bom-ref": .string(reference),
      "propertyName": .string("weighbridge:fact:\(fact.key)"),
      "description": .string("\(fact.key) of \(fact.subject) is \(fact.value ?? "not known") (\(origin))"),
      "data": [
        [
          "name": .string(fact.key),
          "contents": ["attachment": ["contentType": "text/plain", "content": .string(fact.value ?? "")]],
        ]
      ],
    ])
    return reference
  }
}

extension TermFile {
  /// A limit on a count or an amount stands in the file.
  fileprivate var isMetered: Bool { self.clauses.contains { $0.predicates.contains { !$0.thresholds.isEmpty } } }
}

/// Sixteen bytes in the form of a UUID of version 8.
private func uuid(_ bytes: [UInt8]) -> String {
  var bytes = Array((bytes + [UInt8](repeating: 0, count: 16)).prefix(16))
  bytes[6] = bytes[6] & 0x0F | 0x80
  bytes[8] = bytes[8] & 0x3F | 0x80
  let digits = Array("0123456789abcdef".unicodeScalars)
  var text = ""
  for (index, byte) in bytes.enumerated() {
    if [4, 6, 8, 10].contains(index) { text += "-" }
    text.unicodeScalars.append(digits[Int(byte >> 4)])
    text.unicodeScalars.append(digits[Int(byte & 15)])
  }
  return text
}
