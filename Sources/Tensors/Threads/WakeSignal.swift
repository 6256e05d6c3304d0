internal import Glibc
internal import Synchronization

/// A door bell for one waiting thread: however often it rings before the thread looks, the thread wakes once.
public final class WakeSignal: Sendable {
  // Reason for nonisolated(unsafe): a pointer is not Sendable to the compiler, but POSIX lets any thread post and wait on a semaphore.
  // Invariant: it points to one that `init` made and `deinit`, which runs when no thread holds this object, destroys; it never changes.
  private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>
  private let isRung = Atomic<Bool>(false)

  public init() {
    self.semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    sem_init(self.semaphore, 0, 0)
  }

  deinit {
    sem_destroy(self.semaphore)
    self.semaphore.deallocate()
  }

  public func ring() {
    guard !self.isRung.exchange(true, ordering: .acquiringAndReleasing) else { return }
    sem_post(self.semaphore)
  }

  /// Waits until ``ring()`` was called since the last return.
  public func wait() {
    while sem_wait(self.semaphore) != 0 && errno == EINTR {}
    _ = self.isRung.exchange(false, ordering: .acquiringAndReleasing)
  }
}
