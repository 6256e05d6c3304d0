// acceptable-use-bench: what checking a prompt costs. All packs and the linear tier over prompts of one kibibyte, one after the other.
// Prints times per prompt and how many blocks of memory a check allocates once it is warm.
// It must never know what a prompt says: texts are made from word lists, half of them harmless.
internal import AcceptableUse
internal import Documents
internal import Foundation
internal import Glibc
internal import GovernanceTypes
internal import YAMLDocuments

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
  FileHandle.standardError.write(Data("usage: acceptable-use-bench POLICIES WEIGHTS [ROUNDS]\n".utf8))
  exit(2)
}

/// Names the pack in no record, so any digest will do.
let digest: DigestFunction = { bytes in
  var words: [UInt64] = [1, 2, 3, 4]
  for byte in bytes { for index in words.indices { words[index] = (words[index] ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 } }
  guard let digest = Digest(words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) } }) else {
    preconditionFailure("32 bytes make a digest")
  }
  return digest
}

/// Sentences that people write to a chat model, put together until the text has about a kibibyte.
func prompt(_ seed: Int) -> String {
  let sentences = [
    "Please summarise the following report for our board and list the open questions at its end.",
    "How do I sort a list of dictionaries in Python by two keys, the second one in reverse?",
    "We grow tomatoes on a balcony that faces north; which kinds still give a fair harvest?",
    "Translate this paragraph into French, keep the tone polite and leave the names as they are.",
    "My train was late again and I need a letter that asks for my money back without sounding angry.",
    "Write a short scene in which two old friends meet at a harbour and do not know what to say.",
    "What were the causes of the financial crisis, and which of them do economists still argue about?",
    "The attached table has sales per region and month; explain why the third quarter looks weak.",
    "Our team of eight wants to plan a hike over two days with one night in a mountain hut.",
    "Can you give me feedback on the structure of my thesis about irrigation in the bronze age?",
  ]
  var text = ""
  var index = seed
  while text.utf8.count < 1024 {
    text += sentences[index % sentences.count] + " "
    index += 7 + seed % 3
  }
  return String(text.prefix(1024))
}

/// How many blocks were allocated so far; nil unless the counter of allocations.c is preloaded.
let allocationCount: (@convention(c) () -> UInt)? = dlsym(nil, "allocation_count").map {
  unsafeBitCast($0, to: (@convention(c) () -> UInt).self)
}

func run() throws {
  let folders = try FileManager.default.contentsOfDirectory(atPath: arguments[1]).sorted()
  let files = folders.map { "\(arguments[1])/\($0)/rules.yaml" }.filter(FileManager.default.fileExists)
  let packs = try files.map {
    try RulePack(try Document.parseYAML(try String(contentsOfFile: $0, encoding: .utf8)), digest: digest)
  }
  let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: arguments[2])))
  let classifier = try LinearClassifier(bytes: bytes, digest: digest)
  let rounds = arguments.count > 3 ? Int(arguments[3]) ?? 20_000 : 20_000
  let prompts = (0..<64).map(prompt)
  for (name, weights) in [("rules", nil), ("rules and linear tier", classifier)] as [(String, LinearClassifier?)] {
    let policy = try AcceptableUsePolicy(packs: packs, classifier: weights)
    var scanner = policy.scanner(.prompt)
    let clock = ContinuousClock()
    var flagged = 0
    for text in prompts where scanner.assess(text).flagged { flagged += 1 }
    var times: [Duration] = []
    times.reserveCapacity(rounds)
    for round in 0..<rounds {
      let start = clock.now
      if scanner.assess(prompts[round % prompts.count]).flagged { flagged += 1 }
      times.append(clock.now - start)
    }
    times.sort()
    let micro = { (share: Double) in
      String(format: "%.2f", Double(times[min(rounds - 1, Int(Double(rounds) * share))].components.attoseconds) / 1e12)
    }
    print("\(name): p50 \(micro(0.5)) µs, p90 \(micro(0.9)) µs, p99 \(micro(0.99)) µs per 1 KiB prompt; \(flagged) flagged")
    guard let allocationCount else { continue }
    let before = allocationCount()
    var bytes = 0
    for text in prompts { bytes += scanner.assess(text).scannedBytes }
    let allocations = allocationCount() - before
    print("\(name): \(allocations) allocations in \(prompts.count) warm checks of \(bytes) bytes")
  }
}

do { try run() } catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}
