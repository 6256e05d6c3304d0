import GovernanceTypes

/// FIPS 180-4, plainly: the tests bring their own digest, so that they need no library.
func sha256(_ message: [UInt8]) -> Digest {
  var state = sha256Start
  var padded = message + [0x80]
  padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
  let bits = UInt64(message.count) * 8
  for shift in stride(from: UInt64(56), through: 0, by: -8) { padded.append(UInt8(truncatingIfNeeded: bits >> shift)) }
  for block in stride(from: 0, to: padded.count, by: 64) { compress(padded[block..<block + 64], into: &state) }
  let bytes = state.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) } }
  guard let digest = Digest(bytes) else { preconditionFailure("eight words are 32 bytes") }
  return digest
}

private func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
  var words = stride(from: block.startIndex, to: block.endIndex, by: 4).map { start in
    block[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
  }
  for index in 16..<64 {
    let (near, far) = (words[index - 15], words[index - 2])
    let small = rotate(near, 7) ^ rotate(near, 18) ^ near >> 3
    let large = rotate(far, 17) ^ rotate(far, 19) ^ far >> 10
    words.append(words[index - 16] &+ small &+ words[index - 7] &+ large)
  }
  var (a, b, c, d, e, f, g, h) = (state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7])
  for index in 0..<64 {
    let first = h &+ (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) &+ ((e & f) ^ (~e & g)) &+ sha256Rounds[index] &+ words[index]
    let second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ ((a & b) ^ (a & c) ^ (b & c))
    (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
  }
  for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
}

private func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }

private let primes = (2...311).filter { candidate in (2..<candidate).allSatisfy { candidate % $0 != 0 } }

/// The first 32 bits of the fractional part of the `degree`-th root of a prime, found by integer search.
private func fraction(of prime: Int, degree: Int) -> UInt32 {
  var root: Int128 = 0
  for bit in stride(from: 35, through: 0, by: -1) {
    let candidate = root | 1 << bit
    let power = degree == 2 ? candidate * candidate : candidate * candidate * candidate
    if power <= Int128(prime) << (32 * Int128(degree)) { root = candidate }
  }
  return UInt32(truncatingIfNeeded: root)
}

private let sha256Start = primes.prefix(8).map { fraction(of: $0, degree: 2) }
private let sha256Rounds = primes.prefix(64).map { fraction(of: $0, degree: 3) }
