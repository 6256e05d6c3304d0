import Documents
import Foundation
import ModelFiles
import Testing

@testable import TextEncoder

/// A tiny encoder with random weights, and what transformers and PyTorch say of some texts (see Tests/Oracles/encoder_fixture.py).
enum Tiny {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Tiny")

  static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: self.folder.appendingPathComponent(name))) }

  static func encoder(_ precision: EncoderPrecision, threads: Int = 1) throws -> TextEncoder {
    try TextEncoder(
      configuration: try Document.parseJSON(try self.bytes("config.json")), vocabulary: try self.bytes("vocab.txt"),
      weights: try SafetensorsFile(path: self.folder.appendingPathComponent("model.safetensors").path), threads: threads,
      precision: precision, decompose: { $0.decomposedStringWithCanonicalMapping })
  }

  struct Expected: Decodable {
    var text: String
    var tokens: [Int32]
    var logits: [Float]
    var first: [Float]
    var last: [Float]
  }

  static func expected() throws -> [Expected] {
    try JSONDecoder().decode([Expected].self, from: Data(contentsOf: self.folder.appendingPathComponent("expected.json")))
  }
}

func distance(_ left: [Float], _ right: [Float]) -> Float { zip(left, right).map { abs($0 - $1) }.max() ?? .infinity }

@Suite("Text encoder")
struct TextEncoderTests {
  @Test("texts are cut into the word pieces that the reference cuts them into")
  func tokens() throws {
    let encoder = try Tiny.encoder(.exact)
    for row in try Tiny.expected() { #expect(encoder.tokens(row.text) == row.tokens, "\(row.text.prefix(40))") }
  }

  @Test("states and logits are the reference's to a ten thousandth, with one thread and with three", arguments: [1, 3])
  func exact(threads: Int) throws {
    let encoder = try Tiny.encoder(.exact, threads: threads)
    let width = encoder.configuration.width
    for row in try Tiny.expected() {
      let states = encoder.states(of: row.tokens)
      #expect(distance(Array(states.prefix(width)), row.first) < 1e-4 && distance(Array(states.suffix(width)), row.last) < 1e-4)
      #expect(distance(encoder.logits(of: row.tokens), row.logits) < 1e-4, "\(row.text.prefix(40))")
    }
  }

  @Test("rounded weights stay near, and the same text gives the same bits whatever came before")
  func rounded() throws {
    let encoder = try Tiny.encoder(.rounded)
    var firsts: [[Float]] = []
    for row in try Tiny.expected() {
      let logits = encoder.logits(of: row.tokens)
      firsts.append(logits)
      #expect(distance(logits, row.logits) < 0.15, "\(logits) \(row.logits)")
    }
    for (row, first) in zip(try Tiny.expected(), firsts).reversed() { #expect(encoder.logits(of: row.tokens) == first) }
  }

  @Test(
    "a checkpoint of another form is refused by name",
    arguments: [
      (#""hidden_act": "gelu""#, #""hidden_act": "relu""#, "hidden_act"),
      (#""model_type": "bert""#, #""model_type": "gpt2""#, "model_type"),
      (#""hidden_size": 32"#, #""hidden_size": 64"#, "×"),
      (#""num_attention_heads": 4"#, #""num_attention_heads": 5"#, "multiple"),
      (#""num_hidden_layers": 2"#, #""num_hidden_layers": 3"#, "encoder.layer.2"),
      (#""vocab_size": "#, #""vocab_size": 9, "x": "#, "vocab"),
    ])
  func refused(old: String, new: String, named: String) throws {
    let text = String(decoding: try Tiny.bytes("config.json"), as: UTF8.self).replacing(old, with: new)
    let configuration = try Document.parseJSON(Array(text.utf8))
    let vocabulary = try Tiny.bytes("vocab.txt")
    let weights = try SafetensorsFile(path: Tiny.folder.appendingPathComponent("model.safetensors").path)
    let error = #expect(throws: TextEncoderError.self) {
      _ = try TextEncoder(
        configuration: configuration, vocabulary: vocabulary, weights: weights, threads: 1, precision: .exact, decompose: { $0 })
    }
    #expect(error?.description.contains(named) == true, "\(String(describing: error))")
  }

  @Test("any text is read within the encoder's places")
  func hostile() throws {
    let encoder = try Tiny.encoder(.exact)
    for text in [
      String(repeating: "a ", count: 300_000), String(repeating: "é", count: 200_000), String(repeating: "好", count: 100_000),
      "\u{0}\u{FFFD}",
    ] {
      let tokens = encoder.tokens(text)
      #expect((2...encoder.configuration.places).contains(tokens.count))
      #expect(encoder.logits(of: tokens).allSatisfy { $0.isFinite })
    }
  }
}
