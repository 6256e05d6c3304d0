/// A run of a text that turned out to be text in another encoding.
struct DecodedRun: Sendable, Equatable {
  var text: String
  /// The place of the run in the original text, in bytes.
  var offset: Int
  var length: Int
  var transform: TextTransforms
}

/// Collects unbroken runs of printable ASCII and decodes those that are base64 or hold percent-encoded bytes.
///
/// Base64 runs have at least ``base64Minimum`` characters of either alphabet (RFC 4648, 4 and 5). A run longer than ``limit`` is
/// decoded in pieces that overlap by ``overlap``, so memory is bounded and no phrase is lost at a seam.
struct EncodedRuns: Sendable {
  static let base64Minimum = 16
  static let limit = 1 << 16
  static let overlap = 1 << 10

  private var bytes: [UInt8] = []
  private var start = 0
  /// The run while it is too short to hide anything, in the low bytes, the newest last; most words never leave it.
  private var short: UInt128 = 0
  private var shortCount = 0
  /// Index of the first byte of the base64 characters at the end of the run.
  private var base64Start = 0
  private var percentStart: Int?

  /// Where the part of the current run starts that a stream's guard holds back: encoded text shown up to there is no word.
  var heldOffset: Int? {
    let base64 =
      self.bytes.count - self.base64Start >= Self.base64Minimum ? self.start + self.base64Start + Self.base64Minimum : nil
    guard let percent = self.percentStart.map({ self.start + $0 }) else { return base64 }
    return min(base64 ?? .max, percent)
  }

  /// What runs that have ended decode to; whoever sees that there is something takes it.
  private(set) var decoded: [DecodedRun] = []

  /// Takes the scalar at `offset`. True if something was decoded.
  @inline(__always)
  mutating func scan(_ scalar: Unicode.Scalar, at offset: Int) -> Bool {
    guard scalar.value &- 0x21 < 0x5E else {
      self.shortCount = 0
      return self.bytes.isEmpty ? false : self.finish()
    }
    let byte = UInt8(truncatingIfNeeded: scalar.value)
    if self.bytes.isEmpty {
      if self.shortCount == 0 { self.start = offset }
      if self.shortCount < Self.base64Minimum - 1, byte != UInt8(ascii: "%") {
        self.short = self.short << 8 | UInt128(byte)
        self.shortCount += 1
        return false
      }
      self.lengthen()
    }
    return self.take(byte)
  }

  /// Whether a word of so many letters, which begins here, leaves nothing behind once the byte after it has come.
  @inline(__always)
  func isUntouched(byWordOf length: Int, before next: UInt8) -> Bool {
    next <= 0x20 && self.shortCount == 0 && self.bytes.isEmpty && length < Self.base64Minimum
  }

  /// Moves a run out of its short form; its last characters may be the beginning of base64.
  private mutating func lengthen() {
    self.base64Start = 0
    for index in 0..<self.shortCount {
      let byte = UInt8(truncatingIfNeeded: self.short >> UInt128(8 * (self.shortCount - 1 - index)))
      self.bytes.append(byte)
      if !Self.isBase64(byte) { self.base64Start = index + 1 }
    }
    self.shortCount = 0
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    let isBase64 = Self.isBase64(byte)
    if !isBase64 {
      self.decodeBase64()
      if byte == UInt8(ascii: "%"), self.percentStart == nil { self.percentStart = self.bytes.count }
    }
    self.bytes.append(byte)
    if !isBase64 { self.base64Start = self.bytes.count }
    if self.bytes.count >= Self.limit { self.cut() }
    return !self.decoded.isEmpty
  }

  /// Ends the run, as the end of the text does. True if something was decoded.
  mutating func finish() -> Bool {
    self.shortCount = 0
    self.decodeBase64()
    self.decodePercent()
    self.bytes.removeAll(keepingCapacity: true)
    self.base64Start = 0
    self.percentStart = nil
    return !self.decoded.isEmpty
  }

  /// Ready for another text, with the memory of the last.
  mutating func reset() {
    self.shortCount = 0
    self.bytes.removeAll(keepingCapacity: true)
    self.base64Start = 0
    self.percentStart = nil
    self.decoded.removeAll(keepingCapacity: true)
  }

  mutating func takeDecoded() -> [DecodedRun] {
    defer { self.decoded = [] }
    return self.decoded
  }

  /// Decodes what is there and goes on with its last kibibyte, aligned to base64's groups of four.
  private mutating func cut() {
    self.decodeBase64()
    self.decodePercent()
    let length = self.bytes.count - self.base64Start
    let kept = max(self.base64Start + max(length - Self.overlap, 0) / 4 * 4, self.bytes.count - Self.overlap - 4)
    self.bytes.removeFirst(kept)
    self.start += kept
    self.base64Start = max(self.base64Start - kept, 0)
    if self.percentStart != nil { self.percentStart = 0 }
  }

  @inline(__always)
  private mutating func decodeBase64() {
    if self.bytes.count - self.base64Start >= Self.base64Minimum { self.decodeLongBase64() }
  }

  private mutating func decodeLongBase64() {
    let count = self.bytes.count - self.base64Start
    var decoded: [UInt8] = []
    decoded.reserveCapacity(count * 3 / 4)
    var group: UInt32 = 0
    for (index, byte) in self.bytes[self.base64Start...].enumerated() {
      group = group << 6 | UInt32(Self.base64Value(byte))
      if index % 4 > 0 { decoded.append(UInt8(truncatingIfNeeded: group >> UInt32(6 - index % 4 * 2))) }
      // Most runs are plain words, and betray themselves in their first bytes.
      if index == Self.base64Minimum - 1, !Self.isPrintable(decoded[...]) { return }
    }
    guard let text = Self.printable(decoded) else { return }
    let offset = self.start + self.base64Start
    self.decoded.append(DecodedRun(text: text, offset: offset, length: count, transform: .base64))
  }

  private mutating func decodePercent() {
    guard self.percentStart != nil else { return }
    var decoded: [UInt8] = []
    var escapes = 0
    var index = 0
    while index < self.bytes.count {
      if let byte = self.escape(at: index) {
        decoded.append(byte)
        escapes += 1
        index += 3
      } else {
        decoded.append(self.bytes[index] == UInt8(ascii: "+") ? UInt8(ascii: " ") : self.bytes[index])
        index += 1
      }
    }
    guard escapes > 0, let text = Self.printable(decoded) else { return }
    self.decoded.append(DecodedRun(text: text, offset: self.start, length: self.bytes.count, transform: .percentEncoding))
  }

  private func escape(at index: Int) -> UInt8? {
    guard self.bytes[index] == UInt8(ascii: "%"), index + 2 < self.bytes.count else { return nil }
    guard let high = Character(Unicode.Scalar(self.bytes[index + 1])).hexDigitValue,
      let low = Character(Unicode.Scalar(self.bytes[index + 2])).hexDigitValue
    else { return nil }
    return UInt8(truncatingIfNeeded: high << 4 | low)
  }

  private static func isPrintable(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
  }

  private static func printable(_ bytes: [UInt8]) -> String? {
    guard Self.isPrintable(bytes[...]) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  /// Whether a byte is a character of either base64 alphabet.
  @inline(__always)
  private static func isBase64(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// The six bits of such a character.
  private static func base64Value(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    default: 63
    }
  }
}
