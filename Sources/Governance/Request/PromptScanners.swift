internal import AcceptableUse
internal import Synchronization

/// Scanners that have read prompts and wait for the next: a prompt without findings then costs no memory of its own.
final class PromptScanners: Sendable {
  private let direction: TextDirection
  private let kept: Int
  private let idle = Mutex<[TextScanner]>([])

  /// - Parameter kept: how many wait at most.
  init(_ direction: TextDirection, kept: Int) {
    self.direction = direction
    self.kept = kept
  }

  func assess(_ texts: [String], _ policy: AcceptableUsePolicy) -> [Assessment] {
    var scanner = self.idle.withLock { $0.popLast() } ?? policy.scanner(self.direction)
    let assessments = texts.map { scanner.assess($0) }
    self.idle.withLock { [scanner, kept] idle in if idle.count < kept { idle.append(scanner) } }
    return assessments
  }
}
