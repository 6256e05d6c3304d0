internal import Foundation
internal import Testing

extension EndToEnd {
  /// A bundle in the hands of someone who would like another past. Both verifiers must see it and name the place.
  @Suite("tampering") struct TamperTests {
    /// A change to the lines of `entries.jsonl`, and the line (from 1) that a verifier names.
    private struct Change {
      var name: String
      var line: Int
      var apply: (inout [String]) -> Void
    }

    private static func changes(of lines: [String], settlement: Int) -> [Change] {
      [
        Change(name: "one digit of an amount", line: settlement + 1) { lines in
          lines[settlement] = lines[settlement].replacingOccurrences(of: #""amount_nano":""#, with: #""amount_nano":"9"#)
        },
        Change(name: "a line dropped", line: settlement + 1) { $0.remove(at: settlement) },
        Change(name: "two lines exchanged", line: settlement) { $0.swapAt(settlement - 1, settlement) },
        Change(name: "a line doubled", line: settlement + 2) { $0.insert($0[settlement], at: settlement) },
        Change(name: "the end cut off", line: lines.count) { $0.removeLast() },
      ]
    }

    @Test("an edited, dropped, moved, doubled or missing line makes both verifiers exit 1 and name it")
    func lines() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        for _ in 0..<3 { _ = try await gateway.ask(Chat(maxTokens: 2), key: customer.key) }
        let bundle = try await gateway.exportBundle(named: "bundle")
        #expect(try await gateway.verify(bundle).command.status == 0)
        let path = bundle + "/entries.jsonl"
        let sound = try readText(path)
        let lines = sound.split(separator: "\n").map { String($0) }
        let settlement = try #require(lines.firstIndex { $0.contains(#""type":"settle""#) })
        for change in Self.changes(of: lines, settlement: settlement) {
          var changed = lines
          change.apply(&changed)
          try (changed.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
          let (command, script) = try await gateway.verify(bundle)
          for (verifier, outcome) in [("weighbridge audit verify", command), ("verify.py", script)] {
            #expect(outcome.status == 1, "\(verifier), \(change.name): \(outcome.said)")
            let named = (change.line - 1...change.line + 1).contains { outcome.said.contains("entries.jsonl line \($0)") }
            #expect(named, "\(verifier), \(change.name), line \(change.line): \(outcome.said)")
          }
        }
        try sound.write(toFile: path, atomically: true, encoding: .utf8)
        try "usage\n".write(toFile: bundle + "/usage.csv", atomically: true, encoding: .utf8)
        let (command, script) = try await gateway.verify(bundle)
        #expect(command.status == 1 && command.said.contains("usage.csv"), "\(command.said)")
        #expect(script.status == 1 && script.said.contains("usage.csv"), "\(script.said)")
      }
    }

    @Test("an offline verifier with a key known from elsewhere refuses a bundle that another log signed")
    func foreignKey() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        let bundle = try await gateway.exportBundle(named: "bundle")
        let own = try readText(bundle + "/keys/log.vkey").trimmingCharacters(in: .whitespacesAndNewlines)
        let known = try await weighbridge("audit", "verify", bundle, "--key", own, "--json", in: gateway.workplace)
        #expect(known.status == 0)
        #expect(try JSONValue(known.output)["log_key_trusted"] == .bool(true))
        let foreign = try await Gateway.within { other in
          _ = try await other.open()
          return try readText(try await other.exportBundle(named: "bundle") + "/keys/log.vkey").trimmingCharacters(
            in: .whitespacesAndNewlines)
        }
        let refused = try await weighbridge("audit", "verify", bundle, "--key", foreign, in: gateway.workplace)
        #expect(refused.status == 1, "\(refused.said)")
      }
    }
  }
}
