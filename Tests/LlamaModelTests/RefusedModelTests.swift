import EngineFixtures
import LlamaModel
import ModelFiles
import Testing

/// Files that must not be run: each is refused with a code and the name of what is wrong.
struct RefusedModelTests {
  static func refusal(_ change: (inout TinyLlama) -> Void) throws -> LlamaModelError? {
    var tiny = TinyLlama()
    change(&tiny)
    let file = try GGUFFile(bytes: tiny.bytes(), name: "tiny")
    do {
      _ = try LlamaModel(file: file)
      return nil
    } catch {
      return error
    }
  }

  struct Key: Sendable {
    var key: String
    var values: [GGUFWriter.Value?]
    var code: LlamaModelError.Code
  }

  @Test("a sound file is accepted")
  func sound() throws {
    #expect(try Self.refusal { _ in } == nil)
  }

  @Test("metadata out of bounds, absent or of another type")
  func metadata() throws {
    let cases = [
      Key(
        key: "general.architecture", values: [.string("gpt2"), .string(""), .string("LLAMA")], code: .unsupportedArchitecture),
      Key(key: "general.architecture", values: [nil, .unsigned(1)], code: .invalidFile),
      Key(
        key: "llama.context_length", values: [.unsigned(0), .unsigned(1 << 20 + 1), .unsigned(.max)],
        code: .invalidHyperparameter),
      Key(key: "llama.context_length", values: [nil, .string("128"), .float(128)], code: .invalidFile),
      Key(
        key: "llama.embedding_length", values: [.unsigned(0), .unsigned(62), .unsigned(1 << 17)], code: .invalidHyperparameter),
      Key(key: "llama.block_count", values: [.unsigned(0), .unsigned(1025)], code: .invalidHyperparameter),
      Key(key: "llama.block_count", values: [.unsigned(3)], code: .missingTensor),
      Key(key: "llama.block_count", values: [.unsigned(1)], code: .unsupportedFeature),
      Key(key: "llama.feed_forward_length", values: [.unsigned(0)], code: .invalidHyperparameter),
      Key(key: "llama.feed_forward_length", values: [.unsigned(97)], code: .tensorShape),
      Key(key: "llama.attention.head_count", values: [.unsigned(0), .unsigned(5), .unsigned(64)], code: .invalidHyperparameter),
      Key(
        key: "llama.attention.head_count_kv", values: [.unsigned(0), .unsigned(3), .unsigned(8)], code: .invalidHyperparameter),
      Key(key: "llama.attention.head_count_kv", values: [nil, .unsigned(1), .unsigned(4)], code: .tensorShape),
      Key(key: "llama.attention.key_length", values: [.unsigned(3), .unsigned(0)], code: .invalidHyperparameter),
      Key(key: "llama.attention.value_length", values: [.unsigned(8)], code: .unsupportedFeature),
      Key(key: "llama.rope.dimension_count", values: [.unsigned(0), .unsigned(7), .unsigned(18)], code: .invalidHyperparameter),
      Key(
        key: "llama.rope.freq_base", values: [.float(0), .float(-1), .float(.nan), .float(.infinity)],
        code: .invalidHyperparameter),
      Key(key: "llama.rope.scaling.type", values: [.string("yarn"), .string("longrope")], code: .unsupportedFeature),
      Key(key: "llama.rope.scaling.type", values: [.string("linear")], code: .invalidFile),
      Key(key: "llama.rope.scale_linear", values: [.float(0), .float(.nan)], code: .invalidHyperparameter),
      Key(
        key: "llama.attention.layer_norm_rms_epsilon", values: [.float(0), .float(-1), .float(.nan), .float(1)],
        code: .invalidHyperparameter),
      Key(key: "llama.expert_count", values: [.unsigned(8)], code: .unsupportedFeature),
      Key(key: "tokenizer.ggml.model", values: [.string("bert"), .string("")], code: .unsupportedTokenizer),
      Key(key: "tokenizer.ggml.add_eos_token", values: [.bool(true)], code: .unsupportedFeature),
      Key(key: "tokenizer.ggml.tokens", values: [nil, .integers([1])], code: .invalidFile),
      Key(key: "tokenizer.ggml.scores", values: [nil], code: .invalidFile),
      Key(key: "tokenizer.ggml.token_type", values: [nil], code: .invalidFile),
      Key(key: "tokenizer.ggml.eos_token_id", values: [.unsigned(.max)], code: .invalidHyperparameter),
    ]
    for test in cases {
      for value in test.values {
        let refusal = try Self.refusal { $0.writer.set(test.key, value) }
        let shown = "\(test.key) = \(value.map { "\($0)" } ?? "absent")"
        #expect(refusal?.code == test.code, "\(shown): \(refusal?.description ?? "accepted")")
        if test.code == .invalidHyperparameter || test.code == .unsupportedFeature { #expect(refusal?.field.isEmpty == false) }
      }
    }
  }

  @Test("a vocabulary that does not fit its arrays, its ids or the embedding")
  func vocabulary() throws {
    let words = ["<unk>", "<s>", "</s>"]
    #expect(try Self.refusal { $0.writer.set("tokenizer.ggml.tokens", .strings(words)) }?.code == .invalidVocabulary)
    #expect(try Self.refusal { $0.writer.set("tokenizer.ggml.eos_token_id", .unsigned(100_000)) }?.code == .invalidVocabulary)
    let refusal = try Self.refusal { tiny in
      tiny.replace("token_embd.weight") { tensor in
        tensor.dimensions[1] -= 1
        tensor.bytes.removeLast(64 * 4)
      }
    }
    #expect(refusal?.code == .tensorShape && refusal?.field == "token_embd.weight")
  }

  @Test("every tensor that is missing is named")
  func missing() throws {
    for name in TinyLlama().writer.tensors.map(\.name) where name != "output.weight" {
      let refusal = try Self.refusal { $0.writer.tensors.removeAll { $0.name == name } }
      #expect(refusal?.code == .missingTensor && refusal?.field == name)
    }
  }

  @Test("every tensor that is mis-shaped is named")
  func shape() throws {
    for name in TinyLlama().writer.tensors.map(\.name) {
      let refusal = try Self.refusal { tiny in
        tiny.replace(name) { tensor in
          tensor.bytes += [UInt8](repeating: 0, count: 4 * tensor.dimensions[0])
          if tensor.dimensions.count == 2 { tensor.dimensions[1] += 1 } else { tensor.dimensions[0] *= 2 }
        }
      }
      #expect(refusal?.code == .tensorShape && refusal?.field == name)
    }
  }

  @Test("a vector may be stored as plain numbers only")
  func type() throws {
    let norm = try Self.refusal { tiny in
      tiny.replace("output_norm.weight") { tensor in
        tensor.type = 8
        tensor.bytes.removeLast(tensor.bytes.count - 68)
      }
    }
    #expect(norm?.code == .unsupportedTensorType && norm?.field == "output_norm.weight")
  }

  @Test("a tensor nobody uses, such as a bias, is refused")
  func unused() throws {
    let refusal = try Self.refusal { tiny in
      tiny.writer.tensors.append(
        GGUFWriter.Tensor(name: "blk.0.attn_output.bias", type: 0, dimensions: [64], bytes: [UInt8](repeating: 0, count: 256)))
    }
    #expect(refusal?.code == .unsupportedFeature && refusal?.field == "blk.0.attn_output.bias")
  }

  @Test("biases for some of query, key and value")
  func biases() throws {
    let refusal = try Self.refusal { tiny in
      tiny.writer.tensors.append(
        GGUFWriter.Tensor(name: "blk.0.attn_q.bias", type: 0, dimensions: [64], bytes: [UInt8](repeating: 0, count: 256)))
    }
    #expect(refusal?.code == .missingTensor && refusal?.field == "blk.0.attn_k.bias")
  }

  @Test("frequency factors that are no positive numbers", arguments: [0, -1, Float.nan, .infinity])
  func factors(value: Float) throws {
    let refusal = try Self.refusal { tiny in
      let factors = [Float](repeating: 1, count: 7) + [value]
      tiny.writer.tensors.append(
        GGUFWriter.Tensor(name: "rope_freqs.weight", type: 0, dimensions: [8], bytes: WeightFormat.f32.encode(factors).bytes))
    }
    #expect(refusal?.code == .invalidHyperparameter && refusal?.field == "rope_freqs.weight")
  }

  @Test("what a file says of itself")
  func description() throws {
    let tiny = TinyLlama(format: .q8_0)
    let model = try LlamaModel(file: GGUFFile(bytes: tiny.bytes(), name: "tiny"))
    #expect(model.description.name == "tiny")
    #expect(model.description.license == "apache-2.0")
    #expect(model.description.licenseName == nil)
    #expect(model.description.contextLength == 128)
    #expect(model.description.vocabularySize == TinyLlama.vocabularySize)
    #expect(model.description.parameterCount == tiny.weights.values.reduce(0) { $0 + $1.count })
    #expect(model.description.tensorTypes == ["F32": 5, "Q8_0": 16])
  }
}
