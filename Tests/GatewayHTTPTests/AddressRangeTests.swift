import GatewayHTTP
import Testing

@Suite("Ranges of addresses")
struct AddressRangeTests {
  @Test(
    "what is in a range and what is not",
    arguments: [
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3", "10.1.2.3", true),
      ("10.1.2.3", "10.1.2.4", false), ("10.1.2.3", "::ffff:10.1.2.3", true), ("0.0.0.0/0", "8.8.8.8", true),
      ("0.0.0.0/0", "::1", false), ("::1", "::1", true), ("::1", "0:0:0:0:0:0:0:1", true),
      ("2001:db8::/32", "2001:db8:ffff::1", true),
      ("2001:db8::/32", "2001:db9::1", false), ("192.168.4.128/25", "192.168.4.127", false),
      ("192.168.4.128/25", "192.168.4.200", true),
      ("10.0.0.0/8", "not an address", false), ("10.0.0.0/8", "", false),
    ])
  func contains(_ range: String, _ address: String, _ isIn: Bool) throws {
    #expect(try #require(AddressRange(range)).contains(address) == isIn)
  }

  @Test(
    "what is no range",
    arguments: [
      "", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.256", "1.2.3.4/x", "::1/129", ":::", "1:2:3", "1::2::3", "g::1",
      "a.b.c.d",
    ])
  func refused(_ text: String) { #expect(AddressRange(text) == nil) }
}
