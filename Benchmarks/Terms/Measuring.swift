internal import AuditSigning
internal import Dispatch
internal import Documents
internal import Glibc
internal import GovernanceTypes
internal import LicenseTerms
internal import YAMLDocuments

func say(_ line: String) {
  puts(line)
  fflush(nil)
}

/// Seconds of processor time of the fastest of several runs. All that is measured runs on one thread, so on an idle machine this is
/// the time on the clock.
func best(of runs: Int, _ work: () throws -> Void) rethrows -> Double {
  var best = Double.infinity
  for _ in 0..<runs {
    let start = processorTime()
    try work()
    best = min(best, processorTime() - start)
  }
  return best
}

/// Seconds on the clock of the fastest of several runs.
func bestOnClock(of runs: Int, _ work: () -> Void) -> Double {
  let clock = ContinuousClock()
  let times = (0..<runs).map { _ in clock.measure(work) }
  return (times.min() ?? .zero) / .seconds(1)
}

private func processorTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func milliseconds(_ seconds: Double) -> String { "\(Double(Int(seconds * 100_000)) / 100) ms" }

func microseconds(_ seconds: Double) -> String { "\(Double(Int(seconds * 1_000_000_000)) / 1000) µs" }

func termFile(_ text: [UInt8]) throws -> TermFile {
  try TermFile(Document.parseYAML(text), digest: sha256(text), sha256: sha256)
}

/// As the gateway does it at its start. The texts are sound: they were read before.
func loadOnAllCores(_ texts: [[UInt8]]) {
  DispatchQueue.concurrentPerform(iterations: texts.count) { place in
    guard (try? termFile(texts[place])) != nil else { return say("text \(place) is no term file") }
  }
}

/// The term files of some folders, as bytes.
enum TermFolder {
  struct Unreadable: Error {
    let path: String
  }

  static func texts(_ folders: [String]) throws -> [[UInt8]] {
    var texts: [[UInt8]] = []
    for folder in folders {
      for name in try self.names(in: folder).sorted() where !name.hasPrefix(".") {
        texts.append(try self.bytes("\(folder)/\(name)/terms.yaml"))
      }
    }
    return texts
  }

  /// Removes a folder of files.
  static func remove(_ folder: String) {
    // What cannot be read or removed stays in /tmp; no figure depends on it.
    for name in (try? self.names(in: folder)) ?? [] where name != "." && name != ".." { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  private static func names(in folder: String) throws -> [String] {
    guard let directory = opendir(folder) else { throw Unreadable(path: folder) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
  }

  private static func bytes(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "rb") else { throw Unreadable(path: path) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
    }
  }
}
