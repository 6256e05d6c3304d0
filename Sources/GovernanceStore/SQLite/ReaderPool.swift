internal import Dispatch
internal import GRDB
internal import Synchronization

/// Read-only connections. Each sees a consistent picture of what is committed, and none delays the writer.
///
/// A read goes to the connection that has least to do, so that a proof does not wait behind an export while another is idle; and to
/// the first of several, so that the caches of the others stay small.
final class ReaderPool: Sendable {
  private struct State {
    /// Reads that each connection has and has not ended.
    var reads: [Int]
    var isClosed = false
  }

  struct Closed: Error, CustomStringConvertible {
    let description = "the store is closed"
  }

  private let connections: [DatabaseQueue]
  private let state: Mutex<State>
  private let idle = DispatchSemaphore(value: 0)

  init(path: String, count: Int) throws {
    self.connections = try (0..<count).map { try openReadingConnection(path: path, number: $0) }
    self.state = Mutex(State(reads: [Int](repeating: 0, count: count)))
  }

  /// The number of the connection of one read. A connection must not be asked anything once it is closed, so reads are counted in
  /// and out.
  private func enter() throws -> Int {
    try self.state.withLock { state in
      guard !state.isClosed else { throw Closed() }
      var least = 0
      for number in state.reads.indices where state.reads[number] < state.reads[least] { least = number }
      state.reads[least] += 1
      return least
    }
  }

  private func leave(_ number: Int) {
    let isLast = self.state.withLock { state in
      state.reads[number] -= 1
      return state.isClosed && state.reads.allSatisfy { $0 == 0 }
    }
    if isLast { self.idle.signal() }
  }

  func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    let number = try self.enter()
    defer { self.leave(number) }
    return try await self.connections[number].read(body)
  }

  /// Blocks the calling thread for the time of the read.
  func readNow<Value>(_ body: (Database) throws -> Value) throws -> Value {
    let number = try self.enter()
    defer { self.leave(number) }
    return try self.connections[number].read(body)
  }

  /// Waits for reads that are under way; later ones fail. Called once.
  ///
  /// - Throws: the last error, after all connections were tried.
  func close() throws {
    let isBusy = self.state.withLock { state in
      state.isClosed = true
      return state.reads.contains { $0 > 0 }
    }
    if isBusy { self.idle.wait() }
    var failure: (any Error)?
    for connection in self.connections {
      do {
        try connection.close()
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}
