/// Reads server-sent events out of bytes in pieces of any size.
///
/// Only the `data` of an event counts; comments and other fields are skipped. An event that is not ended by an empty line is no event.
/// Memory is bounded by the largest event. O(bytes).
public struct EventStreamReader: Sendable {
  /// An event that is larger than is read.
  public struct TooLarge: Error, Sendable, Equatable { public let limit: Int }

  private let limit: Int
  /// Bytes from which lines are still to be taken, from `start`.
  @usableFromInline var bytes: [UInt8] = []
  @usableFromInline var start = 0
  /// Where the search for the end of the line goes on.
  @usableFromInline var searched = 0
  private var data: [UInt8] = []
  private var hasData = false

  /// - Parameter limit: The most bytes of one event.
  public init(limit: Int = 1 << 20) { self.limit = limit }

  /// Inlinable, so that each caller gets a version for its own collection.
  @inlinable
  public mutating func append(_ more: some Collection<UInt8>) {
    if self.start > 0 {
      self.bytes.removeFirst(self.start)
      self.searched -= self.start
      self.start = 0
    }
    self.bytes.append(contentsOf: more)
  }

  /// The data of the next whole event; nil where more bytes are needed first.
  public mutating func next() throws(TooLarge) -> [UInt8]? {
    while let line = self.line() {
      if line.isEmpty {
        guard self.hasData else { continue }
        self.hasData = false
        let event = self.data
        self.data = []
        return event
      }
      guard let value = Self.data(of: line) else { continue }
      if self.hasData { self.data.append(0x0A) }
      self.hasData = true
      self.data.append(contentsOf: value)
      guard self.data.count <= self.limit else { throw TooLarge(limit: self.limit) }
    }
    guard self.bytes.count - self.start <= self.limit else { throw TooLarge(limit: self.limit) }
    return nil
  }

  /// The next line without its end (LF or CRLF).
  private mutating func line() -> ArraySlice<UInt8>? {
    guard let end = self.bytes[self.searched...].firstIndex(of: 0x0A) else {
      self.searched = self.bytes.count
      return nil
    }
    let line = self.bytes[self.start..<end]
    self.start = end + 1
    self.searched = self.start
    return line.last == 0x0D ? line.dropLast() : line
  }

  private static let field = Array("data".utf8)

  /// What follows `data:`, without the one space that may stand there; nil for any other field.
  private static func data(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard line.starts(with: Self.field) else { return nil }
    let rest = line.dropFirst(4)
    guard let colon = rest.first else { return rest }
    guard colon == UInt8(ascii: ":") else { return nil }
    let value = rest.dropFirst()
    return value.first == 0x20 ? value.dropFirst() : value
  }
}
