import Documents
import GovernanceTypes
import YAMLDocuments

@testable import AcceptableUse

/// A digest that is good enough to tell packs apart in a test.
let testDigest: DigestFunction = { bytes in
  var words: [UInt64] = [1, 2, 3, 4]
  for byte in bytes { for index in words.indices { words[index] = (words[index] ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 } }
  let spread = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) } }
  guard let digest = Digest(spread) else { preconditionFailure("32 bytes make a digest") }
  return digest
}

/// A small pack of harmless words, so that tests read plainly: the forbidden thing is the purple widget.
let widgetPack = """
  schema: weighbridge/rule-pack/v1
  id: widgets
  version: "7"
  policy: widget-law
  lists:
    ask: [how to, how do i, how can i, ways to, steps to, help me, i want to, guide to]
    build: [build, make, assemble]
  rules:
    - id: widget-building
      uses: [1a, 2b]
      severity: high
      mode: enforce
      score: 900
      direction: [prompt, response]
      near:
        - {all: [["<ask> <build>"], [purple widget, purple widgets]], within: 4, ordered: true}
      unless: [museum, not to]
      unless_within: 6
      examples: {match: [how do I build a purple widget], clear: [a purple widget, how do I build a purple widget for the museum]}
    - id: gizmo
      uses: [1a]
      severity: critical
      mode: enforce
      score: 800
      direction: [prompt, response]
      phrases: [forbidden gizmo]
      examples: {match: [the forbidden gizmo], clear: [a gizmo that is forbidden]}
    - id: trinket
      uses: [3c]
      severity: low
      mode: shadow
      score: 500
      direction: [prompt, response]
      phrases: [shiny trinket]
      examples: {match: [one shiny trinket], clear: [one trinket]}
    - id: prompt-only
      uses: ["4"]
      severity: low
      mode: annotate
      score: 100
      direction: [prompt]
      near:
        - {all: [[red], [green], [blue]], within: 5}
      examples: {match: [green and red and blue], clear: [red and green, red one two three four five six green blue]}
  """

func pack(_ yaml: String) throws -> RulePack { try RulePack(try Document.parseYAML(yaml), digest: testDigest) }
func widgetPolicy() throws -> AcceptableUsePolicy { try AcceptableUsePolicy(packs: [try pack(widgetPack)]) }

/// Sebastiano Vigna's SplitMix64.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var z = self.state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// RFC 4648, section 4.
func base64(_ text: String) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  let bytes = Array(text.utf8)
  var output = ""
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = Array(bytes[start..<min(start + 3, bytes.count)])
    let padded = group + Array(repeating: 0, count: 3 - group.count)
    let value = Int(padded[0]) << 16 | Int(padded[1]) << 8 | Int(padded[2])
    for index in 0..<4 { output.append(index <= group.count ? alphabet[value >> (18 - 6 * index) & 63] : "=") }
  }
  return output
}
