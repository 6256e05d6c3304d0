internal import Dispatch
internal import GRDB
internal import Synchronization

/// Read-only connections, used in turn. Each sees a consistent picture of what is committed, and none delays the writer.
final class ReaderPool: Sendable {
  private struct State {
    var turn = 0
    var active = 0
    var isClosed = false
  }

  struct Closed: Error, CustomStringConvertible {
    let description = "the store is closed"
  }

  private let connections: [DatabaseQueue]
  private let state = Mutex(State())
  private let idle = DispatchSemaphore(value: 0)

  init(path: String, count: Int) throws {
    self.connections = try (0..<count).map { try openReadingConnection(path: path, number: $0) }
  }

  /// The connection of one read. A connection must not be asked anything once it is closed, so reads are counted in and out.
  private func enter() throws -> DatabaseQueue {
    try self.state.withLock { state in
      guard !state.isClosed else { throw Closed() }
      state.active += 1
      state.turn = (state.turn + 1) % self.connections.count
      return self.connections[state.turn]
    }
  }

  private func leave() {
    let isLast = self.state.withLock { state in
      state.active -= 1
      return state.isClosed && state.active == 0
    }
    if isLast { self.idle.signal() }
  }

  func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    let connection = try self.enter()
    defer { self.leave() }
    return try await connection.read(body)
  }

  /// Blocks the calling thread for the time of the read.
  func readNow<Value>(_ body: (Database) throws -> Value) throws -> Value {
    let connection = try self.enter()
    defer { self.leave() }
    return try connection.read(body)
  }

  /// Waits for reads that are under way; later ones fail. Called once.
  ///
  /// - Throws: the last error, after all connections were tried.
  func close() throws {
    let isBusy = self.state.withLock { state in
      state.isClosed = true
      return state.active > 0
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
