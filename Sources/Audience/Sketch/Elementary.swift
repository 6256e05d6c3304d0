// The two transcendental functions that estimates need. A domain imports no C library, and these give the same bits everywhere.

/// e^x - 1 for x >= 0, to some 15 digits also where x is small; infinite where it is too large.
func exponentialMinusOne(_ x: Double) -> Double {
  guard x < 710 else { return .infinity }
  var reduced = x
  var doublings = 0
  while reduced > 1.0 / 64 {
    reduced /= 2
    doublings += 1
  }
  // Taylor's series; the first term left out is below 2^-60 of the sum.
  var series = 1.0
  for term in stride(from: 9.0, to: 1, by: -1) { series = 1 + reduced / term * series }
  var result = reduced * series
  for _ in 0..<doublings { result *= 2 + result }
  return result
}

/// The natural logarithm of x > 0.
func naturalLogarithm(_ x: Double) -> Double {
  let logarithmOfTwo = 0.693_147_180_559_945_3
  var significand = x.significand
  var exponent = x.exponent
  if significand > 1.414_213_562_373_095_1 {
    significand /= 2
    exponent += 1
  }
  // ln s = 2 artanh w with w = (s - 1) / (s + 1), at most 0.172.
  let ratio = (significand - 1) / (significand + 1)
  let square = ratio * ratio
  var series = 0.0
  for term in stride(from: 23.0, through: 1, by: -2) { series = series * square + 1 / term }
  return Double(exponent) * logarithmOfTwo + 2 * ratio * series
}
