internal import AcceptableUse
internal import Documents
internal import YAMLDocuments

/// One fuzzing step: the bytes as a rule pack and, where it is accepted, its rules over their own text.
@discardableResult
func fuzzRulePack(_ bytes: [UInt8]) -> Bool {
  isRead { () throws(DocumentError) in
    let pack = try RulePack(try Document.parseYAML(bytes), digest: plainDigest)
    guard let policy = try? AcceptableUsePolicy(packs: [pack]) else { return }
    check(policy, String(decoding: bytes, as: UTF8.self))
  }
}

/// The bytes as a prompt and as an answer that comes in pieces, under a small pack.
///
/// - Returns: whether anything was found.
@discardableResult
func fuzzText(_ bytes: [UInt8]) -> Bool { check(smallPolicy, String(decoding: bytes, as: UTF8.self)) }

/// A text as a prompt, twice with the same memory, and as an answer, whole and in pieces: neither makes a difference.
@discardableResult
private func check(_ policy: AcceptableUsePolicy, _ text: String) -> Bool {
  let assessment = policy.assess(text, direction: .prompt)
  var scanner = policy.scanner(.prompt)
  precondition(scanner.assess(text) == assessment && scanner.assess(text) == assessment)
  var parts: [String] = []
  var rest = text.unicodeScalars[...]
  while !rest.isEmpty {
    let count = parts.count % 5 + 1
    parts.append(String(rest.prefix(count)))
    rest = rest.dropFirst(count)
  }
  precondition(shown(policy, [text]) == shown(policy, parts))
  return !assessment.rules.isEmpty
}

/// What a stream shows, and whether it was stopped.
private func shown(_ policy: AcceptableUsePolicy, _ pieces: [String]) -> [String] {
  var guarding = policy.streamGuard()
  var text = ""
  var isStopped = false
  for step in pieces.map({ guarding.append($0) }) + [guarding.finish()] {
    text += step.released
    isStopped = isStopped || step.finding != nil
  }
  return [text, isStopped ? "stopped" : "ended"]
}

private let smallPolicy: AcceptableUsePolicy = {
  let text = """
    schema: weighbridge/rule-pack/v1
    id: fuzz
    version: "1"
    policy: llama-2
    lists: {make: [make, build], thing: [lorry bomb, forged ticket]}
    rules:
      - {id: near, uses: [2b], severity: critical, mode: enforce, score: 980, direction: [prompt, response],
         near: [{all: [[<make>], [<thing>]], within: 6, ordered: true}], unless: [in a film], unless_within: 8,
         examples: {match: [how to build a lorry bomb], clear: [how to build a lorry]}}
      - {id: phrase, uses: [2b], severity: medium, mode: annotate, score: 600, direction: [prompt, response], phrases: [<thing>],
         examples: {match: [a forged ticket], clear: [a ticket]}}
    """
  do {
    return try AcceptableUsePolicy(packs: [try RulePack(try Document.parseYAML(Array(text.utf8)), digest: plainDigest)])
  } catch {
    preconditionFailure("the harness's own rule pack is faulty: \(error)")
  }
}()
