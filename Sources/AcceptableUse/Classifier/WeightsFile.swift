public import GovernanceTypes

extension LinearClassifier {
  /// Reads a weights file as hostile bytes: every count is bounded before it is used, the length must be exact, the checksum right.
  /// O(bytes). The format is that of `Policies/classifier/README.md`.
  public convenience init(bytes: [UInt8], digest: DigestFunction) throws(AcceptableUseError) {
    self.init(try WeightsFile(bytes), digest: digest(bytes))
  }
}

/// The parts of a weights file.
struct WeightsFile {
  private(set) var policy = ""
  private(set) var heads: [LinearClassifier.Head] = []
  private(set) var threshold = 0
  private(set) var stretchBar = 0
  private(set) var stretchWords = 0
  private(set) var step = 0.0
  private(set) var bias = 0.0
  private(set) var frameWords: [UInt64] = []
  private(set) var knots: [LinearClassifier.Knot] = []
  private(set) var headKnots: [LinearClassifier.Knot] = []
  private(set) var weights: [Int8] = []
  private(set) var headWeights: [SIMD32<Int16>] = []

  static let magic = Array("WBLINEAR".utf8)
  static let version = 1
  static let lanes = 32
  static let jailbreak = "jailbreak"

  init(_ bytes: [UInt8]) throws(AcceptableUseError) {
    var reader = WeightsReader(bytes: bytes)
    guard try reader.take(8, "magic").elementsEqual(Self.magic) else {
      throw AcceptableUseError(message: "classifier weights: byte 0: this is no file of classifier weights")
    }
    let version = try reader.count("version", in: 0...Int(UInt32.max))
    guard version == Self.version else {
      throw AcceptableUseError(message: "classifier weights: version \(version); this program reads version \(Self.version)")
    }
    let bits = try reader.count("bits", in: 8...22)
    let headBits = try reader.count("head bits", in: 4...17)
    let headCount = try reader.count("heads", in: 1...Self.lanes)
    let frameCount = try reader.count("frame words", in: 0...65_536)
    let knotCount = try reader.count("knots", in: 2...4096)
    let headKnotCount = try reader.count("head knots", in: 2...4096)
    self.stretchWords = try reader.count("stretch words", in: 2...4096)
    self.policy = try reader.name("policy")
    self.step = try reader.double("step")
    self.bias = try reader.double("bias")
    self.threshold = try reader.integer("threshold", in: 0...1_000_000)
    self.stretchBar = try reader.integer("stretch bar", in: 0...1_000_000)
    for _ in 0..<headCount {
      let name = try reader.name("head")
      self.heads.append(
        LinearClassifier.Head(
          use: name == Self.jailbreak ? nil : ProhibitedUseID(name), step: try reader.double("head step"),
          bias: try reader.double("head bias")))
    }
    self.frameWords = try reader.ascendingWords(frameCount, "frame words")
    self.knots = try reader.knots(knotCount, "knots")
    self.headKnots = try reader.knots(headKnotCount, "head knots")
    self.weights = try reader.take(1 << bits, "weights").map(Int8.init(bitPattern:))
    let table = try reader.take(Self.lanes << headBits, "head weights")
    self.headWeights = Self.rows(of: table)
    try reader.finish()
  }

  /// Widened once, so that a text's features are summed without it.
  private static func rows(of table: ArraySlice<UInt8>) -> [SIMD32<Int16>] {
    stride(from: table.startIndex, to: table.endIndex, by: Self.lanes).map { start in
      var row = SIMD32<Int16>()
      for lane in 0..<Self.lanes { row[lane] = Int16(Int8(bitPattern: table[start + lane])) }
      return row
    }
  }
}

private struct WeightsReader {
  let bytes: [UInt8]
  private var offset = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private func failure(_ field: String, _ message: String) -> AcceptableUseError {
    AcceptableUseError(message: "classifier weights: byte \(self.offset), \(field): \(message)")
  }

  mutating func take(_ count: Int, _ field: String) throws(AcceptableUseError) -> ArraySlice<UInt8> {
    guard count <= self.bytes.count - self.offset else {
      throw self.failure(field, "the file ends \(count - (self.bytes.count - self.offset)) bytes too early")
    }
    defer { self.offset += count }
    return self.bytes[self.offset..<(self.offset + count)]
  }

  private mutating func little<Value: FixedWidthInteger & UnsignedInteger>(
    _ type: Value.Type, _ field: String
  ) throws(AcceptableUseError) -> Value {
    try self.take(Value.bitWidth / 8, field).reversed().reduce(0) { $0 << 8 | Value($1) }
  }

  mutating func count(_ field: String, in range: ClosedRange<Int>) throws(AcceptableUseError) -> Int {
    let value = Int(try self.little(UInt32.self, field))
    guard range.contains(value) else {
      throw self.failure(field, "is \(value); it must be \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  mutating func integer(_ field: String, in range: ClosedRange<Int>) throws(AcceptableUseError) -> Int {
    let value = Int(Int32(bitPattern: try self.little(UInt32.self, field)))
    guard range.contains(value) else {
      throw self.failure(field, "is \(value); it must be \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A number that no sum of weights can make overflow.
  mutating func double(_ field: String) throws(AcceptableUseError) -> Double {
    let value = Double(bitPattern: try self.little(UInt64.self, field))
    guard value.isFinite, value.magnitude <= 1000 else { throw self.failure(field, "is no number from -1000 to 1000") }
    return value
  }

  /// Sixteen bytes: a short name, filled up with zeros.
  mutating func name(_ field: String) throws(AcceptableUseError) -> String {
    let bytes = try self.take(16, field)
    let name = bytes.prefix { $0 != 0 }
    let isPlain = name.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard !name.isEmpty, isPlain, bytes.dropFirst(name.count).allSatisfy({ $0 == 0 }) else {
      throw self.failure(field, "must be a name of lower-case letters, digits, points and hyphens, filled up with zeros")
    }
    return String(decoding: name, as: UTF8.self)
  }

  mutating func ascendingWords(_ count: Int, _ field: String) throws(AcceptableUseError) -> [UInt64] {
    var words: [UInt64] = []
    for _ in 0..<count {
      let word = try self.little(UInt64.self, field)
      guard words.last.map({ $0 < word }) ?? true else { throw self.failure(field, "must ascend") }
      words.append(word)
    }
    return words
  }

  mutating func knots(_ count: Int, _ field: String) throws(AcceptableUseError) -> [LinearClassifier.Knot] {
    var knots: [LinearClassifier.Knot] = []
    for _ in 0..<count {
      let logit = try self.integer(field, in: -10_000_000...10_000_000)
      let score = try self.integer(field, in: 0...1_000_000)
      guard knots.last.map({ $0.logit < logit && $0.score <= score }) ?? true else { throw self.failure(field, "must ascend") }
      knots.append(LinearClassifier.Knot(logit: logit, score: score))
    }
    return knots
  }

  mutating func finish() throws(AcceptableUseError) {
    var sum = WordHash.empty
    let summed = self.bytes[..<self.offset]
    var index = summed.startIndex
    while index < summed.endIndex {
      var word: UInt64 = 0
      for byte in 0..<min(8, summed.endIndex - index) { word |= UInt64(summed[index + byte]) << UInt64(8 * byte) }
      sum.value = (sum.value ^ word) &* 0x0000_0100_0000_01B3
      index += 8
    }
    guard try self.little(UInt64.self, "checksum") == sum.value else {
      throw self.failure("checksum", "does not match the content")
    }
    guard self.offset == self.bytes.count else {
      throw self.failure("end", "\(self.bytes.count - self.offset) bytes follow that belong to nothing")
    }
  }
}
