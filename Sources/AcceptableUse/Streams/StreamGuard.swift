/// What one step of a stream leads to.
public struct GuardStep: Sendable, Hashable {
  /// Text that may now be shown; whole scalars, empty if nothing is clear.
  public var released: String
  /// Set by the one step in which something enforced was found. Nothing is released afterwards: end the stream.
  public var finding: Assessment?
}

/// Lets a stream of generated text through as far as it cannot be part of a match of an enforced rule.
///
/// Held back are: a live beginning of a phrase; a match that an allowed context may still clear; from the first part of a
/// proximity window to where the window closes; an encoded run after its first 16 bytes. An enforced classifier is asked at the end
/// of each clause and after every ``evaluationWords`` words; ``StreamHold`` says whether the text waits for it. At most `maximumHold`
/// bytes are held: what exceeds them is released from the front (``exceededHold`` says so), so of a match that spans more than that
/// (a wide window, a word stuffed with invisible characters) the beginning may have been shown. The finding itself does not depend
/// on the hold. No byte of any other enforced match is ever released, and both the finding and the text released are the same however
/// the stream is cut.
///
/// One value per stream. A step costs O(bytes appended + maximumHold).
public struct StreamGuard: Sendable {
  /// In bytes.
  public static let defaultHold = 256
  /// Words after which the classifier is asked even if no clause has ended.
  public static let evaluationWords = 64

  private let rules: DirectedRules
  private let hold: StreamHold
  private let waitsForMore: Bool
  private let maximumHold: Int
  private var scan: TextScan
  private var held: [UInt8] = []
  /// Offset of the first byte held.
  private var heldStart = 0
  /// Offset up to which the classifier has found nothing.
  private var evaluated = 0
  private var isOver = false
  /// Whether text was released that would have waited, because more than the bound would have been held.
  public private(set) var exceededHold = false

  init(_ rules: DirectedRules, classifier: LinearClassifier?, hold: StreamHold, waitsForMore: Bool, maximumHold: Int) {
    self.rules = rules
    self.hold = hold
    self.waitsForMore = waitsForMore
    self.maximumHold = max(0, maximumHold)
    self.scan = TextScan(
      rules.compiled, modes: rules.modes, classifier: classifier, threshold: rules.classifier.threshold)
  }

  /// What was found so far, rules in mode shadow and annotate included: for the record when the stream ends.
  public var assessment: Assessment { Assessment(self.scan, self.rules) }

  /// Bytes that were taken in and neither released nor dropped.
  public var heldBytes: Int { self.held.count }

  /// Takes the next piece of the stream.
  public mutating func append(_ text: String) -> GuardStep {
    guard !self.isOver else { return GuardStep(released: "", finding: nil) }
    self.held.append(contentsOf: text.utf8)
    for scalar in text.unicodeScalars {
      // What would have been shown before this scalar, had it come alone: the same text is shown however the stream is cut.
      let shown = self.isEnforcing && Self.mayBeDue(scalar) ? min(self.scan.clearOffset, self.waitingOffset) : 0
      self.scan.feed(scalar)
      if self.scan.isFlagged { return self.stop(before: min(self.scan.clearOffset, self.scan.matchedOffset, self.waitingOffset)) }
      if self.isEnforcing, self.isDue(after: scalar), self.isOverThreshold() { return self.stop(before: shown) }
    }
    return GuardStep(released: self.release(to: min(self.scan.clearOffset, self.waitingOffset)), finding: nil)
  }

  /// Ends the stream: releases what is held, or finds what only its end decides.
  public mutating func finish() -> GuardStep {
    guard !self.isOver else { return GuardStep(released: "", finding: nil) }
    self.scan.finish()
    if self.scan.isFlagged { return self.stop(before: min(self.scan.clearOffset, self.scan.matchedOffset, self.waitingOffset)) }
    if self.isEnforcing, self.isOverThreshold() { return self.stop(before: self.heldStart) }
    self.isOver = true
    return GuardStep(released: self.release(to: self.scan.position), finding: nil)
  }

  private var isEnforcing: Bool { self.rules.classifier.mode == .enforce && self.scan.classifier != nil }

  /// At the end of a clause, and at every ``evaluationWords``-th word.
  private func isDue(after scalar: Unicode.Scalar) -> Bool {
    guard Self.mayBeDue(scalar) else { return false }
    return scalar != " " || (self.scan.words > 0 && self.scan.words % Self.evaluationWords == 0)
  }

  private static func mayBeDue(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case ".", "!", "?", ";", ":", ",", "\n", "。", "！", "？", "；", "，", "：", " ": true
    default: false
    }
  }

  /// Asks the classifier about the text so far; true if it is over the threshold with a use that is not permitted.
  private mutating func isOverThreshold() -> Bool {
    guard !Assessment(self.scan, self.rules).flagged else { return true }
    self.evaluated = self.scan.position
    return false
  }

  private var waitingOffset: Int {
    switch self.isEnforcing || self.waitsForMore ? self.hold : .live {
    case .live: .max
    case .sentence: self.evaluated
    case .all: 0
    }
  }

  private mutating func stop(before offset: Int) -> GuardStep {
    self.isOver = true
    let step = GuardStep(released: self.release(to: offset), finding: self.assessment)
    self.held = []
    return step
  }

  /// Takes the bytes before `clear` out of the hold, and more where the hold would exceed its bound.
  private mutating func release(to clear: Int) -> String {
    if self.scan.position - self.maximumHold > clear { self.exceededHold = true }
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
