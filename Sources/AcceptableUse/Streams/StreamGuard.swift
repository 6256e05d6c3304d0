/// What one step of a stream leads to.
public struct GuardStep: Sendable, Hashable {
  /// Text that may now be shown; whole scalars, empty if nothing is clear.
  public var released: String
  /// Set by the one step in which a rule in mode enforce matched. Nothing is released afterwards: end the stream.
  public var finding: Assessment?
}

/// Lets a stream of generated text through as far as it cannot be part of a match of an enforced rule.
///
/// Held back are: a live beginning of a phrase; a match that an allowed context may still clear; from the first part of a
/// proximity window to where the window closes; an encoded run after its first 16 bytes. At most `maximumHold` bytes are held:
/// what exceeds them is released from the front, so of a match that spans more than that (a wide window, a word stuffed with
/// invisible characters) the beginning may have been shown. The finding itself does not depend on the hold. No byte of any
/// other enforced match is ever released, and both the finding and the text released are the same however the stream is cut.
///
/// One value per stream. A step costs O(bytes appended + maximumHold).
public struct StreamGuard: Sendable {
  /// In bytes.
  public static let defaultHold = 256

  private let rules: CompiledRules
  private let modes: [RuleMode]
  private let maximumHold: Int
  private var scan: TextScan
  private var held: [UInt8] = []
  /// Offset of the first byte held.
  private var heldStart = 0
  private var isOver = false

  init(_ rules: CompiledRules, modes: [RuleMode], maximumHold: Int) {
    self.rules = rules
    self.modes = modes
    self.maximumHold = max(0, maximumHold)
    self.scan = TextScan(rules, modes: modes)
  }

  /// What was found so far, rules in mode shadow and annotate included: for the record when the stream ends.
  public var assessment: Assessment { Assessment(self.scan, self.rules, self.modes) }

  /// Bytes that were taken in and neither released nor dropped.
  public var heldBytes: Int { self.held.count }

  /// Takes the next piece of the stream.
  public mutating func append(_ text: String) -> GuardStep {
    guard !self.isOver else { return GuardStep(released: "", finding: nil) }
    self.held.append(contentsOf: text.utf8)
    for scalar in text.unicodeScalars {
      self.scan.feed(scalar)
      if self.scan.isFlagged { return self.stop() }
    }
    return GuardStep(released: self.release(to: self.scan.clearOffset), finding: nil)
  }

  /// Ends the stream: releases what is held, or finds what only its end decides.
  public mutating func finish() -> GuardStep {
    guard !self.isOver else { return GuardStep(released: "", finding: nil) }
    self.scan.finish()
    if self.scan.isFlagged { return self.stop() }
    self.isOver = true
    return GuardStep(released: self.release(to: self.scan.position), finding: nil)
  }

  private mutating func stop() -> GuardStep {
    self.isOver = true
    let clear = min(self.scan.clearOffset, self.scan.matchedOffset)
    let step = GuardStep(released: self.release(to: clear), finding: self.assessment)
    self.held = []
    return step
  }

  /// Takes the bytes before `clear` out of the hold, and more where the hold would exceed its bound.
  private mutating func release(to clear: Int) -> String {
    var count = max(clear, self.scan.position - self.maximumHold) - self.heldStart
    guard count > 0 else { return "" }
    // A bound may fall inside a scalar: UTF-8 continuation bytes stay with their first byte.
    while count > 0, count < self.held.count, self.held[count] & 0xC0 == 0x80 { count -= 1 }
    let released = String(decoding: self.held[..<count], as: UTF8.self)
    self.held.removeFirst(count)
    self.heldStart += count
    return released
  }
}
