internal import NIOCore
internal import NIOHTTPTypes
internal import OpenAIWire
internal import Synchronization

/// Writes a comment into a stream that has been silent for a while, so that no proxy on the way takes it for dead.
///
/// It writes on the connection's own loop and only between `init` and ``stop()``, so never before the head and never after the end.
final class Heartbeat: Sendable {
  private struct State {
    var lastWrite = NIODeadline.now()
    var isOver = false
    var task: RepeatedTask?
  }

  private static let interval = TimeAmount.seconds(15)
  private let state = Mutex(State())

  init(_ channel: any Channel, every interval: TimeAmount = Heartbeat.interval) {
    let task = channel.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak self] task in
      guard let self else { return task.cancel() }
      let isSilent = self.state.withLock { !$0.isOver && NIODeadline.now() - $0.lastWrite >= interval }
      guard isSilent, channel.isWritable else { return }
      channel.writeAndFlush(HTTPResponsePart.body(ByteBuffer(bytes: ServerSentEvent.keepAlive)), promise: nil)
    }
    self.state.withLock { $0.task = task }
  }

  /// Something was written.
  func beat() { self.state.withLock { $0.lastWrite = .now() } }

  func stop() {
    let task = self.state.withLock { state -> RepeatedTask? in
      state.isOver = true
      defer { state.task = nil }
      return state.task
    }
    task?.cancel()
  }
}
