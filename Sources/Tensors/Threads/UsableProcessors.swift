internal import CKernels
internal import Glibc

/// How many threads of this process can compute at once: the cores on which it may run, and no more than its container's share of time.
public enum UsableProcessors {
  /// At least 1; asked for once.
  public static let count: Int = {
    let cores = Self.cores(Self.allowed) { Self.read("/sys/devices/system/cpu/cpu\($0)/topology/thread_siblings_list") }
    // Where the system does not say, those that are there.
    let known = Self.allowed.isEmpty ? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) : cores
    return max(1, min(known, Self.share(read: Self.read) ?? known))
  }()

  /// The processors on which the process may run, by number; empty where the system does not say.
  public static let allowed: [Int] = {
    var numbers = [Int32](repeating: 0, count: WorkerPool.threadLimit)
    let count = ck_allowed_processors(&numbers, numbers.count)
    return numbers.prefix(count).map { Int($0) }
  }()

  /// Cores among processors: those that share a core's arithmetic count once.
  ///
  /// - Parameter siblings: the processors of a processor's core as the system lists them, such as `0-1` or `0,4`; `nil` where it does not.
  static func cores(_ processors: [Int], siblings: (Int) -> String?) -> Int {
    Set(processors.map { processor in siblings(processor).flatMap(Self.first) ?? processor }).count
  }

  /// The first number of a list of processors.
  static func first(_ list: String) -> Int? {
    let digits = list.utf8.prefix { (0x30...0x39).contains($0) }
    return Int(Substring(digits))
  }

  /// Processors' worth of time that the groups of the process allow, rounded up; `nil` without a limit.
  ///
  /// - Parameter read: the text of a file, `nil` where there is none.
  static func share(read: (String) -> String?) -> Int? {
    guard let groups = read("/proc/self/cgroup") else { return nil }
    var shares: [Int] = []
    for line in groups.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isUnified = parts[0] == "0" && parts[1].isEmpty
      guard isUnified || parts[1].split(separator: ",").contains("cpu") else { continue }
      for group in Self.ancestors(of: parts[2]) {
        let share =
          isUnified
          ? read("/sys/fs/cgroup\(group)/cpu.max").flatMap(Self.share(cpuMax:))
          : Self.share(
            quota: read("/sys/fs/cgroup/cpu\(group)/cpu.cfs_quota_us"),
            period: read("/sys/fs/cgroup/cpu\(group)/cpu.cfs_period_us"))
        if let share { shares.append(share) }
      }
    }
    return shares.min()
  }

  /// A group's path and those above it, the root as "".
  static func ancestors(of path: Substring) -> [String] {
    var parts = path.split(separator: "/")
    // A path that leads out of what the process sees says nothing about where its files are.
    guard !parts.contains("..") else { return [""] }
    var groups: [String] = []
    while !parts.isEmpty {
      groups.append("/" + parts.joined(separator: "/"))
      parts.removeLast()
    }
    return groups + [""]
  }

  /// `cpu.max`: microseconds of time, or `max`, in each period of microseconds.
  static func share(cpuMax text: String) -> Int? {
    let parts = text.split { $0 == " " || $0 == "\n" }
    guard parts.count == 2 else { return nil }
    return Self.share(quota: String(parts[0]), period: String(parts[1]))
  }

  /// `nil` where there is no quota, which is -1 or `max`, or no number.
  static func share(quota: String?, period: String?) -> Int? {
    guard let quota = quota.flatMap(Self.first), let period = period.flatMap(Self.first), quota > 0, period > 0 else {
      return nil
    }
    return max(1, quota / period + (quota % period == 0 ? 0 : 1))
  }

  /// The first 4 KiB of a file of the system.
  private static func read(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = Glibc.read(file, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
  }
}
