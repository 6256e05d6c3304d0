internal import Audience
internal import Glibc
internal import GovernanceTypes

// One command for each number that is promised of the audience counts:
//
//   audience-bench speed              time per added user: sketch, active users with a cap, bitmap
//   audience-bench error              error of the sketch over seeds, at 10^3 to 10^7 users
//   audience-bench merge              merging 100 sketches; writing and reading one
//   audience-bench stream USERS SEEDS error of this sketch on the streams that datasketches_side.py counts
//   audience-bench license USERS      USERS on 3 nodes with overlap in bitmaps of 2^32 bits: error, memory, merge
@main
enum AudienceBench {
  static func main() throws {
    let arguments = CommandLine.arguments
    let users = arguments.count > 2 ? Int(arguments[2]) : nil
    switch arguments.count > 1 ? arguments[1] : "" {
    case "speed": speed()
    case "error": error(most: users ?? 10_000_000)
    case "merge": try merge()
    case "stream": stream(users: users ?? 2_000_000, seeds: arguments.count > 3 ? Int(arguments[3]) ?? 8 : 8)
    case "license": try license(users: users ?? 700_000_000)
    default:
      say("usage: audience-bench speed | error [MOST] | merge | stream [USERS [SEEDS]] | license [USERS]")
      exit(2)
    }
  }
}

func say(_ line: String) {
  puts(line)
  fflush(nil)
}

/// Seconds of processor time. All that is measured runs on one thread, so on an idle machine this is the time on the clock.
func seconds(_ work: () throws -> Void) rethrows -> Double {
  let start = processorTime()
  try work()
  return processorTime() - start
}

func processorTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): one to one, so that different numbers are different users, and as good
/// as uniform; it stands for the keyed hash.
@inline(__always)
func fingerprint(_ number: Int, seed: Int) -> UserFingerprint {
  var z = UInt64(truncatingIfNeeded: number) &+ UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15
  z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
  return UserFingerprint(z ^ z >> 31)
}

func fixed(_ value: Double, _ places: Int) -> String {
  var scale = 1.0
  for _ in 0..<places { scale *= 10 }
  let scaled = Int((value.magnitude * scale).rounded())
  let fraction = String(scaled % Int(scale))
  let sign = value < 0 ? "-" : ""
  guard places > 0 else { return "\(sign)\(scaled)" }
  return "\(sign)\(scaled / Int(scale)).\(String(repeating: "0", count: places - fraction.utf8.count))\(fraction)"
}

/// Resident set in MiB.
func residentMebibytes() -> Int {
  var usage = rusage()
  guard getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return 0 }
  return usage.ru_maxrss / 1024
}
