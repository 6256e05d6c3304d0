import EngineFixtures
import Foundation
import InferenceEngine
import LlamaModel
import Testing

/// Models of every layout, stored as one GGUF file.
struct QuantizationTests {
  static func output() -> String { FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).gguf").path }

  static func worst(_ got: [[Float]], _ wanted: [[Float]]) -> Float {
    guard got.count == wanted.count else { return .infinity }
    return zip(got, wanted).reduce(0) { worst, rows in zip(rows.0, rows.1).reduce(worst) { max($0, abs($1.0 - $1.1)) } }
  }

  /// The fixtures hold numbers of half precision, or of bfloat16 that fit it, so that storing them so loses nothing.
  @Test("F16 keeps the model: row order, biases, windows, scaled rotation", arguments: EngineFiles.models)
  func lossless(name: String) throws {
    let path = Self.output()
    var shares: [Double] = []
    try ModelQuantization(model: EngineFiles.path(name), recipe: .f16).write(to: path, threads: 2) {
      shares.append(Double($0.done) / Double($0.total))
    }
    #expect(shares.first == 0 && shares.last == 1 && shares == shares.sorted())
    let (cases, wanted) = try EngineFiles.reference(name)
    let session = try ModelSession(path: path)
    #expect(Self.worst(try session.logits(cases[0].prompt), wanted) <= 1e-4)
    let original = try ModelSession(path: EngineFiles.path(name))
    for text in ["the inn there", "  a\u{E9}b\n"] { #expect(session.tokenize(text) == original.tokenize(text)) }
  }

  @Test(
    "fewer bits come near", arguments: [(QuantizationRecipe.q8_0, Float(0.5)), (.q6_K, 0.5), (.q4_K_M, 0.5), (.q4_0, 5)])
  func lossy(recipe: QuantizationRecipe, tolerance: Float) throws {
    // Rows of 32 and 64 are no whole K blocks: those layouts fall back to Q8_0.
    let path = Self.output()
    try ModelQuantization(model: EngineFiles.path("llama-guard"), recipe: recipe).write(to: path, threads: 1)
    let (cases, wanted) = try EngineFiles.reference("llama-guard")
    let worst = Self.worst(try ModelSession(path: path).logits(cases[0].prompt), wanted)
    #expect(worst <= tolerance && worst > 1e-4, "\(recipe): \(worst)")
  }

  @Test("rows of whole blocks are stored as asked, sensitive ones with more bits")
  func mixture() throws {
    var shape = TinyLlama.Shape()
    (shape.width, shape.hidden, shape.layers, shape.heads, shape.keyValueHeads) = (256, 256, 8, 16, 16)
    let tiny = TinyLlama(shape, format: .f16)
    let path = Self.output()
    try ModelQuantization(model: tiny.write(), recipe: .q4_K_M).write(to: path, threads: 2)
    let inspection = try ModelInspection(model: path)
    #expect(inspection.description.tensorTypes == ["F32": 17, "Q4_K": 49, "Q6_K": 9])
    let types = Dictionary(inspection.tensors.map { ($0.name, $0.type) }) { first, _ in first }
    #expect(types["output.weight"] == "Q6_K" && types["token_embd.weight"] == "Q4_K")
    #expect(types["blk.0.ffn_down.weight"] == "Q6_K" && types["blk.1.ffn_down.weight"] == "Q4_K")
  }

  @Test("a weight that is no number is not stored, and no file is left")
  func damaged() throws {
    var tiny = TinyLlama()
    tiny.replace("blk.1.ffn_up.weight") { $0.bytes.replaceSubrange(8..<12, with: [0, 0, 0xC0, 0x7F]) }
    let path = Self.output()
    let quantization = try ModelQuantization(model: tiny.write(), recipe: .q8_0)
    let error = #expect(throws: EngineError.self) { try quantization.write(to: path, threads: 1) }
    #expect(error?.message.contains("blk.1.ffn_up.weight") == true)
    let folder = URL(filePath: path).deletingLastPathComponent()
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasPrefix(URL(filePath: path).lastPathComponent) }
    #expect(left.isEmpty)
  }
}
