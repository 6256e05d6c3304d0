import ModelFiles
import Testing

@Suite("Tensor types")
struct TensorTypeTests {
  @Test(
    "ids, blocks and names are ggml's",
    arguments: [
      (0, "F32", 1, 4), (1, "F16", 1, 2), (30, "BF16", 1, 2), (2, "Q4_0", 32, 18), (3, "Q4_1", 32, 20), (6, "Q5_0", 32, 22),
      (7, "Q5_1", 32, 24), (8, "Q8_0", 32, 34), (10, "Q2_K", 256, 84), (11, "Q3_K", 256, 110), (12, "Q4_K", 256, 144),
      (13, "Q5_K", 256, 176), (14, "Q6_K", 256, 210), (20, "IQ4_NL", 32, 18),
    ] as [(UInt32, String, Int, Int)])
  func sizes(id: UInt32, name: String, elements: Int, bytes: Int) throws {
    let type = try #require(TensorType(rawValue: id))
    #expect(type.name == name)
    #expect(type.blockElements == elements)
    #expect(type.blockBytes == bytes)
  }

  @Test("no other type is known")
  func complete() { #expect(TensorType.allCases.count == 14) }
}
