internal import AuditSigning
internal import Documents
internal import Glibc
internal import GovernanceTypes
internal import LicenseTerms
internal import YAMLDocuments

// One line for each number that is promised of license decisions:
//
//   terms-bench [PARTIES]     run in the folder that holds Licenses/ and Jurisdictions/; 10,000 parties where none is given
//
// Each figure is processor time, the best of several runs: a busy machine shows least in it. Term files are loaded on all cores, and
// their time is also that on the clock.
@main
enum TermsBench {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard let parties = arguments.count > 1 ? Int(arguments[1]) : 10_000, (1...1_000_000).contains(parties) else {
      say("usage: terms-bench [PARTIES]")
      exit(2)
    }
    let texts = try TermFolder.texts(["Licenses", "Jurisdictions"])
    let files = try loading(texts)
    let scene = Scene(files, parties: parties)
    standings(scene)
    requests(scene)
    try await gateLookUps(files, at: scene.time)
  }

  /// From bytes in memory to term files with their digests: the cold start of all that ships.
  private static func loading(_ texts: [[UInt8]]) throws -> [TermFile] {
    let bytes = texts.reduce(0) { $0 + $1.count }
    let parsing = try best(of: 9) { for text in texts { _ = try Document.parseYAML(text) } }
    let all = try best(of: 9) { _ = try texts.map(termFile) }
    let loading = bestOnClock(of: 9) { loadOnAllCores(texts) }
    say(
      "load \(texts.count) term files (\(bytes) bytes): \(milliseconds(loading)) on the clock, \(milliseconds(all)) on one core, of "
        + "which YAML \(milliseconds(parsing))")
    return try texts.map(termFile)
  }

  private static func standings(_ scene: Scene) {
    let request = scene.request(scene.models[0], scene.parties[0])
    var verdicts = 0
    let single = best(of: 9) { for _ in 0..<200 { verdicts += standing(of: request).verdict == .allow ? 1 : 0 } } / 200
    say("one standing from nothing (operator and party): \(microseconds(single))")
    let plans = best(of: 9) { for model in scene.models { _ = StandingPlan(scene.request(model, scene.parties[0])) } }
    say("plans of \(scene.models.count) models: \(milliseconds(plans))")
    var allowed = 0
    let recompute = best(of: 3) {
      allowed = 0
      for model in scene.models {
        let plan = StandingPlan(scene.request(model, scene.parties[0]))
        for party in scene.parties { allowed += plan.standing(of: party).verdict == .allow ? 1 : 0 }
      }
    }
    let count = scene.models.count * scene.parties.count
    say(
      "recompute \(scene.parties.count) parties × \(scene.models.count) models: \(milliseconds(recompute)), "
        + "\(microseconds(recompute / Double(count))) each, \(allowed) of \(count) allow")
    guard verdicts >= 0 else { return }
    lookUps(scene)
  }

  /// The look-up by itself: a dictionary by customer and model, and whether the verdict still holds.
  private static func lookUps(_ scene: Scene) {
    var known: [Key: Standing] = [:]
    for model in scene.models.indices {
      let plan = StandingPlan(scene.request(scene.models[model], scene.parties[0]))
      for party in scene.parties.prefix(1000).indices {
        known[Key(party: party, model: model)] = plan.standing(of: scene.parties[party])
      }
    }
    let parties = min(1000, scene.parties.count)
    var allowed = 0
    let time = best(of: 9) {
      for index in 0..<100_000 {
        let key = Key(party: index &* 7919 % parties, model: index % scene.models.count)
        if let standing = known[key], standing.isCurrent(at: scene.time), standing.verdict == .allow { allowed += 1 }
      }
    }
    say("look-up of a standing among \(known.count): \(microseconds(time / 100_000)) (\(allowed / 9) of 100000 allow)")
  }

  private static func requests(_ scene: Scene) {
    let facts = FactSheet([
      Fact(key: "request.use_findings", value: .set([]), source: .rule, reference: "dec", recordedAt: scene.time),
      Fact(key: "request.region", value: .region("DE"), source: .request, reference: "dec", recordedAt: scene.time),
    ])
    for model in scene.models.prefix(3) {
      let standing = standing(of: scene.request(model, scene.parties[0]))
      var allowed = 0
      let time = best(of: 9) {
        for _ in 0..<1000 { allowed += standing.verdict(for: facts, at: scene.time).verdict == .allow ? 1 : 0 }
      }
      say("request under \(model.id): \(microseconds(time / 1000)) (\(allowed > 0 ? "allow" : "refuse"))")
    }
  }
}

private struct Key: Hashable {
  let party: Int
  let model: Int
}

/// Parties with what is asked of them on record; every tenth lacks one record.
private struct Scene {
  let models: [TermFile]
  let parties: [Party]
  let operatorFacts: FactSheet
  let time = Timestamp(seconds: 1_795_392_000)  // 2026-11-23

  init(_ files: [TermFile], parties count: Int) {
    let wanted = [
      "llama-2", "llama-3.1", "llama-3.3", "gemma", "qwen-2024", "deepseek-1.0", "stability-community", "dbrx", "yi-2.1",
      "nvidia-open-model",
    ]
    let models = wanted.compactMap { name in files.first { $0.id.name == name } }
    var party: [Fact] = []
    var operatorFacts: [Fact] = []
    // What is asked for is recorded until nothing is asked for.
    for model in models {
      for _ in 0..<6 {
        let request = StandingRequest(
          party: Party(id: "cus_0", facts: FactSheet(party)), operator: FactSheet(operatorFacts),
          model: GovernedModel(name: "m", facts: .empty), terms: [model], at: self.time)
        for row in standing(of: request).missing {
          guard let value = row.suitable, let declaration = model.declaration(forExternalKey: row.fact) else { continue }
          let source = declaration.sources.sorted { $0.rawValue < $1.rawValue }.first { $0 != .measured } ?? .measured
          let fact = Fact(
            key: row.fact, value: value, source: source, reference: "att", recordedAt: self.time,
            acceptedDigest: model.documentsDigest)
          if row.subject == .operator { operatorFacts.append(fact) } else { party.append(fact) }
        }
      }
    }
    self.models = models
    self.operatorFacts = FactSheet(operatorFacts)
    self.parties = (0..<count).map { index in
      Party(
        id: "cus_\(index)", facts: FactSheet(index % 10 == 9 ? party.filter { $0.key != party[index % party.count].key } : party))
    }
  }

  func request(_ model: TermFile, _ party: Party) -> StandingRequest {
    StandingRequest(
      party: party, operator: self.operatorFacts, model: GovernedModel(name: "m", facts: .empty), terms: [model], at: self.time)
  }
}
