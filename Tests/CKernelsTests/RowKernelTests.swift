import CKernels
import EngineFixtures
import Foundation
import Testing

/// Kernels over one row, at every length from 0 to 130, against their scalar twins and against the definition in f64.
@Suite(.serialized)
struct RowKernelTests {
  @Test("rmsnorm", arguments: KernelSet.available)
  func rmsnorm(set: KernelSet) throws {
    let kernel = try set.kernels().rmsnorm
    var random = SplitMix64(seed: 21)
    for n in 0...130 {
      let (x, weight) = (random.floats(n, scale: 3), random.floats(n))
      var got = [Float](repeating: canary, count: n + 1)
      var twin = got
      kernel?(&got, x, weight, n, 1e-5)
      ck_rmsnorm_ref(&twin, x, weight, n, 1e-5)
      #expect(got[n] == canary)
      let mean = x.reduce(0) { $0 + Double($1) * Double($1) } / Double(max(n, 1))
      for i in 0..<n {
        let exact = Float(Double(x[i]) * Double(weight[i]) / (mean + 1e-5).squareRoot())
        #expect(isClose(got[i], exact, magnitude: abs(exact)) && isClose(twin[i], exact, magnitude: abs(exact)), "n \(n)")
      }
      var inPlace = x
      inPlace.withUnsafeMutableBufferPointer { kernel?($0.baseAddress, UnsafePointer($0.baseAddress), weight, n, 1e-5) }
      #expect(inPlace == Array(got[..<n]))
    }
  }

  @Test("rope", arguments: KernelSet.available)
  func rope(set: KernelSet) throws {
    let kernel = try set.kernels().rope
    var random = SplitMix64(seed: 22)
    for pairs in 0...65 {
      let (heads, headStride) = (3, 2 * pairs + 3)
      let x = random.floats(heads * headStride)
      let (cosine, sine) = (random.floats(pairs), random.floats(pairs))
      var (got, twin) = (x, x)
      kernel?(&got, heads, headStride, cosine, sine, pairs)
      ck_rope_ref(&twin, heads, headStride, cosine, sine, pairs)
      for index in x.indices {
        let i = index % headStride
        guard i < 2 * pairs else {
          #expect(got[index] == x[index] && twin[index] == x[index])
          continue
        }
        let (a, b) = (Double(x[index - i % 2]), Double(x[index - i % 2 + 1]))
        let (c, s) = (Double(cosine[i / 2]), Double(sine[i / 2]))
        let exact = Float(i % 2 == 0 ? a * c - b * s : a * s + b * c)
        #expect(isClose(got[index], exact, magnitude: 2) && isClose(twin[index], exact, magnitude: 2), "pairs \(pairs)")
      }
    }
  }

  @Test("silu times", arguments: KernelSet.available)
  func silu(set: KernelSet) throws {
    let kernel = try set.kernels().silu_mul
    var random = SplitMix64(seed: 23)
    for n in 0...130 {
      let (gate, up) = (random.floats(n, scale: 20), random.floats(n))
      var got = gate + [canary]
      var twin = gate
      kernel?(&got, up, n)
      ck_silu_mul_ref(&twin, up, n)
      #expect(got[n] == canary)
      for i in 0..<n {
        let exact = Float(Double(gate[i]) / (1 + exp(-Double(gate[i]))) * Double(up[i]))
        #expect(isClose(got[i], exact, magnitude: abs(exact)) && isClose(twin[i], exact, magnitude: abs(exact)), "\(gate[i])")
      }
    }
  }

  @Test("silu far out neither overflows nor invents a number", arguments: KernelSet.available)
  func siluExtremes(set: KernelSet) throws {
    let kernel = try set.kernels().silu_mul
    let extremes: [Float] = [-1e30, -1000, -100, -90, -88, 0, 88, 100, 1e30]
    for value in extremes {
      var gate = [Float](repeating: value, count: 19)
      kernel?(&gate, [Float](repeating: 1, count: 19), 19)
      for got in gate {
        if value < 0 { #expect(got <= 0 && got > -1e-5 || value == -1e30 && got <= 0) } else { #expect(got == value) }
      }
    }
  }

  @Test("softmax", arguments: KernelSet.available)
  func softmax(set: KernelSet) throws {
    let kernel = try set.kernels().softmax
    var random = SplitMix64(seed: 24)
    for n in 0...130 {
      let x = random.floats(n, scale: 30)
      var got = x + [canary]
      var twin = x
      kernel?(&got, n)
      ck_softmax_ref(&twin, n)
      #expect(got[n] == canary)
      let high = Double(x.max() ?? 0)
      let sum = x.reduce(0) { $0 + exp(Double($1) - high) }
      for i in 0..<n {
        let exact = Float(exp(Double(x[i]) - high) / sum)
        #expect(isClose(got[i], exact, magnitude: exact + 1e-6) && isClose(twin[i], exact, magnitude: exact + 1e-6), "n \(n)")
      }
    }
  }

  @Test("axpy", arguments: KernelSet.available)
  func axpy(set: KernelSet) throws {
    let kernel = try set.kernels().axpy
    var random = SplitMix64(seed: 25)
    for n in 0...130 {
      let (x, y) = (random.floats(n), random.floats(n))
      var got = y + [canary]
      var twin = y
      kernel?(&got, 0.75, x, n)
      ck_axpy_ref(&twin, 0.75, x, n)
      #expect(got[n] == canary)
      for i in 0..<n { #expect(isClose(got[i], twin[i], magnitude: 1) && isClose(got[i], y[i] + 0.75 * x[i], magnitude: 1)) }
    }
  }
}
