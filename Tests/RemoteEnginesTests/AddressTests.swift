import Testing

@testable import RemoteEngines

@Suite("Where a server listens")
struct AddressTests {
  @Test(
    "scheme, host, port and path are taken apart",
    arguments: [
      ("http://127.0.0.1:8000/v1", false, "127.0.0.1", 8000, "127.0.0.1:8000", "/v1"),
      ("https://engines.example/v1/", true, "engines.example", 443, "engines.example", "/v1"),
      ("HTTP://engines.example:80", false, "engines.example", 80, "engines.example", ""),
      ("https://[::1]:8443/a/b", true, "::1", 8443, "[::1]:8443", "/a/b"),
    ])
  func read(_ url: String, isSecure: Bool, host: String, port: Int, authority: String, path: String) throws {
    let address = try #require(UpstreamAddress(url))
    #expect(address.isSecure == isSecure)
    #expect(address.host == host)
    #expect(address.port == port)
    #expect(address.authority == authority)
    #expect(address.path == path)
  }

  @Test(
    "what is no address, or could end a line of a request, is none",
    arguments: [
      "", "engines.example", "ftp://a/", "http://", "http:///v1", "http://a:0", "http://a:65536", "http://a:x", "http://a:",
      "http://user@a/", "http://[::1", "http://[::1]x", "http://a/v1?x=1", "http://a/v1#x", "http://a b/", "http://a/\r\nx: y",
      "http://a\u{0}/", "http://é/",
    ])
  func refused(_ url: String) { #expect(UpstreamAddress(url) == nil) }
}
