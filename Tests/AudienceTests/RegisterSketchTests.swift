import Glibc
import Testing

@testable import Audience

@Suite("Registers: ExaLogLog with t = 2, d = 20, p = 14")
struct RegisterSketchTests {
  @Test(
    "a fingerprint selects a register by bits 2 to 15 and gives a value by its leading zeros and last two bits",
    arguments: [
      (fingerprint: 0, index: 0, value: 193), (3, 0, 196), (.max, 16_383, 4), (1 << 63, 0, 1), (1 << 62, 0, 5),
      (1 << 63 | 0b101, 1, 2),
      (1 << 16, 0, 189), (0xFFFF, 16_383, 196), (1 << 15, 8192, 193),
    ] as [(fingerprint: UInt64, index: Int, value: UInt32)])
  func parts(fingerprint: UInt64, index: Int, value: UInt32) {
    #expect(RegisterSketch.index(of: fingerprint) == index)
    #expect(RegisterSketch.value(of: fingerprint) == value)
  }

  /// The register by its definition: of a set of values the highest, and which of the 20 below it are in the set, 0 always being.
  private func defined(_ values: Set<Int>) -> UInt32 {
    guard let highest = values.max() else { return 0 }
    let seen = values.union([0]).filter { $0 < highest && $0 >= highest - 20 }
    return UInt32(highest) << 20 | seen.reduce(0) { $0 | 1 << UInt32(20 - (highest - $1)) }
  }

  @Test(
    "a register follows from the set of its values; merging is the union of the sets", arguments: 1...20 as ClosedRange<UInt64>)
  func definition(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let spread = Int.random(in: 5...195, using: &generator)
    let sets = (0..<2).map { _ in
      (0..<Int.random(in: 0...30, using: &generator)).map { _ in Int.random(in: 1...1 + spread, using: &generator) }
    }
    let registers = sets.map { $0.reduce(UInt32(0)) { RegisterSketch.register($0, with: UInt32($1)) } }
    for (set, register) in zip(sets, registers) {
      #expect(register == self.defined(Set(set)), "seed \(seed), values \(set)")
      #expect(RegisterSketch.isPossible(register), "seed \(seed), values \(set)")
    }
    let union = self.defined(Set(sets[0] + sets[1]))
    #expect(RegisterSketch.merged(registers[0], registers[1]) == union, "seed \(seed), values \(sets)")
    #expect(RegisterSketch.merged(registers[1], registers[0]) == union, "seed \(seed), values \(sets)")
  }

  @Test(
    "tells registers that no values leave",
    arguments: [
      (0, true), (1, false), (1 << 20 | 1 << 19, true), (1 << 20, false), (1 << 20 | 1 << 19 | 1, false), (20 << 20 | 1, true),
      (20 << 20, false), (21 << 20, true), (196 << 20 | 0xFFFFF, true), (197 << 20 | 0xFFFFF, false), (.max, false),
    ] as [(UInt32, Bool)])
  func possible(register: UInt32, isPossible: Bool) {
    #expect(RegisterSketch.isPossible(register) == isPossible)
  }

  @Test("the running sums are those of the registers")
  func sums() {
    var sketch = RegisterSketch()
    for number in 0..<100_000 {
      _ = sketch.insert(user(number).value)
      guard number.isMultiple(of: 9_999) else { continue }
      let fresh = RegisterSketch(registers: sketch.registers)
      #expect(sketch.likeliestCount == fresh?.likeliestCount && sketch.chanceOfChange == fresh?.chanceOfChange)
    }
  }

  /// The derivative of the logarithm of the likelihood by the mean, value by value from the definition and the C library.
  private func derivative(of registers: [UInt32], at mean: Double) -> Double {
    registers.reduce(0) { sum, register in
      let highest = Int(register >> 20)
      return (1...196).reduce(sum) { sum, value in
        let chance = pow(2, -Double(min(3 + (value - 1) / 4, 50)))
        if value > highest { return sum - chance }
        let isSeen = value == highest || highest - value <= 20 && register >> UInt32(20 - (highest - value)) & 1 == 1
        if isSeen { return sum + chance / expm1(mean * chance) }
        return highest - value <= 20 ? sum - chance : sum
      }
    }
  }

  @Test("the estimate is where the likelihood has its maximum", arguments: [1, 100, 20_000, 150_000])
  func maximum(count: Int) {
    var sketch = RegisterSketch()
    for number in 0..<count { _ = sketch.insert(user(number, seed: 9).value) }
    let mean = sketch.likeliestCount / 16_384
    #expect(self.derivative(of: sketch.registers, at: mean * (1 - 1e-7)) > 0)
    #expect(self.derivative(of: sketch.registers, at: mean * (1 + 1e-7)) < 0)
  }

  @Test("an empty sketch counts none, a full one as many as can be said")
  func ends() {
    #expect(RegisterSketch().likeliestCount == 0 && RegisterSketch().chanceOfChange == 1)
    let full = RegisterSketch(registers: [UInt32](repeating: 196 << 20 | 0xFFFFF, count: 16_384))
    #expect(full?.likeliestCount == Double(AudienceEstimate.largest) && full?.chanceOfChange == 0)
    #expect(RegisterSketch(registers: []) == nil)
    #expect(RegisterSketch(registers: [UInt32](repeating: 1, count: 16_384)) == nil)
  }

  @Test("estimates stay near the truth far beyond what can be counted here", arguments: [30, 40])
  func largeCounts(logarithm: Int) throws {
    // Each value is seen with the probability that 2^logarithm fingerprints give it.
    var generator = SplitMix64(seed: 5)
    let mean = pow(2, Double(logarithm - 14))
    let registers = (0..<16_384).map { _ -> UInt32 in
      (1...196).reduce(UInt32(0)) { register, value in
        let chance = -expm1(-mean * pow(2, -Double(min(3 + (value - 1) / 4, 50))))
        return Double.random(in: 0..<1, using: &generator) < chance
          ? RegisterSketch.register(register, with: UInt32(value)) : register
      }
    }
    let sketch = try #require(RegisterSketch(registers: registers))
    let error = sketch.likeliestCount / pow(2, Double(logarithm)) - 1
    #expect(error.magnitude < 4 * RegisterSketch.sigma, "\(error)")
  }

  @Test("exponentials and logarithms agree with the C library")
  func elementary() {
    for exponent in stride(from: -60.0, through: 9.4, by: 0.37) {
      let x = pow(2, exponent)
      #expect((exponentialMinusOne(x) / expm1(x) - 1).magnitude < 1e-12, "\(x)")
      #expect((naturalLogarithm(1 + x) - log(1 + x)).magnitude <= 4e-16 * max(1, log(1 + x)), "\(x)")
    }
    #expect(exponentialMinusOne(0) == 0 && exponentialMinusOne(1000) == .infinity && naturalLogarithm(1) == 0)
  }
}
