/// Holds back text that may be the beginning of a stop text, and finds stop texts across the borders of tokens.
///
/// Bytes are compared, so that no two spellings of a character are taken for one another. At most the longest stop text less one
/// byte is held back. Cost: O(new bytes * total length of the stop texts).
struct StopFilter: Sendable {
  struct Output: Equatable {
    var text: String
    /// A stop text was found; `text` is what came before it.
    var isStopped: Bool
  }

  private let stops: [[UInt8]]
  private var held: [UInt8] = []

  /// - Parameter stops: none is empty.
  init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) } }

  mutating func append(_ text: String) -> Output {
    guard !self.stops.isEmpty else { return Output(text: text, isStopped: false) }
    self.held.append(contentsOf: text.utf8)
    if let start = self.firstStop() {
      let before = String(decoding: self.held[..<start], as: UTF8.self)
      self.held.removeAll()
      return Output(text: before, isStopped: true)
    }
    let release = self.held.count - self.possibleStart()
    let shown = String(decoding: self.held[..<release], as: UTF8.self)
    self.held.removeFirst(release)
    return Output(text: shown, isStopped: false)
  }

  /// What is still held back, once no more text follows.
  mutating func finish() -> String {
    defer { self.held.removeAll() }
    return String(decoding: self.held, as: UTF8.self)
  }

  /// Where the stop text begins that is complete first, the longest where several are at once: so that a cut depends on the text
  /// alone and not on how it came in pieces.
  private func firstStop() -> Int? {
    let ends = self.stops.compactMap { stop -> (end: Int, start: Int)? in
      guard let start = self.held.indices.first(where: { self.held[$0...].starts(with: stop) }) else { return nil }
      return (start + stop.count, start)
    }
    return ends.min { $0 < $1 }?.start
  }

  /// The length of the longest end of the text with which some stop text begins. A stop text begins with a whole character, so
  /// that none is cut.
  private func possibleStart() -> Int {
    let longest = self.stops.reduce(0) { max($0, $1.count - 1) }
    let lengths = stride(from: min(longest, self.held.count), to: 0, by: -1)
    return lengths.first { length in
      let end = self.held.suffix(length)
      return self.stops.contains { $0.count > length && $0.starts(with: end) }
    } ?? 0
  }
}
