internal import AuditSigning
internal import Synchronization

/// Random bytes that nobody can guess, fetched from libcrypto by the block: an id costs no call of the system.
final class RandomSource: Sendable {
  private static let block = 1024
  private let waiting = Mutex<[UInt8]>([])

  func bytes(_ count: Int) -> [UInt8] {
    guard count <= Self.block else { return Self.fresh(count) }
    return self.waiting.withLock { waiting in
      if waiting.count < count { waiting = Self.fresh(Self.block) }
      let taken = Array(waiting.suffix(count))
      waiting.removeLast(count)
      return taken
    }
  }

  private static func fresh(_ count: Int) -> [UInt8] {
    do { return try secureRandomBytes(count) } catch {
      // The system's own source never fails.
      return (0..<count).map { _ in UInt8.random(in: 0...255) }
    }
  }
}
