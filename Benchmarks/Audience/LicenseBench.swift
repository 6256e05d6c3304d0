internal import Audience

/// Counts `users` users on three nodes with overlap, sends two of the bitmaps to the third as bytes, and holds the result against
/// the truth. Needs some 1.6 GiB for 2^32 bits and three nodes.
func license(users: Int) throws {
  var nodes: [LinearBitmap] = []
  for (node, range) in nodeRanges(users).enumerated() {
    guard var bitmap = LinearBitmap(laidOut: true) else { return }
    let time = seconds { for number in range { bitmap.insert(fingerprint(number, seed: 1)) } }
    report(bitmap, truth: range.count, "node \(node + 1)")
    say(
      "  \(fixed(time, 1)) s, \(fixed(time / Double(range.count) * 1e9, 1)) ns per added user, "
        + "\(fixed(Double(bitmap.allocatedBytes) / 1_048_576, 1)) MiB")
    nodes.append(bitmap)
  }
  var merged = nodes[0]
  let merging = try seconds { for node in nodes.dropFirst() { try merged.merge(node) } }
  report(merged, truth: users, "merged")
  say("  merge of two into one: \(fixed(merging, 2)) s")

  var stream = BitmapStream(into: nodes[0])
  var length = 0
  let streaming = try seconds {
    for piece in nodes[1].pieces {
      length += piece.count
      try stream.append(piece)
    }
    _ = try stream.finish()
  }
  say("  one bitmap written, checked and merged as a stream: \(length) bytes in \(fixed(streaming, 2)) s")
  say("  resident at most \(residentMebibytes()) MiB")
}

private func report(_ bitmap: LinearBitmap, truth: Int, _ name: String) {
  let estimate = bitmap.estimate
  let error = Double(estimate.users - truth) / Double(truth)
  let isWithin = (estimate.lower...estimate.upper).contains(truth)
  say(
    "\(name): \(estimate.users) of \(truth) users, error \(fixed(error * 100, 5)) % (\(fixed(error / estimate.sigma, 2)) sigma of "
      + "\(fixed(estimate.sigma * 100, 5)) %), bounds \(estimate.lower) to \(estimate.upper), "
      + (isWithin ? "within" : "OUTSIDE of the band"))
}
