internal import Synchronization

/// Something that happens once and that others ask for.
final class Flag: Sendable {
  private let state = Atomic(false)

  var isRaised: Bool { self.state.load(ordering: .acquiring) }

  func raise() { self.state.store(true, ordering: .releasing) }
}
