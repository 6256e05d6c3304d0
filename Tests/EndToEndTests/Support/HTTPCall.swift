internal import Foundation

/// A whole response.
struct Reply: Sendable {
  var status: Int
  /// By lower-case name.
  var headers: [String: String]
  var body: [UInt8]

  var text: String { String(decoding: self.body, as: UTF8.self) }
  var json: JSONValue { get throws { try JSONValue(self.body) } }
  var error: JSONValue { get throws { try self.json["error"] } }
}

/// One request on a connection of its own, written and read without waiting; `Exchange` moves many of them at once.
///
/// It owns its socket: `close` or the end of its life closes it.
final class HTTPCall {
  private let descriptor: Int32
  private var outgoing: ArraySlice<UInt8>
  private var incoming: [UInt8] = []
  private var headLength: Int?
  private var bodyStart = 0
  private(set) var status: Int?
  private(set) var headers: [String: String] = [:]
  private(set) var body: [UInt8] = []
  private(set) var isClosed = false
  /// The response has come in whole.
  private(set) var isComplete = false

  /// Connects to a port of this machine and queues the bytes of a request.
  init(port: Int, bytes: [UInt8]) throws {
    self.outgoing = bytes[...]
    self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard self.descriptor >= 0 else { throw Failure("no socket: errno \(errno)") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    // The pointer is to a local that outlives the call; connect only reads it.
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Failure("no connection to port \(port): errno \(errno)") }
    _ = fcntl(self.descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit { self.close() }

  func close() {
    guard !self.isClosed else { return }
    self.isClosed = true
    _ = Foundation.close(self.descriptor)
  }

  /// Bytes of the request that the socket has not taken.
  var waitingBytes: Int { self.outgoing.count }

  /// Tells the peer that nothing more will be sent; reading goes on.
  func closeSending() { _ = shutdown(self.descriptor, Int32(SHUT_WR)) }

  /// Queues more bytes of the request.
  func send(_ bytes: [UInt8]) { self.outgoing += bytes }

  var isOver: Bool { self.isComplete || self.isClosed }

  var interest: pollfd {
    pollfd(fd: self.descriptor, events: Int16(POLLIN) | (self.outgoing.isEmpty ? 0 : Int16(POLLOUT)), revents: 0)
  }

  /// Writes and reads what the socket takes and has.
  func advance() {
    guard !self.isClosed else { return }
    self.write()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(self.descriptor, &buffer, buffer.count, 0)
      if count > 0 {
        self.incoming += buffer[..<count]
        self.parse()
      } else if count < 0, errno == EAGAIN || errno == EINTR {
        return
      } else {
        if self.headers["content-length"] == nil, self.headers["transfer-encoding"] == nil, self.status != nil {
          self.isComplete = true
        }
        return self.close()
      }
    }
  }

  private func write() {
    while !self.outgoing.isEmpty {
      let chunk = Array(self.outgoing.prefix(1 << 16))
      let count = Foundation.send(self.descriptor, chunk, chunk.count, Int32(MSG_NOSIGNAL))
      // A peer that has answered and closed is noticed on reading.
      guard count > 0 else { return }
      self.outgoing = self.outgoing.dropFirst(count)
    }
  }

  // MARK: Reading the response

  private func parse() {
    if self.headLength == nil { self.parseHead() }
    guard self.headLength != nil else { return }
    if self.headers["transfer-encoding"]?.lowercased() == "chunked" {
      self.parseChunks()
    } else {
      self.body += self.incoming[self.bodyStart...]
      self.bodyStart = self.incoming.count
      if let length = self.headers["content-length"].flatMap({ Int($0) }) { self.isComplete = self.body.count >= length }
    }
  }

  private func parseHead() {
    guard let end = self.incoming.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
    let lines = String(decoding: self.incoming[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    self.status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      self.headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    self.headLength = end.upperBound
    self.bodyStart = end.upperBound
  }

  private func parseChunks() {
    while let line = self.incoming[self.bodyStart...].firstRange(of: Array("\r\n".utf8)) {
      let digits = String(decoding: self.incoming[self.bodyStart..<line.lowerBound], as: UTF8.self)
      guard let size = Int(digits, radix: 16), self.incoming.count >= line.upperBound + size + 2 else { return }
      self.body += self.incoming[line.upperBound..<line.upperBound + size]
      self.bodyStart = line.upperBound + size + 2
      if size == 0 { self.isComplete = true }
    }
  }

  /// The response, where its head has come; the body as far as it has.
  var reply: Reply? { self.status.map { Reply(status: $0, headers: self.headers, body: self.body) } }
}

/// The bytes of a request in HTTP/1.1.
struct HTTPRequest {
  var method = "GET"
  var path = "/"
  var key: String?
  var headers: [(String, String)] = []
  var body: [UInt8]?

  var bytes: [UInt8] {
    var head = "\(self.method) \(self.path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    if let key = self.key { head += "Authorization: Bearer \(key)\r\n" }
    if self.body != nil, !self.headers.contains(where: { $0.0.lowercased() == "content-type" }) {
      head += "Content-Type: application/json\r\n"
    }
    for (name, value) in self.headers { head += "\(name): \(value)\r\n" }
    if let body = self.body { head += "Content-Length: \(body.count)\r\n" }
    return Array((head + "\r\n").utf8) + (self.body ?? [])
  }
}
