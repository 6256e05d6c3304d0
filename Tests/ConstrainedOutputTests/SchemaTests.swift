import ConstrainedOutput
import Documents
import EngineFixtures
import Testing

struct SchemaExample: Sendable, CustomTestStringConvertible {
  var schema: String
  var fit: [String]
  var unfit: [String]
  var testDescription: String { self.schema }
}

@Suite("Texts held to a schema")
struct SchemaTests {
  static let examples: [SchemaExample] = [
    SchemaExample(
      schema: #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a"]}"#,
      fit: [#"{"a":1}"#, #"{"a": -5, "b":"x"}"#, "{\n  \"a\":0,\n  \"b\":\"\"\n}"],
      unfit: [
        "{}", #"{"b":"x"}"#, #"{"b":"x","a":1}"#, #"{"a":1,}"#, #"{"a":01}"#, #"{"a":1.5}"#, #"{"a":1,"c":2}"#, #"{"a":1} "#,
      ]),
    SchemaExample(
      schema: #"{"type":"object","properties":{"ab":{"type":"null"}},"additionalProperties":{"type":"boolean"}}"#,
      fit: ["{}", #"{"ab":null}"#, #"{"a":true}"#, #"{"ab":null,"abc":false,"b":true}"#],
      unfit: [#"{"ab":true}"#, #"{"a":null}"#, #"{"":true}"#, #"{"\u0061b":true}"#]),
    SchemaExample(
      schema: #"{"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":2}"#,
      fit: ["[true]", "[true, false]", "[\n true ]"], unfit: ["[]", "[true,true,true]", "[true,]", "[1]"]),
    SchemaExample(schema: #"{"type":"array","maxItems":0}"#, fit: ["[]", "[ ]"], unfit: ["[1]"]),
    SchemaExample(
      schema: #"{"type":"string","minLength":2,"maxLength":3}"#,
      fit: [#""ab""#, #""éé""#, #""🦙🦙🦙""#, #""a\n\u00e9""#, #""\"\\""#],
      unfit: [#""a""#, #""abcd""#, #""🦙🦙🦙🦙""#, #""\ud83e\udd99""#, "\"a\n\"", #""ab"#, #""a\x""#]),
    SchemaExample(
      schema: #"{"enum":["a",1,null,{"b":[]}]}"#, fit: [#""a""#, "1", "null", #"{"b":[]}"#], unfit: [#""b""#, "2", "{}"]),
    SchemaExample(
      schema: #"{"type":["integer","null"],"minimum":-3,"maximum":12}"#, fit: ["-3", "0", "12", "null"],
      unfit: ["-4", "13", "1.0"]),
    SchemaExample(
      schema: #"{"type":"number","minimum":0.25,"exclusiveMaximum":2.5}"#,
      fit: ["0.25", "0.3", "1", "1.999", "2.4999", "2"], unfit: ["0.2", "0.2499", "2.5", "2.50", "3", "-1", "1e0"]),
    SchemaExample(
      schema:
        ##"{"$defs":{"t":{"type":"object","properties":{"c":{"type":"array","items":{"$ref":"#/$defs/t"}}}}},"$ref":"#/$defs/t"}"##,
      fit: ["{}", #"{"c":[{},{"c":[]}]}"#], unfit: [#"{"c":{}}"#, #"{"c":[1]}"#]),
    SchemaExample(
      schema: #"{"anyOf":[{"type":"string","maxLength":1},{"type":"boolean"}]}"#, fit: [#""a""#, "true"], unfit: [#""ab""#, "1"]),
    SchemaExample(schema: #"{"minLength":2}"#, fit: [#""ab""#], unfit: [#""a""#]),
    SchemaExample(
      schema: "{}", fit: ["1", #"{"a":[1,2,{"b":"c"}]}"#, "-0.5e+10", "null"], unfit: ["", "{", "[1 2]", "1.", "+1"]),
    SchemaExample(schema: #"{"type":"object","additionalProperties":false}"#, fit: ["{}", "{ }"], unfit: [#"{"a":1}"#]),
    SchemaExample(schema: #"{"type":"object","required":["k"]}"#, fit: [#"{"k":[]}"#], unfit: ["{}", #"{"j":1}"#]),
  ]

  @Test("what fits and what does not", arguments: Self.examples)
  func fitting(example: SchemaExample) throws {
    let grammar = try Grammar.jsonSchema(example.schema)
    for text in example.fit { #expect(grammar.accepts(text), "\(text)") }
    for text in example.unfit { #expect(!grammar.accepts(text), "\(text)") }
  }

  @Test(
    "any object", arguments: [("{}", true), (#"{"a":[1,{"b":null}]}"#, true), ("[]", false), ("1", false), (#"{"a"}"#, false)])
  func objects(text: String, fits: Bool) throws {
    #expect(try Grammar.jsonObject().accepts(text) == fits)
  }

  @Test(
    "what is not supported is refused by its place",
    arguments: [
      (#"{"type":"string","pattern":"a"}"#, "#/pattern"),
      (#"{"properties":{"a/b":{"format":"date"}}}"#, "#/properties/a~1b/format"),
      (#"{"oneOf":[{}]}"#, "#/oneOf"), (#"{"items":{"not":{}}}"#, "#/items/not"), (#"{"type":"thing"}"#, "#/type"),
      (##"{"allOf":[{},{}]}"##, "#/allOf"), (##"{"enum":[1],"minimum":2}"##, "#/minimum"), (##"{"$ref":"http://x"}"##, "#/$ref"),
      (##"{"$ref":"#/$defs/x"}"##, "#/$ref"), (##"{"$ref":"#"}"##, "#"), (##"{"anyOf":[{"$ref":"#"},{"type":"null"}]}"##, "#"),
      (#"{"type":"integer","minimum":2,"maximum":1}"#, "#"), (#"{"type":"integer","exclusiveMinimum":0.1,"maximum":0.9}"#, "#"),
      (#"{"minLength":-1}"#, "#/minLength"), (#"{"minItems":3,"maxItems":2}"#, "#/maxItems"), (#"{"items":1}"#, "#/items"),
      (##"{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}"##, "#"), ("false", "#"), ("[", "#"), ("1", "#"),
      (#"{"required":["a"],"additionalProperties":false}"#, "#/required"), (#"{"multipleOf":2}"#, "#/multipleOf"),
      (#"{"minimum":12345678901234567}"#, "#/minimum"), (#"{"enum":[],"type":"null"}"#, "#"),
      (#"{"patternProperties":{}}"#, "#/patternProperties"),
    ])
  func refusals(schema: String, path: String) {
    let error = #expect(throws: GrammarError.self) { try Grammar.jsonSchema(schema) }
    #expect(error?.path == path, "\(error?.message ?? "")")
  }

  @Test("random schemas: every text that ends is a value that the schema accepts", arguments: (1...8).map { UInt64($0) })
  func random(seed: UInt64) throws {
    var ended = 0
    for index in 0..<25 {
      let text = RandomSchema.text(seed: seed * 1000 + UInt64(index))
      let schema = try Document.parseJSON(Array(text.utf8))
      let grammar = try Grammar.jsonSchema(text)
      let room = GrammarRoom(TestVocabulary.vocabulary)
      var random = SplitMix64(seed: seed)
      for _ in 0..<4 {
        guard let value = grammar.draw(room, &random, limit: 600) else { continue }
        ended += 1
        let shown = String(decoding: value, as: UTF8.self)
        let document = try #require(try? Document.parseJSON(value), "seed \(seed), \(index): \(shown)")
        #expect(SchemaValidator(root: schema).accepts(document), "seed \(seed), \(index): \(text) accepts no \(shown)")
      }
    }
    #expect(ended >= 90, "seed \(seed)")
  }

  @Test("a mask has exactly the tokens that can be taken", arguments: (1...6).map { UInt64($0) })
  func masks(seed: UInt64) throws {
    let grammar = try Grammar.jsonSchema(RandomSchema.text(seed: seed))
    let room = GrammarRoom(TestVocabulary.vocabulary)
    var random = SplitMix64(seed: seed)
    for _ in 0..<10 {
      var run = room.begin(grammar)
      for _ in 0..<25 {
        let mask = run.mask()
        let allowed = TestVocabulary.surfaces.indices.filter { token in
          var trial = run
          return token == 0 ? run.isComplete : trial.accept(Int32(token))
        }
        let masked = TestVocabulary.surfaces.indices.filter(mask.contains)
        // Only plain tokens longer than what is counted may be left out.
        #expect(Set(masked).isSubset(of: allowed), "seed \(seed)")
        #expect(Set(allowed).subtracting(masked).allSatisfy { TestVocabulary.surfaces[$0].count > 32 }, "seed \(seed)")
        guard let token = allowed.filter({ $0 > 0 }).randomElement(using: &random) else { break }
        let isTaken = run.accept(Int32(token))
        #expect(isTaken)
      }
    }
  }

  @Test("integers in random ranges", arguments: (1...5).map { UInt64($0) })
  func ranges(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<40 {
      let low = Int.random(in: -1200...1200, using: &random)
      let high = low + Int.random(in: 0...1500, using: &random)
      let grammar = try Grammar.jsonSchema(#"{"type":"integer","minimum":\#(low),"exclusiveMaximum":\#(high + 1)}"#)
      for value in [low - 1, low, low + 1, high - 1, high, high + 1, Int.random(in: -3000...3000, using: &random)] {
        #expect(grammar.accepts("\(value)") == (low...high).contains(value), "seed \(seed): \(value) in \(low)...\(high)")
      }
      let tenths = try Grammar.jsonSchema(#"{"type":"number","minimum":\#(low),"maximum":\#(high)}"#)
      for value in [low * 10 - 1, low * 10 + 1, high * 10 - 1, high * 10 + 1] where value % 10 != 0 {
        let text = "\(value < 0 ? "-" : "")\(abs(value) / 10).\(abs(value) % 10)"
        #expect(tenths.accepts(text) == (low * 10...high * 10).contains(value), "seed \(seed): \(text) in \(low)...\(high)")
      }
    }
  }

  @Test("nesting is bounded and comes to an end", .timeLimit(.minutes(5)))
  func depth() throws {
    let grammar = try Grammar.jsonSchema(##"{"type":"array","items":{"$ref":"#"}}"##)
    var run = GrammarRoom(TestVocabulary.vocabulary).begin(grammar)
    let bracket = Int32(UInt8(ascii: "[")) + 1
    var levels = 0
    while levels < 10_000, run.accept(bracket) { levels += 1 }
    #expect((20..<1000).contains(levels))
    for _ in 0..<levels {
      let isTaken = run.accept(Int32(UInt8(ascii: "]")) + 1)
      #expect(isTaken)
    }
    #expect(run.isComplete)
  }

  @Test("texts of a thousand lengths outgrow the automaton and go on", .timeLimit(.minutes(5)))
  func growth() throws {
    let grammar = try Grammar.jsonSchema(#"{"type":"string","maxLength":10000}"#)
    let room = GrammarRoom(TestVocabulary.vocabulary)
    let byte = { (character: UInt8) in Int32(character) + 1 }
    // Both begin in one automaton; the second finds it replaced when its turn comes.
    let runs = [room.begin(grammar), room.begin(grammar)]
    for (var run, count) in zip(runs, [9_000, 10_000]) {
      var taken = run.accept(byte(UInt8(ascii: "\"")))
      for _ in 0..<count { taken = run.accept(byte(UInt8(ascii: "x"))) && taken }
      #expect(taken)
      let mask = run.mask()
      #expect(mask.contains(Int(UInt8(ascii: "x")) + 1) == (count < 10_000))
      let isClosed = run.accept(byte(UInt8(ascii: "\"")))
      #expect(isClosed && run.isComplete)
    }
  }

  @Test("parts around values, and one leading space")
  func envelope() throws {
    let grammar = try Grammar.envelope([
      .some(
        [
          .text("<call>"), .oneOf([[.text("f"), .schema(#"{"type":"null"}"#)], [.text("g"), .schema("true")]]), .text("</call>"),
        ], separator: "\n")
    ])
    #expect(grammar.accepts("<call>fnull</call>") && grammar.accepts("<call>g[1]</call>\n<call>fnull</call>"))
    #expect(!grammar.accepts("<call>f1</call>") && !grammar.accepts("<call>fnull</call>\n"))
    var run = GrammarRoom(TestVocabulary.vocabulary).begin(try Grammar.jsonObject(), leadingSpace: true)
    let taken = [run.accept(33), run.accept(33), run.accept(Int32(UInt8(ascii: "{")) + 1)]
    #expect(taken == [true, false, true])
  }
}
