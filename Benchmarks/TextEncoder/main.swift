// encoder-bench: what the text encoder takes for a text of so many tokens, in the shape of the small encoders that people use.
// Writes a checkpoint of random weights (6 layers of 384, 12 heads, 1,536 within) to a temporary folder, reads it, and times it.
// It must never know what a text says: the time does not depend on it.
internal import Documents
internal import Foundation
internal import ModelFiles
internal import TextEncoder

let arguments = CommandLine.arguments
let tokenCount = arguments.count > 1 ? Int(arguments[1]) ?? 64 : 64
let rounds = arguments.count > 2 ? Int(arguments[2]) ?? 200 : 200

struct Shape {
  var (width, inner, layers, vocabulary, places) = (384, 1536, 6, 1000, 512)

  var tensors: [(String, [Int])] {
    var found: [(String, [Int])] = [
      ("embeddings.word_embeddings.weight", [self.vocabulary, self.width]),
      ("embeddings.position_embeddings.weight", [self.places, self.width]),
      ("embeddings.token_type_embeddings.weight", [2, self.width]), ("pooler.dense.weight", [self.width, self.width]),
      ("pooler.dense.bias", [self.width]), ("classifier.weight", [2, self.width]), ("classifier.bias", [2]),
    ]
    func norm(_ name: String) { found += [(name + ".weight", [self.width]), (name + ".bias", [self.width])] }
    func dense(_ name: String, _ rows: Int, _ columns: Int) {
      found += [(name + ".weight", [rows, columns]), (name + ".bias", [rows])]
    }
    norm("embeddings.LayerNorm")
    for layer in 0..<self.layers {
      let name = "encoder.layer.\(layer)"
      for part in ["query", "key", "value"] { dense("\(name).attention.self.\(part)", self.width, self.width) }
      dense("\(name).attention.output.dense", self.width, self.width)
      norm("\(name).attention.output.LayerNorm")
      dense("\(name).intermediate.dense", self.inner, self.width)
      dense("\(name).output.dense", self.width, self.inner)
      norm("\(name).output.LayerNorm")
    }
    return found
  }

  func write(to path: String) throws {
    var header: [String] = []
    var offset = 0
    for (name, shape) in self.tensors {
      let bytes = shape.reduce(4, *)
      header.append(#""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(offset),\#(offset + bytes)]}"#)
      offset += bytes
    }
    let text = "{" + header.joined(separator: ",") + "}"
    let padded = text + String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
    var data = Data()
    withUnsafeBytes(of: UInt64(padded.utf8.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(Data(padded.utf8))
    var state: UInt32 = 1
    for (_, shape) in self.tensors {
      let values = (0..<shape.reduce(1, *)).map { _ -> Float in
        state = state &* 1_664_525 &+ 1_013_904_223
        return (Float(state >> 8) / Float(1 << 24) - 0.5) * 0.1
      }
      values.withUnsafeBytes { data.append(contentsOf: $0) }
    }
    try data.write(to: URL(fileURLWithPath: path))
  }

  var configuration: String {
    #"{"model_type":"bert","hidden_size":\#(self.width),"num_hidden_layers":\#(self.layers),"num_attention_heads":12,"intermediate_size":\#(self.inner),"vocab_size":\#(self.vocabulary),"max_position_embeddings":\#(self.places)}"#
  }
}

func run() throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "encoder-bench-\(ProcessInfo.processInfo.processIdentifier)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }  // What is left of a temporary folder is the system's to clear.
  let shape = Shape()
  let path = folder.appendingPathComponent("model.safetensors").path
  try shape.write(to: path)
  let vocabulary = Array((["[UNK]", "[CLS]", "[SEP]"] + (3..<shape.vocabulary).map { "w\($0)" }).joined(separator: "\n").utf8)
  let tokens = (0..<Int32(tokenCount)).map { 3 + $0 * 7 % Int32(shape.vocabulary - 3) }
  for (name, precision) in [("rounded", EncoderPrecision.rounded), ("exact", .exact)] {
    let encoder = try TextEncoder(
      configuration: try Document.parseJSON(Array(shape.configuration.utf8)), vocabulary: vocabulary,
      weights: try SafetensorsFile(path: path), threads: 1, precision: precision, decompose: { $0 })
    var sum: Float = 0
    for _ in 0..<5 { sum += encoder.logits(of: tokens)[0] }
    var times: [Duration] = []
    for _ in 0..<(precision == .exact ? max(1, rounds / 10) : rounds) {
      let clock = ContinuousClock()
      times.append(clock.measure { sum += encoder.logits(of: tokens)[0] })
    }
    times.sort()
    func milliseconds(_ share: Double) -> String {
      let time = times[min(times.count - 1, Int(Double(times.count) * share))].components
      return String(format: "%.2f", Double(time.seconds) * 1000 + Double(time.attoseconds) / 1e15)
    }
    print(
      "\(name): \(tokenCount) tokens, one thread: p50 \(milliseconds(0.5)) ms, p99 \(milliseconds(0.99)) ms (check \(sum.isFinite))"
    )
  }
}

do { try run() } catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}
