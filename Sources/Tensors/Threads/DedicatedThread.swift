internal import CKernels
internal import Glibc
internal import Synchronization

/// A thread of its own for work that would block or starve Swift's cooperative threads.
public final class DedicatedThread: Sendable {
  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }

    func run() {
      ck_thread_set_name(self.name)
      self.body()
    }
  }

  private let thread: Mutex<pthread_t?>

  /// Starts the thread at once.
  ///
  /// - Parameter name: shown by the system's tools; at most 15 bytes are.
  /// - Throws: `threadsUnavailable` where the system refuses.
  public init(name: String, _ body: @escaping @Sendable () -> Void) throws(TensorError) {
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    let code = pthread_create(
      &thread, nil,
      { argument in
        // The one retain taken above is consumed here, by the one thread that gets the pointer.
        guard let argument else { return nil }
        Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw TensorError(.threadsUnavailable, "The system refuses another thread (error \(code)).")
    }
    self.thread = Mutex(thread)
  }

  /// Waits for the end of the body; later calls return at once. Must not be called from the body.
  public func join() {
    let thread = self.thread.withLock { stored -> pthread_t? in
      defer { stored = nil }
      return stored
    }
    if let thread { pthread_join(thread, nil) }
  }

  deinit {
    if let thread = self.thread.withLock({ $0 }) { pthread_detach(thread) }
  }
}
