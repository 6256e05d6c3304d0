import Foundation
import FuzzHarnesses
import Testing

/// What the fuzzer starts from, what it once found, and changes of both: parsed or refused, never a crash.
struct FuzzCaseTests {
  static func cases(_ kind: String, _ target: FuzzTarget) throws -> [[UInt8]] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "FuzzTesting/\(kind)/\(target.rawValue)")
    guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .map { [UInt8](try Data(contentsOf: $0)) }
  }

  @Test("every seed is accepted, every input that once failed is survived", arguments: FuzzTarget.allCases)
  func kept(target: FuzzTarget) throws {
    let seeds = try Self.cases("Seeds", target)
    try #require(!seeds.isEmpty)
    for seed in seeds { #expect(target.run(seed)) }
    for input in try Self.cases("FailCases", target) { target.run(input) }
  }

  @Test("changes of a seed", arguments: FuzzTarget.allCases, [UInt64(1), 2])
  func mutations(target: FuzzTarget, seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let seeds = try Self.cases("Seeds", target)
    var accepted = 0
    for _ in 0..<400 {
      var bytes = try #require(seeds.randomElement(using: &random))
      for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
        let position = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[position] = .random(in: .min ... .max, using: &random)
        case 1: bytes.remove(at: position)
        case 2: bytes.insert(.random(in: .min ... .max, using: &random), at: position)
        default: bytes.removeLast(bytes.count - position)
        }
      }
      if !bytes.isEmpty, target.run(bytes) { accepted += 1 }
    }
    #expect(accepted < 400, "seed \(seed)")
  }
}
