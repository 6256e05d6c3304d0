import Documents
import GovernanceTypes
import LicenseTerms
import Testing
import YAMLDocuments

/// The structure that CycloneDX 1.6 lays down, as far as the export uses it: members and their kinds, references, identifiers.
@Suite("Models as a CycloneDX 1.6 bill of materials")
struct CycloneDXTests {
  private func bom() throws -> (JSON, InventoryModel) {
    let llama = try TestFiles.termFile(TestFiles.terms)
    let apache = try TestFiles.termFile("Licenses/apache-2.0/terms.yaml")
    var random = RandomFacts(file: llama, generator: SplitMix64(seed: 7))
    let question = random.request(density: 9)
    let model = InventoryModel(
      name: "assistant", weights: [llama.digest], terms: [llama, apache],
      standings: [InventoryModel.Entry(party: "cus_random", standing: standing(of: question))])
    let second = InventoryModel(name: "helper", weights: [], terms: [apache], standings: [])
    let json = CycloneDX(operator: "Example GmbH", models: [model, second]).json(
      serial: Array(1...16), version: 3, at: RandomFacts.time)
    return (json, model)
  }

  @Test("the members are those of the specification, and no others")
  func structure() throws {
    let json = try self.bom().0
    try Shape.document.check(json, "$")
    #expect(json["bomFormat"] == "CycloneDX" && json["specVersion"] == "1.6" && json["version"] == .integer(3))
    #expect(json["serialNumber"] == "urn:uuid:01020304-0506-8708-890a-0b0c0d0e0f10")
    // What is written can be read back.
    #expect(JSON(try Document.parseJSON(json.canonicalBytes)).canonicalBytes == json.canonicalBytes)
  }

  @Test("every reference has one target, and none stands twice")
  func references() throws {
    let json = try self.bom().0
    var names: [String] = []
    var links: [String] = []
    self.walk(json, &names, &links)
    #expect(Set(names).count == names.count)
    #expect(Set(links).isSubset(of: names), "\(Set(links).subtracting(names))")
    #expect(links.count > 60)
  }

  private func walk(_ json: JSON, _ names: inout [String], _ links: inout [String]) {
    switch json {
    case .array(let items): for item in items { self.walk(item, &names, &links) }
    case .object(let members):
      for member in members {
        switch (member.key, member.value) {
        case ("bom-ref", .string(let name)): names.append(name)
        case ("requirement", .string(let link)), ("target", .string(let link)), ("assessor", .string(let link)):
          links.append(link)
        case ("claims", .array(let items)), ("evidence", .array(let items)):
          for case .string(let link) in items { links.append(link) }
          self.walk(member.value, &names, &links)
        default: self.walk(member.value, &names, &links)
        }
      }
    default: break
    }
  }

  @Test("models carry their digests and licenses; every clause judged is a claim with its conformance")
  func contents() throws {
    let (json, model) = try self.bom()
    guard case .array(let components)? = json["components"], case .array(let claims)? = json["declarations"]?["claims"],
      case .array(let attestations)? = json["declarations"]?["attestations"], case .array(let map)? = attestations.first?["map"]
    else {
      Issue.record("members are missing")
      return
    }
    #expect(components.map { $0["name"] } == ["assistant", "helper"])
    #expect(components.allSatisfy { $0["type"] == "machine-learning-model" })
    guard case .array(let licenses)? = components[0]["licenses"], case .array(let hashes)? = components[0]["hashes"] else {
      Issue.record("no licenses")
      return
    }
    #expect(licenses.map { $0["license"]?["id"] ?? $0["license"]?["name"] } == ["Apache-2.0", .string(model.terms[0].title)])
    #expect(hashes.first?["content"] == .string(model.weights[0].hexadecimal))
    let judged = model.standings[0].standing.clauses.filter { $0.kind != .information && $0.kind != .grant }
    #expect(claims.count == judged.count && map.count == judged.count)
    for (result, item) in zip(judged, map) {
      let isKept = result.truth == .true || result.state == .exempt || result.state == .cured
      #expect(item["conformance"]?["score"] == .integer(isKept ? 1 : 0), "\(result.clause)")
    }
  }
}

/// The members of an object of the specification, with what each may be.
private struct Shape {
  enum Kind {
    case text, flag, whole, score
    case texts
    case object(Shape)
    case list(Shape)
  }

  struct Mismatch: Error, CustomStringConvertible {
    let description: String
  }

  let required: [String]
  let members: [String: Kind]
  var oneOf: [String] = []

  func check(_ json: JSON, _ path: String) throws {
    guard case .object(let given) = json else { throw Mismatch(description: "\(path) is no object") }
    let keys = given.map(\.key)
    for key in self.required where !keys.contains(key) { throw Mismatch(description: "\(path).\(key) is missing") }
    if !self.oneOf.isEmpty, self.oneOf.filter(keys.contains).count != 1 {
      throw Mismatch(description: "\(path) needs exactly one of \(self.oneOf)")
    }
    for member in given {
      guard let kind = self.members[member.key] else { throw Mismatch(description: "\(path).\(member.key) is not in 1.6") }
      try Self.check(member.value, kind, "\(path).\(member.key)")
    }
  }

  private static func check(_ json: JSON, _ kind: Kind, _ path: String) throws {
    switch (kind, json) {
    case (.text, .string(let text)) where !text.isEmpty: return
    case (.flag, .bool), (.whole, .integer): return
    case (.score, .integer(let score)) where (0...1).contains(score): return
    case (.texts, .array(let items)):
      for item in items { try self.check(item, .text, path) }
    case (.object(let shape), _): try shape.check(json, path)
    case (.list(let shape), .array(let items)):
      for (index, item) in items.enumerated() { try shape.check(item, "\(path)[\(index)]") }
    default: throw Mismatch(description: "\(path) is \(json)")
    }
  }

  private static let organization = Shape(required: [], members: ["name": .text, "bom-ref": .text])
  private static let property = Shape(required: ["name"], members: ["name": .text, "value": .text])
  private static let holder = Shape(required: [], members: ["organization": .object(organization)], oneOf: ["organization"])
  private static let license = Shape(
    required: [],
    members: [
      "id": .text, "name": .text, "bom-ref": .text, "acknowledgement": .text, "url": .text, "properties": .list(property),
      "licensing": .object(
        Shape(required: [], members: ["licensor": .object(holder), "licensee": .object(holder), "licenseTypes": .texts])),
    ], oneOf: ["id", "name"])
  private static let component = Shape(
    required: ["type", "name"],
    members: [
      "type": .text, "bom-ref": .text, "name": .text,
      "hashes": .list(Shape(required: ["alg", "content"], members: ["alg": .text, "content": .text])),
      "licenses": .list(Shape(required: ["license"], members: ["license": .object(license)])),
    ])
  private static let standard = Shape(
    required: [],
    members: [
      "bom-ref": .text, "name": .text, "version": .text, "description": .text,
      "requirements": .list(
        Shape(required: [], members: ["bom-ref": .text, "identifier": .text, "title": .text, "text": .text])),
    ])
  private static let conformance = Shape(required: [], members: ["score": .score, "rationale": .text])
  private static let attachment = Shape(
    required: ["content"], members: ["contentType": .text, "encoding": .text, "content": .text])
  private static let declarations = Shape(
    required: [],
    members: [
      "assessors": .list(
        Shape(required: [], members: ["bom-ref": .text, "thirdParty": .flag, "organization": .object(organization)])),
      "attestations": .list(
        Shape(
          required: [],
          members: [
            "summary": .text, "assessor": .text,
            "map": .list(
              Shape(required: [], members: ["requirement": .text, "claims": .texts, "conformance": .object(conformance)])),
          ])),
      "claims": .list(
        Shape(required: [], members: ["bom-ref": .text, "target": .text, "predicate": .text, "evidence": .texts])),
      "evidence": .list(
        Shape(
          required: [],
          members: [
            "bom-ref": .text, "propertyName": .text, "description": .text,
            "data": .list(
              Shape(
                required: [],
                members: ["name": .text, "contents": .object(Shape(required: [], members: ["attachment": .object(attachment)]))])),
          ])),
    ])

  static let document = Shape(
    required: ["bomFormat", "specVersion"],
    members: [
      "bomFormat": .text, "specVersion": .text, "serialNumber": .text, "version": .whole,
      "metadata": .object(Shape(required: [], members: ["timestamp": .text, "manufacturer": .object(organization)])),
      "components": .list(component),
      "definitions": .object(Shape(required: [], members: ["standards": .list(standard)])),
      "declarations": .object(declarations),
    ])
}
