import ModelFiles
import Testing

@Suite("Files that other programs wrote", .enabled(if: SharedData.available, "\(SharedData.absence)"))
struct SharedModelTests {
  @Test(
    "a tiny model in every quantisation",
    arguments: [
      ("f32", .f32), ("f16", .f16), ("Q4_0", .q4_0), ("Q4_1", .q4_1), ("Q5_0", .q5_0), ("Q5_1", .q5_1), ("Q8_0", .q8_0),
      ("Q2_K", .q2_K), ("Q3_K_M", .q3_K), ("Q4_K_M", .q4_K), ("Q5_K_M", .q5_K), ("Q6_K", .q6_K), ("IQ4_NL", .iq4_NL),
    ] as [(String, TensorType)])
  func quantisations(name: String, type: TensorType) throws {
    let file = try GGUFFile(path: SharedData.path("oracle/model-\(name).gguf"))
    #expect(file.tensors.contains { $0.type == type })
    #expect(try file.metadata.requireUnsigned("llama.embedding_length") == 256)
    #expect(try file.metadata.requireUnsigned("llama.block_count") == 3)
    let embedding = try #require(file.tensor(named: "token_embd.weight"))
    #expect((embedding.columns, embedding.rows) == (256, 512))
    #expect(file.tensors.map { $0.byteOffset + $0.byteCount }.max() ?? 0 <= file.file.byteCount)
  }

  @Test("Llama 2's vocabulary")
  func vocabulary() throws {
    let file = try GGUFFile(path: SharedData.path("tokenizer/ggml-vocab-llama-spm.gguf"))
    #expect(file.version == 3)
    #expect(file.tensors.isEmpty)
    let tokens = try file.metadata.requireStringArray("tokenizer.ggml.tokens")
    #expect(tokens.count == 32_000)
    #expect(tokens[15043] == "▁Hello")
    #expect(try file.metadata.requireFloatArray("tokenizer.ggml.scores").count == 32_000)
    #expect(try file.metadata.requireIntArray("tokenizer.ggml.token_type")[1] == 3)
  }
}
