internal import Audience
internal import GovernanceTypes

func speed() {
  let users = 10_000_000
  var sketch = UserSketch()
  let inSketch = seconds { for number in 0..<users { sketch.insert(fingerprint(number, seed: 1)) } }
  say("sketch, \(users) users: \(fixed(inSketch / Double(users) * 1e9, 1)) ns per added user, estimate \(sketch.estimate.users)")

  var exact = UserSketch(exactUpTo: 1 << 20)
  let inSet = seconds { for number in 0..<1_000_000 { exact.insert(fingerprint(number, seed: 1)) } }
  say("exact set, 1000000 users: \(fixed(inSet / 1e6 * 1e9, 1)) ns per added user")

  var checksum = 0
  let estimates = seconds { for _ in 0..<10_000 { checksum &+= sketch.estimate.users } }
  say("estimate: \(fixed(estimates / 1e4 * 1e9, 0)) ns (\(checksum & 7))")

  guard let month = CalendarMonth("2026-11") else { return }
  let scopes = ["operator", "customer", "key", "license"].map(AudienceScope.init)
  for (name, limits, cap) in [
    ("exact", ActiveUsers.Limits(), 1_000_000), ("sketched", ActiveUsers.Limits(exactUnderCap: 4096), 100_000_000),
  ] {
    var active = ActiveUsers(limits: limits)
    let caps = [AudienceCap(scope: scopes[1], atMost: cap)]
    let counted = 900_000
    for round in ["new", "known"] {
      let time = seconds {
        for number in 0..<counted { _ = active.count(fingerprint(number, seed: 1), in: scopes, caps: caps, month: month) }
      }
      say(
        "active users, 4 scopes at once, one with a cap and \(name): \(fixed(time / Double(counted) * 1e9, 1)) ns per call, "
          + "\(fixed(time / Double(counted * scopes.count) * 1e9, 1)) ns per user and scope, \(round) users"
      )
    }
  }

  if var bitmap = LinearBitmap() { growth(of: &bitmap, "growing, first touches among the users") }
  let start = processorTime()
  guard var laidOut = LinearBitmap(laidOut: true) else { return }
  say("bitmap 2^32 laid out at once: \(fixed((processorTime() - start) * 1e3, 0)) ms, the first touch of its 512 MiB")
  growth(of: &laidOut, "laid out")
  for count in [10_000, 100_000, 1_000_000, 10_000_000] {
    var share = UserSketch()
    for number in 0..<count { share.insert(fingerprint(number, seed: 2)) }
    say("sketch of \(count) users: \(fixed(share.chanceNewUserShows * 100, 2)) % of new users show")
  }
}

private func growth(of bitmap: inout LinearBitmap, _ name: String) {
  var from = 0
  var all = 0.0
  for to in [100_000, 1_000_000, 2_000_000, 4_000_000, 6_000_000, 10_000_000, 20_000_000] {
    let time = seconds { for number in from..<to { bitmap.insert(fingerprint(number, seed: 1)) } }
    all += time
    say(
      "bitmap 2^32 \(name), users \(from + 1) to \(to): \(fixed(time / Double(to - from) * 1e9, 1)) ns per added user, "
        + "\(fixed(all / Double(to) * 1e9, 1)) ns over all so far, \(fixed(Double(bitmap.allocatedBytes) / 1_048_576, 1)) MiB")
    from = to
  }
}

/// Root mean square and largest error, and how many of the seeds fall outside of the bounds.
func error(most: Int) {
  var users = 1000
  while users <= most {
    let seeds = max(20, min(2000, 2_000_000_000 / users))
    var squares = 0.0
    var sum = 0.0
    var largest = 0.0
    var outside = 0
    for seed in 1...seeds {
      var sketch = UserSketch()
      for number in 0..<users { sketch.insert(fingerprint(number, seed: seed &* 7919)) }
      let estimate = sketch.estimate
      let error = Double(estimate.users - users) / Double(users)
      squares += error * error
      sum += error
      largest = max(largest, error.magnitude)
      if users < estimate.lower || users > estimate.upper { outside += 1 }
    }
    let rms = (squares / Double(seeds)).squareRoot()
    say(
      "\(users) users, \(seeds) seeds: rms \(fixed(rms * 100, 4)) %, mean \(fixed(sum / Double(seeds) * 100, 4)) %, "
        + "largest \(fixed(largest * 100, 4)) %, outside of the bounds \(outside)")
    users *= 10
  }
}

func merge() throws {
  let users = 100_000
  let sketches = (0..<100).map { node -> UserSketch in
    var sketch = UserSketch()
    for number in node * users / 2..<node * users / 2 + users { sketch.insert(fingerprint(number, seed: 1)) }
    return sketch
  }
  let truth = 99 * users / 2 + users
  var merged: UserSketch?
  var estimate = AudienceEstimate.none
  let times = (0..<20).map { _ in
    seconds {
      merged = UserSketch.union(of: sketches)
      estimate = merged?.estimate ?? .none
    }
  }.sorted()
  say(
    "merge of 100 sketches and the estimate: median \(fixed(times[times.count / 2] * 1e3, 2)) ms, slowest "
      + "\(fixed((times.last ?? 0) * 1e3, 2)) ms; \(estimate.users) of \(truth) users")
  guard let merged else { return }
  var bytes: [UInt8] = []
  let writing = seconds { for _ in 0..<100 { bytes = merged.bytes } }
  let reading = try seconds { for _ in 0..<100 { _ = try UserSketch(bytes: bytes) } }
  say("\(bytes.count) bytes; writing \(fixed(writing * 1e4, 0)) µs, reading \(fixed(reading * 1e4, 0)) µs")
}

/// The numbers 0 ..< users, on three nodes with overlap, as `datasketches_side.py` counts them.
func stream(users: Int, seeds: Int) {
  var errors: [Double] = []
  var bytes = 0
  var (adding, merging) = (0.0, 0.0)
  for seed in 1...max(1, seeds) {
    var nodes: [UserSketch] = []
    adding += seconds {
      nodes = nodeRanges(users).map { range in
        var node = UserSketch()
        for number in range { node.insert(fingerprint(number, seed: seed)) }
        return node
      }
    }
    var union: UserSketch?
    merging += seconds { union = UserSketch.union(of: nodes) }
    guard let union else { continue }
    errors.append(Double(union.estimate.users) / Double(users) - 1)
    bytes = union.bytes.count
  }
  let rms = (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
  let added = nodeRanges(users).reduce(0) { $0 + $1.count } * errors.count
  say(
    "weighbridge: \(users) users, \(errors.count) seeds: rms \(fixed(rms * 100, 4)) %, largest "
      + "\(fixed((errors.map(\.magnitude).max() ?? 0) * 100, 4)) %, \(bytes) bytes, "
      + "\(fixed(adding / Double(added) * 1e9, 1)) ns per added user, "
      + "three nodes merged in \(fixed(merging / Double(errors.count) * 1e6, 0)) µs")
}

/// Each node sees half of all users; together they see all, and a quarter are seen twice.
func nodeRanges(_ users: Int) -> [Range<Int>] {
  [0..<users / 2, users / 4..<users * 3 / 4, users / 2..<users]
}
