/// Where a server listens: the base address that the operator wrote, taken apart once.
struct UpstreamAddress: Sendable, Equatable {
  let isSecure: Bool
  let host: String
  let port: Int
  /// Host and port as a `Host` header has them: the port only where it is not the scheme's own.
  let authority: String
  /// What stands before the path of each request; without a slash at its end.
  let path: String

  /// - Parameter url: `http` or `https`, a host, a port or none, a path or none; nil for anything else, such as a user's name.
  init?(_ url: String) {
    let parts = url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    switch parts[0].lowercased() {
    case "http": self.isSecure = false
    case "https": self.isSecure = true
    default: return nil
    }
    let rest = parts[1]
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    var path = rest[slash...]
    while path.last == "/" { path.removeLast() }
    guard let (host, port) = Self.hostAndPort(rest[..<slash]), Self.isPlain(path) else { return nil }
    let usual = self.isSecure ? 443 : 80
    self.host = host
    self.port = port ?? usual
    self.path = String(path)
    let shown = host.contains(":") ? "[\(host)]" : host
    self.authority = self.port == usual ? shown : "\(shown):\(self.port)"
  }

  /// A name or an address, an IPv6 address in brackets, and the number of a port.
  private static func hostAndPort(_ text: Substring) -> (String, Int?)? {
    var host = text
    var port: Substring?
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      let after = text[text.index(after: end)...]
      guard after.isEmpty || after.first == ":" else { return nil }
      if !after.isEmpty { port = after.dropFirst() }
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    guard !host.isEmpty, self.isPlain(host), !host.contains("@") else { return nil }
    guard let port else { return (String(host), nil) }
    guard let number = Int(port), (1...65_535).contains(number) else { return nil }
    return (String(host), number)
  }

  /// Visible ASCII, without what begins a query or a fragment: nothing that could end a line of a request.
  private static func isPlain(_ text: Substring) -> Bool {
    text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
  }
}
