import EngineFixtures
import Foundation
import LlamaModel
import ModelFiles
import Testing

/// Folders that lie: each is refused with the file and the field or tensor that is wrong.
struct RefusedFolderTests {
  static func refusal(_ folder: URL) -> LlamaModelError? {
    do throws(LlamaModelError) {
      _ = try LlamaModel(source: WeightSource(path: folder.path))
      return nil
    } catch {
      return error
    }
  }

  static func config(_ model: String, _ changes: [String: Any?]) throws -> LlamaModelError? {
    let folder = try EngineFiles.copy(model)
    let file = folder.appending(path: model.hasSuffix("meta") ? "params.json" : "config.json")
    var object = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    for (key, value) in changes { object[key] = value }
    try JSONSerialization.data(withJSONObject: object).write(to: file)
    return Self.refusal(folder)
  }

  @Test("a sound copy is accepted", arguments: EngineFiles.models)
  func sound(model: String) throws { #expect(Self.refusal(try EngineFiles.copy(model)) == nil) }

  @Test("a configuration that does not fit the weights, or asks for what is not computed")
  func configurations() throws {
    let cases: [(String, [String: Any?], String)] = [
      ("llama-2", ["model_type": "gemma"], "model_type"), ("llama-2", ["model_type": nil as Any?], "model_type"),
      ("llama-2", ["hidden_act": "gelu"], "hidden_act"), ("llama-2", ["hidden_size": 64], "model.embed_tokens.weight"),
      ("llama-2", ["hidden_size": "32"], "hidden_size"), ("llama-2", ["hidden_size": 1 << 40], "hidden_size"),
      ("llama-2", ["num_hidden_layers": 3], "blk.2.attn_norm.weight"), ("llama-2", ["num_hidden_layers": 0], "num_hidden_layers"),
      ("llama-2", ["num_hidden_layers": 1], "model.layers.1.mlp.down_proj.weight"),
      ("llama-2", ["num_attention_heads": 3], "llama.attention.head_count_kv"),
      ("llama-2", ["num_key_value_heads": 4], "model.layers.0.self_attn.k_proj.weight"),
      ("llama-2", ["intermediate_size": 65], "model.layers.0.mlp.gate_proj.weight"),
      ("llama-2", ["vocab_size": 300], "model.embed_tokens.weight"), ("llama-2", ["rope_theta": 1e99], "llama.rope.freq_base"),
      ("llama-2", ["rope_scaling": ["rope_type": "yarn", "factor": 4]], "rope_scaling.rope_type"),
      ("llama-3.1", ["rope_scaling": ["rope_type": "llama3", "factor": 8]], "rope_scaling.low_freq_factor"),
      ("llama-3.1", ["tie_word_embeddings": false], "tie_word_embeddings"),
      ("qwen2", ["use_sliding_window": "yes"], "use_sliding_window"),
      ("qwen2-window", ["max_window_layers": -1], "max_window_layers"), ("qwen2-window", ["sliding_window": 0], "sliding_window"),
      ("llama-2-meta", ["dim": 64], "tok_embeddings.weight"),
      ("llama-2-meta", ["n_layers": 1], "layers.1.attention.wq.weight"),
      ("llama-2-meta", ["multiple_of": 48], "layers.0.feed_forward.w1.weight"),
      ("llama-2-meta", ["norm_eps": nil as Any?], "norm_eps"),
      ("llama-2-meta", ["ffn_dim_multiplier": -1], "ffn_dim_multiplier"),
    ]
    for (model, changes, field) in cases {
      let error = try Self.config(model, changes)
      #expect(error?.field == field || error?.message.contains(field) == true, "\(changes): \(error?.description ?? "accepted")")
    }
  }

  @Test("files that are missing or damaged are named")
  func files() throws {
    for (model, name) in [
      ("llama-2", "model-00002-of-00003.safetensors"), ("llama-2", "tokenizer.model"), ("llama-2-meta", "tokenizer.model"),
      ("mistral", "model.safetensors"),
    ] {
      let folder = try EngineFiles.copy(model)
      try FileManager.default.removeItem(at: folder.appending(path: name))
      let error = Self.refusal(folder)
      let isNamed = error.map { $0.path.hasSuffix(name) || $0.message.contains(name) } ?? false
      #expect(isNamed, "\(name): \(error?.description ?? "accepted")")
    }
    // One of two parts: the rows are half of what the parameters ask for.
    let halved = try EngineFiles.copy("llama-2-meta")
    try FileManager.default.removeItem(at: halved.appending(path: "consolidated.01.pth"))
    #expect(Self.refusal(halved)?.code == .tensorShape)
    let index = try EngineFiles.copy("llama-2")
    let map = #"{"weight_map":{"model.norm.weight":"../secret.safetensors"}}"#
    try Data(map.utf8).write(to: index.appending(path: "model.safetensors.index.json"))
    #expect(Self.refusal(index)?.field == "weight_map.model.norm.weight")
    #expect(Self.refusal(FileManager.default.temporaryDirectory)?.message.contains("config.json") == true)
  }
}
