// engine-load: many streams on one engine, measured from outside: throughput with a shared beginning, and the wait of a short request
// while a long prompt is read. Prints one JSON object; peer_load.py prints the same figures of the peer.

import Completions
import Foundation
import InferenceEngine
import Tensors

/// What is asked for on the command line.
struct Load {
  var model = ""
  var threads = 2
  var streams = 16
  var shared = 512
  var own = 16
  var generate = 128
  var kvType: KVType?
  var looksAhead = true
  var sharesPrefixes = true
  /// Short requests to run for the flatness of memory; none by default.
  var soak = 0
  /// Whether nothing but the soak is run.
  var soaksOnly = false

  init(_ arguments: [String]) throws {
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { throw Usage("\(name) needs a value") }
      switch name {
      case "--model": self.model = value
      case "--threads": self.threads = try Self.number(name, value)
      case "--streams": self.streams = try Self.number(name, value)
      case "--shared": self.shared = try Self.number(name, value)
      case "--own": self.own = try Self.number(name, value)
      case "--generate": self.generate = try Self.number(name, value)
      case "--kv-type":
        guard let type = KVType(rawValue: value) else { throw Usage("--kv-type is one of f32, f16, q8_0") }
        self.kvType = type
      case "--soak": self.soak = try Self.number(name, value)
      case "--only":
        guard value == "soak" else { throw Usage("--only knows soak") }
        self.soaksOnly = true
      case "--lookahead": self.looksAhead = value == "on"
      case "--prefix-sharing": self.sharesPrefixes = value == "on"
      default: throw Usage("\(name) is unknown")
      }
    }
    guard !self.model.isEmpty else { throw Usage("--model FILE is needed") }
  }

  struct Usage: Error, CustomStringConvertible {
    let description: String
    init(_ problem: String) {
      self.description =
        "\(problem)\nusage: engine-load --model FILE [--threads N] [--streams N] [--shared N] [--own N] [--generate N] [--kv-type T]"
        + " [--lookahead on|off] [--prefix-sharing on|off] [--soak N] [--only soak]"
    }
  }

  private static func number(_ name: String, _ value: String) throws -> Int {
    guard let number = Int(value), number > 0 else { throw Usage("\(name) is a number from 1 on") }
    return number
  }

  func engine() throws -> EmbeddedEngine {
    try EmbeddedEngine(
      path: self.model,
      options: EngineOptions(
        threads: self.threads, maximumSequences: self.streams + 2, queueLimit: self.streams, kvType: self.kvType,
        sharesPrefixes: self.sharesPrefixes, looksAhead: self.looksAhead))
  }

  /// Token ids spread over the vocabulary behind the bytes and control tokens, different for each salt.
  static func tokens(_ count: Int, salt: Int) -> [Int32] {
    (0..<count).map { Int32(300 + ($0 * 7919 + salt * 104_729 + 13) % 30_000) }
  }

  static func request(_ tokens: [Int32], generate: Int) -> CompletionRequest {
    // The end of the text is kept out, so that every stream has its length.
    CompletionRequest(
      prompt: .tokens(tokens), sampling: SamplingParameters(temperature: 0, logitBias: [2: -100]),
      maximumCompletionTokens: generate, cacheScope: "load")
  }
}

/// One stream's course, in seconds from its start.
struct Course: Sendable {
  var first = 0.0
  var last = 0.0
  var tokens = 0
  var cached = 0
}

func follow(_ engine: EmbeddedEngine, _ request: CompletionRequest) async throws -> Course {
  let start = ContinuousClock.now
  let prompt = try await engine.prepare(request)
  var course = Course()
  for try await event in engine.start(prompt, allowance: TokenAllowance(tokens: prompt.completionCeiling)) {
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    switch event {
    case .prompt(let usage): course.cached = usage.promptCached
    case .delta, .deltas:
      if course.tokens == 0 { course.first = seconds }
      course.tokens += event.steps.reduce(0) { $0 + $1.tokens }
      course.last = seconds
    case .end: break
    }
  }
  return course
}

/// All streams at once; they begin alike.
func throughput(_ load: Load) async throws -> [String: Any] {
  let engine = try load.engine()
  defer { engine.shutdown() }
  _ = try await follow(engine, Load.request(Load.tokens(32, salt: 999), generate: 4))
  let before = engine.statistics
  let shared = Load.tokens(load.shared, salt: 1)
  let start = ContinuousClock.now
  let courses = try await withThrowingTaskGroup(of: Course.self) { group in
    for stream in 0..<load.streams {
      let request = Load.request(shared + Load.tokens(load.own, salt: 2 + stream), generate: load.generate)
      group.addTask { try await follow(engine, request) }
    }
    return try await group.reduce(into: [Course]()) { $0.append($1) }
  }
  let seconds = (ContinuousClock.now - start) / .seconds(1)
  let tokens = courses.reduce(0) { $0 + $1.tokens }
  let firsts = courses.map(\.first).sorted()
  let after = engine.statistics
  return [
    "tokens": tokens, "seconds": seconds, "tokens_per_second": Double(tokens) / seconds,
    "first_token_p50_seconds": firsts[firsts.count / 2], "first_token_max_seconds": firsts[firsts.count - 1],
    "prompt_tokens_computed": after.promptTokens - before.promptTokens,
    "prompt_tokens_cached": after.cachedPromptTokens - before.cachedPromptTokens,
    "guessed": after.guessedTokens, "right": after.rightGuesses,
  ]
}

/// A short request alone, and while a prompt of 2,048 tokens is read.
func waiting(_ load: Load) async throws -> [String: Any] {
  let engine = try load.engine()
  defer { engine.shutdown() }
  let long = min(2_000, engine.contextLength - 48)
  _ = try await follow(engine, Load.request(Load.tokens(64, salt: 999), generate: 4))
  var idle: [Double] = []
  for salt in 0..<3 { idle.append(try await follow(engine, Load.request(Load.tokens(32, salt: 50 + salt), generate: 1)).first) }
  let whole = try await follow(engine, Load.request(Load.tokens(long, salt: 60), generate: 1)).first
  let chunks = Double((long + engine.options.prefillChunk - 1) / engine.options.prefillChunk)
  var busy: [Double] = []
  for salt in 0..<3 {
    let before = engine.statistics.promptTokens
    async let reading = follow(engine, Load.request(Load.tokens(long, salt: 70 + salt), generate: 1))
    while engine.statistics.promptTokens < before + 1 { try await Task.sleep(for: .milliseconds(5)) }
    busy.append(try await follow(engine, Load.request(Load.tokens(32, salt: 80 + salt), generate: 1)).first)
    _ = try await reading
  }
  let (alone, chunk) = (idle.sorted()[1], whole / chunks)
  return [
    "short_first_token_idle_seconds": alone, "short_first_token_busy_seconds": busy.sorted()[1],
    "short_first_token_busy_all": busy, "long_prompt_tokens": long, "long_first_token_seconds": whole, "chunk_seconds": chunk,
    "bound_seconds": 2 * alone + chunk, "holds": busy.sorted()[1] <= 2 * alone + chunk,
  ]
}

/// How many blocks were allocated so far; nil unless the counter of allocations.c is preloaded.
func allocationCounter() -> (@convention(c) () -> UInt)? {
  dlsym(nil, "allocation_count").map { unsafeBitCast($0, to: (@convention(c) () -> UInt).self) }
}

/// Allocations while one stream decodes in the steady state, delivery to the reader included: for each token, and for each but those with
/// which a new block of keys and values begins.
func allocations(_ load: Load) async throws -> [String: Any]? {
  guard let count = allocationCounter() else { return nil }
  let engine = try load.engine()
  defer { engine.shutdown() }
  let prompt = try await engine.prepare(Load.request(Load.tokens(16, salt: 5), generate: 200))
  var counts: [UInt] = []
  counts.reserveCapacity(201)
  var tokens = 0
  for try await event in engine.start(prompt, allowance: TokenAllowance(tokens: 200)) {
    guard case .delta(let delta) = event else { continue }
    tokens += delta.tokens
    if tokens >= 100 && tokens < 200 { counts.append(count()) }
  }
  let steps = zip(counts.dropFirst(), counts).map { $0 - $1 }
  guard !steps.isEmpty else { return nil }
  return [
    "per_token": Double(steps.reduce(0, +)) / Double(steps.count), "tokens": steps.count,
    "tokens_without_any": steps.count { $0 == 0 }, "most_at_once": Int(steps.max() ?? 0),
  ]
}

/// Bytes of the process in memory.
func residentBytes() throws -> Int {
  let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
  return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
}

/// Many short requests, eight at a time, each with a beginning of its own: what memory the last nine tenths of them add.
func soak(_ load: Load) async throws -> [String: Any] {
  let engine = try load.engine()
  defer { engine.shutdown() }
  var early = 0
  for start in stride(from: 0, to: load.soak, by: 8) {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for salt in start..<min(start + 8, load.soak) {
        group.addTask { _ = try await follow(engine, Load.request(Load.tokens(40, salt: salt), generate: 2)) }
      }
      try await group.waitForAll()
    }
    if start / 8 == load.soak / 80 { early = try residentBytes() }
  }
  let statistics = engine.statistics
  return [
    "requests": load.soak, "resident_bytes_after_a_tenth": early, "resident_bytes_at_the_end": try residentBytes(),
    "kv_bytes_resident": statistics.cacheBytesResident, "kv_bytes_in_use": statistics.cacheBytesUsed,
  ]
}

do {
  let load = try Load(CommandLine.arguments)
  var figures: [String: Any] = [
    "streams": load.streams, "shared_tokens": load.shared, "own_tokens": load.own, "generate": load.generate,
    "threads": load.threads,
  ]
  if !load.soaksOnly {
    figures["throughput"] = try await throughput(load)
    figures["waiting"] = try await waiting(load)
    if let allocations = try await allocations(load) { figures["allocations"] = allocations }
  }
  if load.soak > 0 { figures["soak"] = try await soak(load) }
  let data = try JSONSerialization.data(withJSONObject: figures, options: [.prettyPrinted, .sortedKeys])
  print(String(decoding: data, as: UTF8.self))
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}
