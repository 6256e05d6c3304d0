import Documents
import GovernanceTypes
import Testing

@testable import AuditTrail

private func isCanonical(_ bytes: [UInt8]) -> Bool {
  var line = CanonicalLine()
  return (try? line.scan(bytes, from: 0)) != nil
}

/// The same question answered by the parser and the writer of `Documents`, which share no code with the scanner.
private func isCanonicalByRewriting(_ bytes: [UInt8]) -> Bool {
  guard let document = try? Document.parseJSON(bytes), case .map = document.content else { return false }
  return JSON(document).canonicalBytes == bytes && isInSubset(document)
}

/// ASCII keys, and integers below 2^53.
private func isInSubset(_ document: Document) -> Bool {
  switch document.content {
  case .number(let digits):
    guard let value = Int(digits) else { return false }
    return value.magnitude < 1 << 53 && digits == String(value)
  case .list(let elements): return elements.allSatisfy(isInSubset)
  case .map(let members):
    return members.allSatisfy { member in
      member.key.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C } && isInSubset(member.value)
    }
  default: return true
  }
}

private func randomJSON(_ random: inout SplitMix64, depth: Int) -> JSON {
  let texts = ["", "a", "é", "\u{1F600}", "\u{7}", "\n\t\"\\\u{8}\u{C}\r", "\u{1F}", "\u{7F}", "ünïcode ‖", "0", "\u{FFFD}"]
  switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
  case 0: return .null
  case 1: return .bool(Bool.random(using: &random))
  case 2: return .integer([0, 1, -1, 9, 10, 1 << 53 - 1, -(1 << 53 - 1), 123_456].randomElement(using: &random) ?? 0)
  case 3, 4: return .string(texts.randomElement(using: &random) ?? "")
  case 5: return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in randomJSON(&random, depth: depth - 1) })
  default: return randomObject(&random, depth: depth - 1)
  }
}

private func randomObject(_ random: inout SplitMix64, depth: Int) -> JSON {
  let keys = ["", "a", "b", "aa", "amount_nano", "prompt_uncached", "completion_ceiling", "Z", "~"].shuffled(using: &random)
  return .object(keys.prefix(Int.random(in: 0..<6, using: &random)).map { JSONMember($0, randomJSON(&random, depth: depth)) })
}

@Suite("canonical lines, RFC 8785 for our subset of JSON")
struct CanonicalLineTests {
  @Test(
    "both sides of every rule",
    arguments: [
      ("{}", true), ("", false), ("[]", false), ("{} ", false), (" {}", false), ("{ }", false), ("{}{}", false),
      (#"{"a":1,"b":2}"#, true), (#"{"b":1,"a":2}"#, false), (#"{"a":1,"a":2}"#, false), (#"{"":1,"":2}"#, false),
      (#"{"":1,"a":2}"#, true), (#"{"a":1, "b":2}"#, false),
      (#"{"a":1,"aa":2}"#, true), (#"{"aa":1,"a":2}"#, false), (#"{"a":1,}"#, false), (#"{"a"}"#, false), (#"{"a":}"#, false),
      (#"{"a":0}"#, true), (#"{"a":-1}"#, true), (#"{"a":-0}"#, false), (#"{"a":01}"#, false), (#"{"a":+1}"#, false),
      (#"{"a":1.0}"#, false), (#"{"a":1e3}"#, false), (#"{"a":-}"#, false),
      (#"{"a":9007199254740991}"#, true), (#"{"a":9007199254740992}"#, false), (#"{"a":-9007199254740991}"#, true),
      (#"{"a":99999999999999999999999999}"#, false),
      (#"{"a":"\n"}"#, true), (#"{"a":"\u000a"}"#, false), (#"{"a":"\u001f"}"#, true), (#"{"a":"\u001F"}"#, false),
      (#"{"a":"\u0020"}"#, false), (#"{"a":"\/"}"#, false), (#"{"a":"/"}"#, true), (#"{"a":"\u00e9"}"#, false),
      (#"{"a":"é"}"#, true),
      (#"{"a":"\"#, false), (#"{"a":"\u"#, false), (#"{"a":"x"#, false), (#"{"\u0061":1}"#, false), (#"{"é":1}"#, false),
      (#"{"a":true,"b":false,"c":null}"#, true), (#"{"a":tru}"#, false), (#"{"a":True}"#, false), (#"{"a":[1,[],{}]}"#, true),
      (#"{"a":[1,]}"#, false), (#"{"a":[}"#, false), (#"{"a":{"y":1,"x":2}}"#, false), ("{\"a\":\"\t\"}", false),
    ])
  func table(text: String, expected: Bool) {
    #expect(isCanonical(Array(text.utf8)) == expected)
    #expect(isCanonicalByRewriting(Array(text.utf8)) == expected)
  }

  @Test(
    "ill-formed UTF-8 in a string",
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xE0, 0x9F, 0x80], [0xED, 0xA0, 0x80], [0xEF, 0xBF], [0xF0, 0x8F, 0x80, 0x80],
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xE1, 0x80, 0x41],
    ] as [[UInt8]])
  func illFormed(bytes: [UInt8]) {
    let text = Array(#"{"a":""#.utf8) + bytes + Array(#""}"#.utf8)
    #expect(!isCanonical(text))
    #expect(!isCanonicalByRewriting(text))
  }

  @Test("depth: 31 lists inside the object are read, 32 are not")
  func depth() {
    func nested(_ count: Int) -> [UInt8] {
      Array((#"{"a":"# + String(repeating: "[", count: count) + String(repeating: "]", count: count) + "}").utf8)
    }
    #expect(isCanonical(nested(31)))
    #expect(!isCanonical(nested(32)))
    #expect(!isCanonical(nested(20_000)))
  }

  @Test("agrees with parsing and rewriting, on canonical texts and on those with one byte changed")
  func property() {
    let seed: UInt64 = 8785
    var random = SplitMix64(seed: seed)
    for round in 0..<1500 {
      let text = randomObject(&random, depth: 3).canonicalBytes
      #expect(isCanonical(text), "seed \(seed), round \(round): \(String(decoding: text, as: UTF8.self))")
      var changed = text
      let index = Int.random(in: 0..<text.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: changed[index] = UInt8.random(in: 0...255, using: &random)
      case 1: changed.remove(at: index)
      default: changed.insert(UInt8.random(in: 0...127, using: &random), at: index)
      }
      #expect(
        isCanonical(changed) == isCanonicalByRewriting(changed),
        "seed \(seed), round \(round): \(String(decoding: changed, as: UTF8.self))")
    }
  }
}

@Suite("lines of a file that comes in pieces")
struct LineReaderTests {
  private func lines(
    _ text: String, pieces: Int, limit: Int = 100
  ) throws -> (
    lines: [String], endsInside: Bool, size: Int, sha: Digest
  ) {
    let bytes = Array(text.utf8)
    var index = 0
    var reader = LineReader(
      path: "f",
      {
        guard index < bytes.count else { return nil }
        defer { index += pieces }
        return Array(bytes[index..<min(index + pieces, bytes.count)])
      }, digests: referenceDigests)
    var lines: [String] = []
    var line: [UInt8] = []
    while true {
      line = [0x3E]
      guard try reader.next(into: &line, limit: limit) == .line else { break }
      lines.append(String(decoding: line.dropFirst(), as: UTF8.self))
    }
    let endsInside = reader.endsInsideLine
    let digest = try reader.finish()
    return (lines, endsInside, reader.size, digest)
  }

  @Test("every size of piece gives the same lines", arguments: 1...40)
  func pieces(size: Int) throws {
    let text = "first\n\nthe third line is longer\nand the last\n"
    let read = try self.lines(text, pieces: size)
    #expect(read.lines == ["first", "", "the third line is longer", "and the last"])
    #expect(!read.endsInside && read.size == text.utf8.count && read.sha == referenceSHA256(Array(text.utf8)))
    let open = try self.lines("a\nbcdefghijklmnop", pieces: size)
    #expect(open.lines == ["a", "bcdefghijklmnop"] && open.endsInside)
    #expect(try self.lines("", pieces: size).lines.isEmpty)
    let long = try self.lines("ab\nabcd\nab\n", pieces: size, limit: 3)
    #expect(long.lines == ["ab"] && long.size == 11 && long.sha == referenceSHA256(Array("ab\nabcd\nab\n".utf8)))
  }
}
