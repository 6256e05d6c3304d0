/// Schemas of the supported kinds, made from a seed. Strings and arrays are bounded, so that random texts come to an end.
public struct RandomSchema {
  private var random: SplitMix64

  public static func text(seed: UInt64) -> String {
    var maker = RandomSchema(random: SplitMix64(seed: seed))
    let body = maker.schema(depth: 3)
    // Half of them refer to a shared part, some to themselves.
    guard maker.pick(2) == 0 else { return body }
    let node =
      ##"{"type":"object","properties":{"v":\##(maker.schema(depth: 1)),"next":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/node"}]}},"required":["v"],"additionalProperties":false}"##
    return
      ##"{"type":"object","$defs":{"node":\##(node)},"properties":{"a":\##(body),"b":{"$ref":"#/$defs/node"}},"required":["b"]}"##
  }

  private mutating func pick(_ count: Int) -> Int { Int(self.random.next() % UInt64(count)) }
  private mutating func pick(_ choices: [String]) -> String { choices[self.pick(choices.count)] }

  private mutating func schema(depth: Int) -> String {
    switch self.pick(depth > 0 ? 11 : 7) {
    case 0: return self.number("integer")
    case 1: return self.number("number")
    case 2, 3: return self.string()
    case 4: return self.pick([#"{"type":"boolean"}"#, #"{"type":"null"}"#, #"{"type":["boolean","null"]}"#])
    case 5: return self.listed()
    case 6: return #"{"type":["integer","string"],"maximum":\#(self.pick(50)),"minLength":1,"maxLength":\#(1 + self.pick(9))}"#
    case 7: return self.array(depth)
    case 8: return #"{"anyOf":[\#(self.schema(depth: depth - 1)),\#(self.schema(depth: depth - 1))]}"#
    case 9: return #"{"allOf":[\#(self.schema(depth: depth - 1))],"description":"one"}"#
    default: return self.object(depth)
    }
  }

  private mutating func string() -> String {
    let least = self.pick(4)
    return #"{"type":"string","minLength":\#(least),"maxLength":\#(least + self.pick(12))}"#
  }

  private mutating func listed() -> String {
    self.pick([
      #"{"enum":["red","green","a \"quoted\" é",1,-2.5,null,true,{"k":[1,2]},[]]}"#, #"{"const":{"a":[null,"x"]}}"#,
      #"{"type":"string","enum":["yes","no",3]}"#, #"{"const":"🦙"}"#, #"{"enum":[1000000,0.001]}"#,
    ])
  }

  private mutating func number(_ type: String) -> String {
    let low = self.pick(400) - 200
    let high = low + 1 + self.pick(300)
    let (lowText, highText) = type == "number" && self.pick(2) == 0 ? ("\(low).25", "\(high).5") : ("\(low)", "\(high)")
    return self.pick([
      #"{"type":"\#(type)"}"#, #"{"type":"\#(type)","minimum":\#(lowText)}"#, #"{"type":"\#(type)","maximum":\#(highText)}"#,
      #"{"type":"\#(type)","minimum":\#(lowText),"maximum":\#(highText)}"#,
      #"{"type":"\#(type)","exclusiveMinimum":\#(lowText),"maximum":\#(highText)}"#,
      #"{"type":"\#(type)","exclusiveMinimum":\#(low - 1),"exclusiveMaximum":\#(highText)}"#,
    ])
  }

  private mutating func array(_ depth: Int) -> String {
    let least = self.pick(3)
    return #"{"type":"array","items":\#(self.schema(depth: depth - 1)),"minItems":\#(least),"maxItems":\#(least + self.pick(3))}"#
  }

  private mutating func object(_ depth: Int) -> String {
    let names = ["id", "name", "na\u{EF}ve", "x y", #"q\"t"#, "id2"].prefix(1 + self.pick(6))
    let properties = names.map { #""\#($0)":\#(self.schema(depth: depth - 1))"# }.joined(separator: ",")
    let required = names.filter { _ in self.pick(2) == 0 }.map { #""\#($0)""# }.joined(separator: ",")
    let more = self.pick(["", #","additionalProperties":false"#, #","additionalProperties":{"type":"boolean"}"#])
    return #"{"type":"object","properties":{\#(properties)},"required":[\#(required)]\#(more)}"#
  }
}
