internal import Audience
internal import GovernanceTypes
internal import Testing

/// SplitMix64 (Steele, Lea, Flood 2014).
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { self.state = seed }

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var z = self.state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// User number `number` of a seed, as a uniform fingerprint; different numbers are different users.
func user(_ number: Int, seed: UInt64 = 1) -> UserFingerprint {
  var generator = SplitMix64(seed: seed &* 0xD134_2543_DE82_EF95 &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
  return UserFingerprint(generator.next())
}

func sketch(_ numbers: some Sequence<Int>, seed: UInt64 = 1, exactUpTo limit: Int = UserSketch.usualExactLimit) -> UserSketch {
  var sketch = UserSketch(exactUpTo: limit)
  for number in numbers { sketch.insert(user(number, seed: seed)) }
  return sketch
}

func month(_ text: String) throws -> CalendarMonth { try #require(CalendarMonth(text)) }
func day(_ text: String) throws -> CalendarDay { try #require(CalendarDay(text)) }

/// The reason for which `work` refuses its bytes; nil if it accepts them.
func refusal(_ work: () throws -> Void) -> AudienceFormatError? {
  do {
    try work()
    return nil
  } catch let error as AudienceFormatError {
    return error
  } catch {
    Issue.record("another error: \(error)")
    return nil
  }
}
