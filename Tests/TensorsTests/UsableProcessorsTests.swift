import Testing

@testable import Tensors

struct UsableProcessorsTests {
  @Test(
    "a group's share of time, rounded up",
    arguments: [
      ("max 100000\n", nil), ("200000 100000\n", 2), ("150000 100000\n", 2), ("1000 100000", 1), ("100000 100000", 1),
      ("", nil), ("max", nil), ("0 100000", nil), ("100000 0", nil), ("-1 100000", nil), ("x y", nil),
      ("99999999999999999999 100000", nil), ("9223372036854775807 1", Int.max),
    ] as [(String, Int?)])
  func cpuMax(text: String, wanted: Int?) { #expect(UsableProcessors.share(cpuMax: text) == wanted) }

  @Test("the smallest share of a group and those above it counts, in both kinds of groups")
  func groups() {
    let unified = [
      "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max": "800000 100000\n",
      "/sys/fs/cgroup/a/cpu.max": "300000 100000\n",
      "/sys/fs/cgroup/cpu.max": "max 100000\n",
    ]
    #expect(UsableProcessors.share { unified[$0] } == 3)
    let older = [
      "/proc/self/cgroup": "12:pids:/x\n4:cpu,cpuacct:/docker/1\n0::/\n", "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us": "100000\n", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    ]
    #expect(UsableProcessors.share { older[$0] } == 3)
    #expect(UsableProcessors.share { _ in nil } == nil)
    #expect(UsableProcessors.share { ["/proc/self/cgroup": "nonsense\n0::\n:::\n"][$0] } == nil)
    #expect(UsableProcessors.ancestors(of: "/../x") == [""])
  }

  @Test("processors of one core count once")
  func cores() {
    let pairs = [0: "0,4", 1: "1-2", 2: "1-2", 4: "0,4"]
    #expect(UsableProcessors.cores([0, 1, 2, 4]) { pairs[$0] } == 2)
    #expect(UsableProcessors.cores([0, 1, 7]) { pairs[$0] } == 3)
    #expect(UsableProcessors.cores([3, 5]) { _ in "junk" } == 2)
  }

  @Test("this machine has some")
  func here() {
    #expect(
      UsableProcessors.count >= 1 && !UsableProcessors.allowed.isEmpty && UsableProcessors.count <= UsableProcessors.allowed.count
    )
  }
}
