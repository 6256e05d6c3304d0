import Tensors
import Testing

struct InstructionSetTests {
  @Test("the scalar set is everywhere and the widest is available")
  func available() {
    #expect(InstructionSet.scalar.isAvailable)
    #expect(InstructionSet.widest.isAvailable)
  }

  @Test("a name is honoured or refused", arguments: ["scalar", "avx2", "avx512", "neon"])
  func named(name: String) throws {
    let set = try #require(InstructionSet(rawValue: name))
    if set.isAvailable {
      #expect(try InstructionSet(named: name) == set)
    } else {
      #expect(throws: TensorError.self) { try InstructionSet(named: name) }
    }
  }

  @Test("another processor's set is refused by its name", arguments: ["avx2", "avx512", "neon"])
  func foreign(name: String) throws {
    #if arch(x86_64)
      let isForeign = name == "neon"
    #else
      let isForeign = name != "neon"
    #endif
    guard isForeign else { return }
    let error = #expect(throws: TensorError.self) { try InstructionSet(named: name) }
    #expect(error?.code == .instructionSetUnavailable)
    #expect(error?.message.contains("WEIGHBRIDGE_ISA=\(name)") == true)
  }

  #if arch(arm64)
    @Test("on 64-bit Arm, NEON is what runs")
    func arm() throws {
      #expect(try InstructionSet(named: "neon") == .widest)
    }
  #endif

  @Test("an unknown name is refused with the names that can be had", arguments: ["", "sse", "AVX2", "avx512 "])
  func unknown(name: String) {
    let error = #expect(throws: TensorError.self) { try InstructionSet(named: name) }
    #expect(error?.code == .instructionSetUnavailable)
    #expect(error?.message.contains("scalar") == true)
  }
}
