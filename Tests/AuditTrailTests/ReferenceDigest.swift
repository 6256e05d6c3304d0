import AuditTrail
import GovernanceTypes

/// SHA-256 after FIPS 180-4, written for the tests alone: slow, plain, and independent of the library that the product uses.
@Sendable
func referenceSHA256(_ message: [UInt8]) -> Digest {
  var hash: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  var padded = message + [0x80]
  while padded.count % 64 != 56 { padded.append(0) }
  for shift in stride(from: 56, through: 0, by: -8) { padded.append(UInt8(truncatingIfNeeded: (message.count * 8) >> shift)) }
  for start in stride(from: 0, to: padded.count, by: 64) { compress(&hash, padded[start..<start + 64]) }
  let bytes = hash.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) } }
  guard let digest = Digest(bytes) else { preconditionFailure("eight words are 32 bytes") }
  return digest
}

private func compress(_ hash: inout [UInt32], _ block: ArraySlice<UInt8>) {
  func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
  var schedule: [UInt32] = []
  let bytes = Array(block)
  for index in 0..<16 { schedule.append(bytes[4 * index..<4 * index + 4].reduce(0) { $0 << 8 | UInt32($1) }) }
  for index in 16..<64 {
    let (early, late) = (schedule[index - 15], schedule[index - 2])
    let first = rotate(early, 7) ^ rotate(early, 18) ^ (early >> 3)
    let second = rotate(late, 17) ^ rotate(late, 19) ^ (late >> 10)
    schedule.append(schedule[index - 16] &+ first &+ schedule[index - 7] &+ second)
  }
  var (a, b, c, d, e, f, g, h) = (hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7])
  for index in 0..<64 {
    let sum = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    let first = h &+ sum &+ ((e & f) ^ (~e & g)) &+ roundConstants[index] &+ schedule[index]
    let second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ ((a & b) ^ (a & c) ^ (b & c))
    (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
  }
  for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { hash[index] = hash[index] &+ word }
}

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes, computed in integers.
private let roundConstants: [UInt32] = {
  var primes: [UInt128] = []
  var candidate: UInt128 = 2
  while primes.count < 64 {
    if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
    candidate += 1
  }
  return primes.map { prime in
    // The largest r with r³ ≤ prime × 2⁹⁶ is the cube root of the prime, times 2³².
    var root: UInt128 = 0
    for bit in stride(from: 35, through: 0, by: -1) {
      let next = root | 1 << UInt128(bit)
      if next * next * next <= prime << 96 { root = next }
    }
    return UInt32(truncatingIfNeeded: root)
  }
}()

struct ReferenceStream: StreamingDigest {
  private var bytes: [UInt8] = []

  mutating func update(_ bytes: Span<UInt8>) { for index in bytes.indices { self.bytes.append(bytes[index]) } }
  mutating func finish() -> Digest { referenceSHA256(self.bytes) }
}

let referenceDigests = DigestSuite(digest: referenceSHA256, streaming: { ReferenceStream() })

/// SplitMix64; every property prints its seed.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { self.state = seed }

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var value = self.state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

func bytes(hexadecimal text: String) -> [UInt8] {
  stride(from: 0, to: text.utf8.count, by: 2).compactMap { UInt8(text.dropFirst($0).prefix(2), radix: 16) }
}
