import Completions
import EngineFixtures
import Testing

@testable import InferenceEngine

struct StopFilterTests {
  struct Example: Sendable {
    var stops: [String]
    var pieces: [String]
    /// What each piece lets out; the last one stands for the end.
    var shown: [String]
    var isStopped = false
  }

  @Test(
    "what is shown and what is held back",
    arguments: [
      Example(stops: [], pieces: ["ab", "c"], shown: ["ab", "c", ""]),
      Example(stops: ["END"], pieces: ["abEND", "x"], shown: ["ab"], isStopped: true),
      Example(stops: ["END"], pieces: ["abE", "N", "D"], shown: ["ab", "", ""], isStopped: true),
      Example(stops: ["END"], pieces: ["abE", "N", "X"], shown: ["ab", "", "ENX", ""]),
      Example(stops: ["END"], pieces: ["aEN"], shown: ["a", "EN"]),
      Example(stops: ["aab"], pieces: ["aa", "a", "b"], shown: ["", "a", ""], isStopped: true),
      Example(stops: ["abc", "b"], pieces: ["a", "b"], shown: ["", "a"], isStopped: true),
      Example(stops: ["xyz", "yz"], pieces: ["x", "yz"], shown: ["", ""], isStopped: true),
      Example(stops: ["\n\n"], pieces: ["a\n", "b\n", "\n"], shown: ["a", "\nb", ""], isStopped: true),
      Example(stops: ["é"], pieces: ["e\u{301}", "é"], shown: ["e\u{301}", ""], isStopped: true),
      Example(stops: ["🙂🙃"], pieces: ["a🙂", "🙂", "🙃b"], shown: ["a", "🙂", ""], isStopped: true),
    ])
  func examples(example: Example) {
    var filter = StopFilter(example.stops)
    var shown: [String] = []
    var isStopped = false
    for piece in example.pieces where !isStopped {
      let output = filter.append(piece)
      shown.append(output.text)
      isStopped = output.isStopped
    }
    if !isStopped { shown.append(filter.finish()) }
    #expect(shown.map { Array($0.utf8) } == example.shown.map { Array($0.utf8) })
    #expect(isStopped == example.isStopped)
  }

  @Test("any cut of any text shows the text up to the first stop")
  func property() {
    var random = SplitMix64(seed: 51)
    for round in 0..<2000 {
      let letters = (0..<Int(random.next() % 30)).map { _ in ["a", "b", "é"][Int(random.next() % 3)] }
      let stops = (0..<Int(1 + random.next() % 3)).map { _ in
        (0..<Int(1 + random.next() % 4)).map { _ in ["a", "b", "é"][Int(random.next() % 3)] }.joined()
      }
      let text = letters.joined()
      // The stop that is complete first, the longest of those; positions count letters.
      let ends = stops.flatMap { stop in
        letters.indices.filter { letters[$0...].joined().hasPrefix(stop) }.map { (end: $0 + stop.count, start: $0) }
      }
      let first = ends.min { $0 < $1 }?.start
      let wanted = letters[..<(first ?? letters.count)].joined()
      var filter = StopFilter(stops)
      var (shown, isStopped, rest) = ("", false, letters[...])
      while !rest.isEmpty && !isStopped {
        let count = min(rest.count, Int(1 + random.next() % 4))
        let output = filter.append(rest.prefix(count).joined())
        rest = rest.dropFirst(count)
        shown += output.text
        isStopped = output.isStopped
        #expect(wanted.hasPrefix(shown), "round \(round): \(text) \(stops)")
      }
      if !isStopped { shown += filter.finish() }
      #expect(shown == wanted && isStopped == (first != nil), "round \(round): \(text) \(stops)")
    }
  }
}

struct StopTests {
  @Test("a stop text from the middle cuts there, whatever tokens it spans", arguments: [1, 2, 3, 5])
  func cuts(length: Int) async throws {
    let engine = try TinyEngine.make()
    let whole = try await engine.collect(TinyEngine.request(12, temperature: 1, seed: 4, maximum: 60))
    let characters = Array(whole.text.unicodeScalars)
    try #require(characters.count > 20)
    for start in [0, 7, 12, characters.count - length] {
      var stop = ""
      stop.unicodeScalars.append(contentsOf: characters[start..<start + length])
      let cut = try await engine.collect(TinyEngine.request(12, temperature: 1, seed: 4, maximum: 60, stop: ["never", stop]))
      let text = Array(whole.text.utf8)
      let needle = Array(stop.utf8)
      let first = text.indices.first { text[$0...].starts(with: needle) }
      #expect(Array(cut.text.utf8) == Array(text[..<(first ?? 0)]))
      #expect(cut.end?.reason == .stop)
      #expect(cut.end?.usage.completion == cut.tokens)
    }
  }

  @Test("text held back for a stop that never comes is shown at the end")
  func flushed() async throws {
    let engine = try TinyEngine.make()
    let whole = try await engine.collect(TinyEngine.request(12, maximum: 10))
    let last = String(whole.text.unicodeScalars.suffix(1))
    let held = try await engine.collect(TinyEngine.request(12, maximum: 10, stop: [last + "\u{1}never"]))
    #expect(Array(held.text.utf8) == Array(whole.text.utf8))
    #expect(held.end == whole.end)
  }
}
