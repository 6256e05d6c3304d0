import GovernanceTypes
import Testing

@testable import AuditTrail

@Suite("Fields of an entry") struct EntryFieldsTests {
  private static func fields(_ line: String) throws -> EntryFields {
    var fields = EntryFields()
    try fields.read(Array(line.utf8))
    return fields
  }

  @Test("strings, decimals and ids are read where they stand, under short names and long ones")
  func reading() throws {
    let fields = try Self.fields(
      #"{"a_name_of_seventeen":"long","a_name_of_seventeex":"other","amount_nano":"12","customer":"\#(CustomerID(7))","model":"a\"b\\cü","n":1}"#
    )
    #expect(fields.text(.init("a_name_of_seventeen")) == "long")
    #expect(fields.text(.init("a_name_of_seventeex")) == "other")
    #expect(fields.text(.init("a_name_of_seventeey")) == nil)
    #expect(fields.text(.init("model")) == #"a"b\cü"#)
    #expect(fields.identifier(.init("customer")) == CustomerID(7))
    #expect(fields.identifier(.init("customer")) as UsageID? == nil, "another kind of id")
    #expect(fields.identifier(.init("model")) as CustomerID? == nil)
    #expect(fields.decimal(.init("amount_nano"), atMost: 12) == 12)
    #expect(fields.decimal(.init("amount_nano"), atMost: 11) == nil)
    #expect(fields.text(.init("n")) == nil, "a number is no string")
    #expect(fields.text(.init("absent")) == nil)
  }

  @Test("what is not canonical is refused", arguments: ["", "{}x", #"{"b":1,"a":2}"#, #"{"a":"\n}"#, "[]", #"{"a":01}"#])
  func refusing(line: String) {
    #expect(throws: BundleError.self) { try Self.fields(line) }
  }

  @Test("a value serves for many lines")
  func again() throws {
    var fields = try Self.fields(#"{"a":"one","b":"x"}"#)
    try fields.read(Array(#"{"a":"two"}"#.utf8))
    #expect(fields.text(.init("a")) == "two" && fields.text(.init("b")) == nil)
  }
}
