/// A page in Prometheus' text format.
struct Metrics: Sendable {
  /// Type by family name.
  private(set) var families: [String: String] = [:]
  private(set) var samples: [(name: String, labels: [String: String], value: Double)] = []
  /// Lines that are neither comment nor sample.
  private(set) var faults: [String] = []

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if line.hasPrefix("# TYPE "), words.count == 4 {
        self.families[String(words[2])] = String(words[3])
      } else if !line.hasPrefix("# HELP ") {
        self.readSample(String(line))
      }
    }
  }

  private mutating func readSample(_ line: String) {
    guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
      return self.faults.append(line)
    }
    let head = line[..<space]
    guard let brace = head.firstIndex(of: "{") else { return self.samples.append((String(head), [:], value)) }
    guard head.hasSuffix("}") else { return self.faults.append(line) }
    var labels: [String: String] = [:]
    for pair in head[head.index(after: brace)...].dropLast().split(separator: ",") {
      let sides = pair.split(separator: "=", maxSplits: 1)
      guard sides.count == 2, sides[1].first == "\"", sides[1].last == "\"", sides[1].count >= 2 else {
        return self.faults.append(line)
      }
      labels[String(sides[0])] = String(sides[1].dropFirst().dropLast())
    }
    self.samples.append((String(head[..<brace]), labels, value))
  }

  /// The sum of all samples of a name whose labels include those given.
  func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
    self.samples.filter { sample in sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value } }
      .reduce(0) { $0 + $1.value }
  }
}
