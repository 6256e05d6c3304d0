import GovernanceTypes
import Testing

@Suite("Nouns and units")
struct UnitTests {
  @Test(
    "Money is read exactly or not at all",
    arguments: [
      ("5", "5.00"), ("5.00", "5.00"), ("0.000123", "0.000123"), ("0.000000001", "0.000000001"), ("-0.1", "-0.10"),
      ("1000000000000000", "1000000000000000.00"),
    ])
  func money(text: String, written: String) { #expect(NanoAmount(decimal: text)?.description == written) }

  @Test(
    "What is no plain decimal is no money",
    arguments: [
      "", ".", "1.", ".5", "1e3", "+1", "0x1", "1,5", " 1", "1 ", "0.0000000001", "1000000000000001", "--1", "1.2.3", "١",
    ])
  func noMoney(text: String) { #expect(NanoAmount(decimal: text) == nil) }

  @Test(
    "A time is read with its offset and written in UTC",
    arguments: [
      ("2026-11-23", "2026-11-23T00:00:00.000Z"), ("2026-11-23T09:03:54Z", "2026-11-23T09:03:54.000Z"),
      ("2026-11-23T09:03:54.123456789Z", "2026-11-23T09:03:54.123Z"), ("2026-11-23T00:30:00+01:00", "2026-11-22T23:30:00.000Z"),
      ("2024-02-29T23:59:59-00:30", "2024-03-01T00:29:59.000Z"), ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
      ("2199-12-31T23:59:59Z", "2199-12-31T23:59:59.000Z"),
    ])
  func time(text: String, written: String) { #expect(Timestamp(text)?.description == written) }

  @Test(
    "What is no time is refused",
    arguments: [
      "2026-02-29", "2026-13-01", "2026-00-10", "2026-11-31", "1969-12-31", "2201-01-01", "2026-11-23T24:00:00Z",
      "2026-11-23T09:03Z",
      "2026-11-23T09:03:54", "2026-11-23T09:03:54+1:00", "26-11-23", "2026-11-23T09:03:54.Z", "2026-11-23X09:03:54Z",
    ])
  func noTime(text: String) { #expect(Timestamp(text) == nil) }

  @Test("Every day from 1970 to 2200 follows the one before it, and reads as it is written")
  func calendar() throws {
    var day = CalendarDay(number: 0)
    while day.components.year < 2200 {
      let next = day.next
      #expect(CalendarDay(next.description) == next)
      #expect(next.month == day.month || next.components.day == 1)
      day = next
    }
  }

  @Test("A month ends where the next one begins", arguments: ["2026-11", "2026-12", "2024-02"])
  func month(text: String) throws {
    let month = try #require(CalendarMonth(text))
    #expect(month.description == text)
    #expect(month.end == month.next.start)
    #expect(month.next.previous == month)
  }

  @Test("An id reads as it is written, and later ids sort later")
  func identifiers() throws {
    let early = UsageID(at: Timestamp(seconds: 1_700_000_000), random: .max)
    let late = UsageID(at: Timestamp(seconds: 1_700_000_001), random: 0)
    #expect(UsageID(early.description) == early)
    #expect(early < late)
    #expect(early.description < late.description)
    #expect(CustomerID(early.description) == nil)
    for text in [
      "usg_", "usg_0", "", "usg_zzzzzzzzzzzzzzzzzzzzzzzzzz", "usg_01m83yd9x2zrecmv7g28z3zesi", "USG_01m83yd9x2zrecmv7g28z3zesb",
    ] {
      #expect(UsageID(text) == nil, "\(text)")
    }
  }

  @Test("A digest reads as it is written", arguments: ["", "00", String(repeating: "g", count: 64)])
  func digests(faulty: String) throws {
    let text = "f28d05612fee8ef09283d4e755c468080b13d1cd92c9ae1aa52c84b075799e23"
    #expect(Digest(hexadecimal: text)?.hexadecimal == text)
    #expect(Digest(hexadecimal: faulty) == nil)
  }

  @Test("A currency is three capital letters", arguments: ["usd", "US", "USDX", "US1", "ÜSD"])
  func currency(faulty: String) {
    #expect(Currency("USD")?.description == "USD")
    #expect(Currency(faulty) == nil)
  }
}
