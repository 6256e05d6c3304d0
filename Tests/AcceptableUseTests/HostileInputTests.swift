import Glibc
import Testing

@testable import AcceptableUse

@Suite("Hostile input")
struct HostileInputTests {
  static let texts: [(name: String, text: String)] = [
    ("combining marks", "a" + String(repeating: "\u{0301}", count: 500_000)),
    ("zero width", String(repeating: "\u{200B}", count: 350_000) + "forbidden gizmo"),
    ("one word", String(repeating: "a", count: 1_000_000)),
    ("single letters", String(repeating: "a ", count: 300_000)),
    ("signs", String(repeating: "a@", count: 300_000)),
    ("percent", String(repeating: "%41", count: 300_000)),
    ("base64 runs", String(repeating: base64("hello hello hello") + " ", count: 20_000)),
    ("one base64 run", base64(String(repeating: "hello ", count: 120_000))),
    ("openings", String(repeating: "how to make ", count: 60_000)),
    ("matches", String(repeating: "forbidden gizmo ", count: 60_000)),
    ("flags and tags", String(repeating: "🇦\u{E0041}", count: 120_000)),
    ("ideographs", String(repeating: "炸", count: 300_000)),
  ]

  @Test("time and memory stay linear", arguments: Self.texts)
  func linear(name: String, text: String) throws {
    let policy = try widgetPolicy()
    let start = processorTime()
    let found = policy.assess(text, direction: .prompt)
    let time = processorTime() - start
    #expect(found.scannedBytes == text.utf8.count)
    // Some 100 times what a debug build takes for a text of this size.
    #expect(time < .seconds(60), "\(name): \(time)")
    var stream = policy.streamGuard()
    let released = stream.append(text).released + stream.finish().released
    #expect(found.flagged || released == text)
  }

  @Test("nested encodings are opened twice, not further")
  func nested() throws {
    var text = "the forbidden gizmo"
    let policy = try widgetPolicy()
    for depth in 1...8 {
      text = base64(text)
      #expect(policy.assess(text, direction: .prompt).flagged == (depth <= TextScan.depthLimit))
    }
    for _ in 0..<20 { text = base64(text) }
    #expect(!policy.assess(text, direction: .prompt).flagged)
  }

  @Test("random scalars never trap")
  func random() throws {
    let policy = try widgetPolicy()
    var random = SplitMix64(state: 99)
    for _ in 0..<300 {
      var text = ""
      for _ in 0..<200 {
        let value = UInt32.random(in: 0...0x10FFFF, using: &random) >> UInt32.random(in: 0...12, using: &random)
        if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
      }
      #expect(policy.assess(text, direction: .prompt).scannedBytes == text.utf8.count)
    }
  }
}

/// What this thread has had of a processor: a busy machine does not make it longer.
private func processorTime() -> Duration {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}
