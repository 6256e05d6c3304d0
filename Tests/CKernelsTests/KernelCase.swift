import CKernels
import EngineFixtures
import Testing

/// An instruction set by the name that a failing test shows.
struct KernelSet: CustomTestStringConvertible, Sendable {
  let name: String
  let isa: ck_isa

  static let available = [("scalar", CK_ISA_SCALAR), ("avx2", CK_ISA_AVX2), ("avx512", CK_ISA_AVX512), ("neon", CK_ISA_NEON)]
    .map { KernelSet(name: $0.0, isa: $0.1) }
    .filter { ck_kernels_for($0.isa) != nil }

  var testDescription: String { self.name }

  func kernels() throws -> ck_kernels {
    struct Missing: Error {}
    guard let table = ck_kernels_for(self.isa) else { throw Missing() }
    return table.pointee
  }
}

extension SplitMix64 {
  mutating func floats(_ count: Int, scale: Float = 1) -> [Float] { (0..<count).map { _ in self.unit() * scale } }
}

/// The distance of two results in units of what their addends could have rounded to.
func isClose(_ a: Float, _ b: Float, magnitude: Float, _ tolerance: Float = 2e-6) -> Bool {
  abs(a - b) <= tolerance * magnitude + 1e-30
}

/// What a kernel must not write to.
let canary: Float = 12345.5
