/// Waiting elements in one line for each key, first come first served within a line.
struct FairLines<Element> {
  private struct Entry {
    var element: Element
    var number: UInt64
  }

  private var lines: [String: [Entry]] = [:]
  private var arrivals: UInt64 = 0
  private(set) var count = 0

  var isEmpty: Bool { self.count == 0 }

  mutating func append(_ element: Element, key: String) {
    self.arrivals += 1
    self.lines[key, default: []].append(Entry(element: element, number: self.arrivals))
    self.count += 1
  }

  /// The keys that wait, each with the number by which its first element came.
  var heads: [(key: String, number: UInt64)] { self.lines.compactMap { key, line in line.first.map { (key, $0.number) } } }

  func length(of key: String) -> Int { self.lines[key]?.count ?? 0 }

  func first(of key: String) -> Element? { self.lines[key]?.first?.element }

  mutating func takeFirst(of key: String) -> Element? {
    guard var line = self.lines.removeValue(forKey: key), !line.isEmpty else { return nil }
    let entry = line.removeFirst()
    if !line.isEmpty { self.lines[key] = line }
    self.count -= 1
    return entry.element
  }

  /// Takes the newest element of the longest line, where that line would still be as long as a line of `length`.
  mutating func takeNewest(ofLongerThan length: Int) -> Element? {
    guard let longest = self.lines.max(by: { $0.value.count < $1.value.count }), longest.value.count > length else { return nil }
    var line = longest.value
    self.lines[longest.key] = nil
    let entry = line.removeLast()
    if !line.isEmpty { self.lines[longest.key] = line }
    self.count -= 1
    return entry.element
  }

  /// Takes out those that satisfy a condition.
  mutating func takeAll(where condition: (Element) -> Bool) -> [Element] {
    var taken: [Element] = []
    for (key, line) in self.lines where line.contains(where: { condition($0.element) }) {
      taken += line.filter { condition($0.element) }.map(\.element)
      let rest = line.filter { !condition($0.element) }
      self.lines[key] = rest.isEmpty ? nil : rest
    }
    self.count -= taken.count
    return taken
  }
}
