internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// Runs tasks on the event loop of one connection: between the bytes that come and those that go no thread is changed.
///
/// What takes long must not run here, because other connections share the loop: `offLoop` in `GatewayHTTP` takes it elsewhere.
final class LoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    self.loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

/// A kind of connection whose requests are handled on its own event loop.
struct LoopBoundChannel<Base: ServerChildChannel>: ServerChildChannel {
  typealias Value = Base.Value

  private let base: Base

  init(_ base: Base) { self.base = base }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> { self.base.setup(channel: channel, logger: logger) }

  @concurrent
  func handle(value: Value, logger: Logger) async {
    await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
      await self.base.handle(value: value, logger: logger)
    }
  }
}
