internal import AcceptableUse
internal import Glibc
internal import TextEncoder

/// What the labels of an encoder mean to the policy.
struct EncoderDetector: EncoderTier {
  let encoder: EncoderThread
  let terms: EncoderTerms
  /// The place of the label that says whether a text is a violation at all.
  let violation: Int
  /// For each head of the linear tier the place of its label; nil where the encoder has none.
  let heads: [Int?]

  func reading(of text: String) async throws(DetectorFailure) -> EncoderReading {
    let stretches: [[Float]]
    do throws(EncoderFailure) { stretches = try await self.encoder.logits(text) } catch {
      switch error {
      case .late: throw .timeout
      case .full: throw .overloaded
      case .shutDown: throw .engineError
      }
    }
    // What the worst stretch of a text says.
    guard let worst = stretches.max(by: { $0[self.violation] < $1[self.violation] }), worst.allSatisfy(\.isFinite) else {
      throw .indeterminate
    }
    return EncoderReading(
      logit: Int((min(max(worst[self.violation], -1000), 1000) * 1000).rounded()),
      heads: self.heads.map { $0.map { Self.millionths(worst[$0]) } ?? 0 })
  }

  private static func millionths(_ logit: Float) -> Int { Int(1_000_000 / (1 + exp(-Double(logit)))) }
}
