/// The exponential of a number that is not positive.
///
/// The mathematics library is not used because its last bit differs between versions and machines, and a seed must give
/// the same text everywhere: these are additions and multiplications only, each rounded as IEEE 754 says. The relative
/// error is below 2e-7. Below -87, where results would leave the normal numbers, and for a NaN the result is 0.
///
/// Method: Cody and Waite, reduction by multiples of ln 2 in two parts, then a polynomial on ±ln 2 / 2.
@inline(__always)
func exponential(_ x: Float) -> Float {
  guard x >= -87 else { return 0 }
  // Adding 1.5 * 2^23 rounds to the nearest integer, which then stands in the low bits.
  let magic: Float = 12_582_912
  let shifted = x * 1.442_695_04 + magic
  let power = shifted - magic
  let rest = (x - power * 0.693_359_375) - power * -2.121_944_4e-4
  var sum: Float = 1.987_569_15e-4
  sum = sum * rest + 1.398_199_95e-3
  sum = sum * rest + 8.333_451_9e-3
  sum = sum * rest + 4.166_579_6e-2
  sum = sum * rest + 1.666_666_55e-1
  sum = sum * rest + 0.5
  sum = sum * rest * rest + rest + 1
  return Float(bitPattern: sum.bitPattern &+ (shifted.bitPattern &<< 23))
}
