import FuzzHarnesses
import ModelFiles
import Testing

@Suite("Hostile GGUF bytes are parsed or refused, never a crash")
struct GGUFHostileTests {
  @Test("every truncation is refused")
  func truncations() {
    let whole = GGUFWriter.sample().file()
    for length in 1..<whole.count {
      let error = #expect(throws: ModelFileError.self) { try GGUFFile(bytes: Array(whole[..<length]), name: "short") }
      #expect(error?.code == .truncated, "at length \(length): \(String(describing: error))")
    }
    #expect(fuzzGGUF(whole))
  }

  @Test("every single byte, set to each extreme")
  func singleBytes() {
    let whole = GGUFWriter.sample().file()
    for position in whole.indices {
      for value in [0x00, 0x01, 0x7F, 0x80, 0xFF, whole[position] &+ 1, whole[position] ^ 0x20] as [UInt8] {
        var bytes = whole
        bytes[position] = value
        fuzzGGUF(bytes)
      }
    }
  }

  @Test("random changes of one to sixteen bytes, insertions and deletions", arguments: [UInt64(1), 2, 3, 4])
  func mutations(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let whole = GGUFWriter.sample().file()
    var accepted = 0
    for _ in 0..<5_000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&bytes, &random) }
      if fuzzGGUF(bytes) { accepted += 1 }
    }
    // Changes inside texts and data leave a file valid: both outcomes must occur, or the mutations miss.
    #expect(accepted > 100 && accepted < 4_900, "seed \(seed)")
  }

  private static func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    let position = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[position] = .random(in: .min ... .max, using: &random)
    case 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2:
      let huge = GGUFWriter.little(UInt64.max >> UInt64.random(in: 0..<64, using: &random))
      for (index, byte) in huge.enumerated() where position + index < bytes.count { bytes[position + index] = byte }
    case 3: bytes.insert(.random(in: .min ... .max, using: &random), at: position)
    case 4: bytes.remove(at: position)
    default:
      for index in position..<min(position + 16, bytes.count) { bytes[index] = .random(in: .min ... .max, using: &random) }
    }
    if bytes.isEmpty { bytes = [0] }
  }

  @Test("random bytes behind a valid magic and version", arguments: [UInt64(11), 12])
  func noise(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<2_000 {
      let tail = (0..<Int.random(in: 0..<400, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      let counts = (0..<2).flatMap { _ in GGUFWriter.little(UInt64.random(in: 0..<4, using: &random)) }
      fuzzGGUF(Array("GGUF".utf8) + GGUFWriter.little(UInt32(3)) + counts + tail)
    }
  }
}
