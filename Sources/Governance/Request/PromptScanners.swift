internal import AcceptableUse
internal import Synchronization

/// Scanners that have read prompts and wait for the next: a prompt without findings then costs no memory of its own.
final class PromptScanners: Sendable {
  private static let kept = 8
  private let idle = Mutex<[TextScanner]>([])

  func assess(_ texts: [String], _ policy: AcceptableUsePolicy) -> [Assessment] {
    var scanner = self.idle.withLock { $0.popLast() } ?? policy.scanner(.prompt)
    let assessments = texts.map { scanner.assess($0) }
    self.idle.withLock { [scanner] idle in if idle.count < Self.kept { idle.append(scanner) } }
    return assessments
  }
}
