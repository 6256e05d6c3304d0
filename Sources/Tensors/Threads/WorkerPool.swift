internal import CKernels

/// The threads that share one operation's work: the caller and `threads - 1` helpers.
///
/// A dispatch allocates nothing: an operation describes itself in a struct on the caller's stack, and a plain function runs one
/// task of it. Helpers spin for about 0.1 ms after a job and then sleep. One caller at a time.
public final class WorkerPool {
  public static let threadLimit = 1024
  public let threads: Int
  private let pool: OpaquePointer

  /// - Parameter pinned: whether helpers stay on a processor each, where there are as many threads as processors to run on. (Fewer
  ///   threads would crowd with those of other pools on the first processors.)
  /// - Throws: `threadsUnavailable` outside 1...1024 or where the system refuses.
  public init(threads: Int, pinned: Bool = false) throws(TensorError) {
    let processors = UsableProcessors.allowed.map { Int32($0) }
    let isPinned = pinned && processors.count == threads && UsableProcessors.count == threads
    let create = { processors.withUnsafeBufferPointer { ck_pool_create(threads, isPinned ? $0.baseAddress : nil) } }
    guard (1...Self.threadLimit).contains(threads), let pool = create() else {
      throw TensorError(.threadsUnavailable, "\(threads) threads cannot be had; 1 to \(Self.threadLimit) are allowed.")
    }
    self.threads = threads
    self.pool = pool
  }

  deinit { ck_pool_destroy(self.pool) }

  /// Runs tasks 0..<count of the job, each once, on any thread; returns when all are done.
  ///
  /// `task` gets the job, the task's index and the number of the worker, which selects scratch memory. Tasks run at once and must
  /// write to different places. `Job` holds plain pointers and numbers only.
  ///
  /// - Parameters:
  ///   - isSmall: the whole job takes a few microseconds; the caller does it alone, as meeting the helpers would take as long.
  ///   - ahead: for each thread what it will probably read next, which it fetches while it waits for the others.
  func run<Job>(
    _ job: inout Job, count: Int, isSmall: Bool = false, ahead: UnsafePointer<UnsafePointer<UInt8>?>? = nil,
    _ task: @convention(c) (UnsafeMutableRawPointer?, Int, Int) -> Void
  ) {
    withUnsafeMutablePointer(to: &job) { pointer in
      if isSmall {
        for index in 0..<count { task(pointer, index, 0) }
      } else {
        ck_pool_run(self.pool, count, task, pointer, ahead)
      }
    }
  }
}
