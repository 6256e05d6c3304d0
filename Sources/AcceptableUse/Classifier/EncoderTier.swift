public import GovernanceTypes

/// A slower reader of whole texts behind the linear tier, asked only where that one is in doubt.
public protocol EncoderTier: Sendable {
  var terms: EncoderTerms { get }
  /// Waits no longer than the tier's own bound.
  ///
  /// - Throws: Why there is no reading.
  func reading(of text: String) async throws(DetectorFailure) -> EncoderReading
}

/// What an encoder says of one text.
public struct EncoderReading: Sendable, Hashable {
  /// That it is a violation: thousandths of a logit.
  public var logit: Int
  /// Which use it is, if it is one: millionths for each head of the linear tier, in their order.
  public var heads: [Int]

  public init(logit: Int, heads: [Int]) {
    self.logit = logit
    self.heads = heads
  }
}

/// When an encoder is asked, and how its logit and that of the linear tier become one.
///
/// The sum stands on the scale of the linear tier's logits: its map to scores and its threshold hold for both.
public struct EncoderTerms: Sendable, Hashable {
  /// Names the encoder's weights in records.
  public let digest: Digest
  /// The linear tier's logits at which the encoder is asked, in thousandths.
  public let band: ClosedRange<Int>
  /// What each logit counts, in thousandths.
  public let linearWeight: Int
  public let encoderWeight: Int
  /// Added to the sum, in thousandths of a logit.
  public let offset: Int

  public init(digest: Digest, band: ClosedRange<Int>, linearWeight: Int, encoderWeight: Int, offset: Int) {
    self.digest = digest
    self.band = band
    self.linearWeight = linearWeight
    self.encoderWeight = encoderWeight
    self.offset = offset
  }

  /// Thousandths of a logit, rounded toward zero.
  func combined(linear: Int, encoder: Int) -> Int {
    (self.linearWeight * linear + self.encoderWeight * encoder) / 1000 + self.offset
  }
}
