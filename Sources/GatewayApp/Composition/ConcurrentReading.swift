internal import Dispatch
internal import Synchronization

extension Array where Element: Sendable {
  /// What `read` makes of each element, in their order, on all cores at once: for files that know nothing of one another.
  ///
  /// - Throws: the error of the first element that has one.
  func readConcurrently<Value: Sendable>(_ read: @Sendable (Element) throws -> Value) throws -> [Value] {
    let results = Mutex<[Result<Value, any Error>?]>(Array<Result<Value, any Error>?>(repeating: nil, count: self.count))
    DispatchQueue.concurrentPerform(iterations: self.count) { place in
      let result = Result { try read(self[place]) }
      results.withLock { $0[place] = result }
    }
    return try results.withLock { $0 }.compactMap { try $0?.get() }
  }
}
