import Tensors
import Testing

struct InstructionSetTests {
  @Test("the scalar set is everywhere and the widest is available")
  func available() {
    #expect(InstructionSet.scalar.isAvailable)
    #expect(InstructionSet.widest.isAvailable)
  }

  @Test("a name is honoured or refused", arguments: ["scalar", "avx2", "avx512"])
  func named(name: String) throws {
    let set = try #require(InstructionSet(rawValue: name))
    if set.isAvailable {
      #expect(try InstructionSet(named: name) == set)
    } else {
      #expect(throws: TensorError.self) { try InstructionSet(named: name) }
    }
  }

  @Test("an unknown name is refused with the names that can be had", arguments: ["", "sse", "AVX2", "avx512 "])
  func unknown(name: String) {
    let error = #expect(throws: TensorError.self) { try InstructionSet(named: name) }
    #expect(error?.code == .instructionSetUnavailable)
    #expect(error?.message.contains("scalar") == true)
  }
}
