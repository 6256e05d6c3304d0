import Billing
import Documents
import GovernanceTypes
import Testing

@Suite("Renderings of invoices")
struct RenderingTests {
  private func sample() throws -> Invoice {
    var random = SplitMix64(seed: 7)
    var draft = try sampleDraft()
    draft.usage = [try SampleMonth(samplePrice(6, currency: "EUR"), requests: 20, firstPosition: 100, &random).usage]
    draft.adjustments = [
      InvoiceAdjustment(reason: "<script>alert(\"1\")</script> & 'more'\u{1}", amount: NanoAmount(2_000_000_000))
    ]
    return try draft.finalisedSample()
  }

  @Test("whatever was typed stays text in XML and HTML")
  func escaping() throws {
    let invoice = try self.sample()
    for bytes in [try InvoiceUBL.document(invoice), InvoiceHTML.page(invoice)] {
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(!text.contains("<script"))
      #expect(text.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;\u{FFFD}"))
      #expect(text.contains("Client &lt;SA&gt;"))
      #expect(text.contains("Example &amp; Sons GmbH"))
    }
  }

  @Test("elements of XML and HTML nest, whatever the invoice")
  func nesting() throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for _ in 0..<50 {
      var draft = try randomDraft(&random).draft
      draft.adjustments.append(InvoiceAdjustment(reason: "x" + hostileText(&random), amount: NanoAmount(5_000_000)))
      let invoice = try draft.finalisedSample()
      #expect(isNested(try InvoiceUBL.document(invoice)), "seed \(seed)")
      #expect(isNested(InvoiceHTML.page(invoice)), "seed \(seed)")
    }
  }

  @Test("JSON has all amounts as texts, and the positions of the entries")
  func json() throws {
    let invoice = try self.sample()
    let json = invoice.json
    #expect(json["number"] == "INV-1")
    #expect(json["totals"]?["payable"] == .string(invoice.totals.payable.text(in: invoice.currency)))
    #expect(json["totals"]?["exact"] == .string(invoice.totals.exact.description))
    guard case .array(let usage)? = json["usage"], case .integer(let entries)? = usage.first?["entries"] else {
      Issue.record("no usage")
      return
    }
    #expect(entries == 20)
    _ = try Document.parseJSON(json.bytes)
  }

  @Test("what is written as JSON is read back as the same document; one digit changed anywhere is found")
  func reading() throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for round in 0..<40 {
      var draft = try randomDraft(&random).draft
      draft.adjustments.append(InvoiceAdjustment(reason: "x" + hostileText(&random), amount: NanoAmount(5_000_000_001)))
      let invoice = try draft.finalisedSample()
      let note = try invoice.credited(
        as: name(2, "CN"), issued: day("2026-11-05"), reason: "Price", corrections: invoice.whole().suffix(1))
      for document in [invoice, note] {
        #expect(try Invoice(reading: Document.parseJSON(document.json.bytes)) == document, "seed \(seed)")
      }
      guard round < 1 else { continue }
      let bytes = invoice.json.bytes
      let start = try #require(String(decoding: bytes, as: UTF8.self).utf8Offset(of: "\"lines\""))
      for index in bytes.indices[start...] where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) {
        var changed = bytes
        changed[index] = bytes[index] == UInt8(ascii: "9") ? UInt8(ascii: "8") : bytes[index] + 1
        // A digit of a text, an id or the usage's own numbers makes another invoice that is as sound.
        guard let read = try? Invoice(reading: Document.parseJSON(changed)) else { continue }  // refused, as it should be
        #expect(
          read.totals == invoice.totals && read.lines.map(\.amount) == invoice.lines.map(\.amount), "seed \(seed) at \(index)")
      }
    }
  }

  @Test("UBL is refused where EN 16931 has no place for it")
  func refusals() throws {
    var dinars = try sampleDraft("KWD")
    dinars.adjustments = [InvoiceAdjustment(reason: "x", amount: NanoAmount(1_000_000_000))]
    #expect(throws: InvoiceUBL.Defect.decimals("KWD")) { try InvoiceUBL.document(dinars.finalisedSample()) }
    #expect(throws: InvoiceUBL.Defect.noLines) { try InvoiceUBL.document(sampleDraft().finalisedSample()) }
  }

  @Test("a credit note names its invoice, and prices are never negative")
  func creditNote() throws {
    let invoice = try self.sample()
    let note = try invoice.credited(
      as: name(2, "CN"), issued: day("2026-11-05"), reason: "Wrong price", corrections: invoice.whole())
    let text = String(decoding: try InvoiceUBL.document(note), as: UTF8.self)
    #expect(text.contains("<cac:InvoiceDocumentReference><cbc:ID>INV-1</cbc:ID><cbc:IssueDate>2026-11-01</cbc:IssueDate>"))
    #expect(text.contains("<cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>"))
    #expect(!text.contains("<cbc:PriceAmount currencyID=\"EUR\">-"))
  }
}

/// Whether every element that is opened is closed in order. `meta` and the document type stand alone.
private func isNested(_ bytes: [UInt8]) -> Bool {
  var open: [Substring] = []
  for match in String(decoding: bytes, as: UTF8.self).matches(of: /<([^>]*)>/) {
    let tag = match.1
    if tag.hasPrefix("?") || tag.hasPrefix("!") || tag.hasPrefix("meta") { continue }
    guard tag.hasPrefix("/") else {
      open.append(tag.prefix { $0 != " " })
      continue
    }
    guard open.popLast() == tag.dropFirst() else { return false }
  }
  return open.isEmpty
}

extension String {
  fileprivate func utf8Offset(of text: String) -> Int? {
    self.firstRange(of: text).map { self.utf8.distance(from: self.utf8.startIndex, to: $0.lowerBound) }
  }
}
