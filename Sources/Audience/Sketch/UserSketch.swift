/// The distinct users of one scope in one period: their fingerprints as long as they are few, then a sketch of constant size.
///
/// Up to ``exactLimit`` users the set is exact. The first user beyond turns it into a register sketch (ExaLogLog, see
/// `RegisterSketch`) of 56 KiB, whose estimate has a relative standard error of at most 0.284 %. Which of the two it is, and
/// every byte of it, depends on the set of users alone, not on their order, on repetitions, or on the nodes that counted them:
/// merging is commutative, associative and idempotent.
///
/// Memory: 8 bytes a user and the slack of a hash table while exact; then 64 KiB of registers and half a KiB of running sums.
public struct UserSketch: Sendable, Equatable {
  /// Users up to which the set is exact.
  public private(set) var exactLimit: Int
  private(set) var exact: Set<UInt64> = []
  private(set) var registers: RegisterSketch?

  public static let usualExactLimit = 4096
  /// The limits that can be asked for. Below the first the bounds of the sketch would not hold; above the last a set takes too
  /// much.
  public static let exactLimits = 256...1 << 24

  /// - Parameter limit: Users up to which the set is exact, held within ``exactLimits``.
  public init(exactUpTo limit: Int = Self.usualExactLimit) {
    self.exactLimit = min(max(limit, Self.exactLimits.lowerBound), Self.exactLimits.upperBound)
  }

  init(exactLimit: Int, exact: Set<UInt64>, registers: RegisterSketch?) {
    self.exactLimit = exactLimit
    self.exact = exact
    self.registers = registers
  }

  public var isExact: Bool { self.registers == nil }
  public var isEmpty: Bool { self.registers == nil && self.exact.isEmpty }

  /// Adds a user. Returns whether the user is new: certain while exact. In a sketch a user is new if adding it changes the
  /// sketch, so that of users who are new in truth only the share ``chanceNewUserShows`` is called new. O(1).
  @discardableResult
  public mutating func insert(_ user: UserFingerprint) -> Bool {
    guard self.registers == nil else { return self.registers?.insert(user.value) ?? false }
    guard self.exact.insert(user.value).inserted else { return false }
    if self.exact.count > self.exactLimit { self.condense() }
    return true
  }

  /// Takes a user out again and returns whether it was there. A sketch cannot forget: there nothing happens, the count stays too
  /// high by at most that one user, and the answer is false.
  @discardableResult
  public mutating func remove(_ user: UserFingerprint) -> Bool { self.exact.remove(user.value) != nil }

  /// Whether the user is known: certain while exact; in a sketch, whether adding the user would change nothing.
  public func contains(_ user: UserFingerprint) -> Bool {
    self.registers?.contains(user.value) ?? self.exact.contains(user.value)
  }

  /// The number of users. About a microsecond in a sketch, or 0.2 ms if a merge was the last change.
  public var estimate: AudienceEstimate {
    guard let registers = self.registers else { return AudienceEstimate(exactly: self.exact.count) }
    return AudienceEstimate(about: registers.likeliestCount, sigma: RegisterSketch.sigma, atLeast: self.exactLimit + 1)
  }

  /// The chance that a user who is new in truth is called new: 1 while exact, some 8 % at a million users, falling as 1/users.
  public var chanceNewUserShows: Double { self.registers?.chanceOfChange ?? 1 }

  /// Lets an exact set stay exact up to a higher number of users. A sketch stays one.
  public mutating func stayExact(upTo limit: Int) {
    guard self.isExact else { return }
    self.exactLimit = min(max(limit, self.exactLimit), Self.exactLimits.upperBound)
  }

  private mutating func condense() {
    var registers = RegisterSketch()
    for fingerprint in self.exact { _ = registers.insert(fingerprint) }
    self.exact = []
    self.registers = registers
  }
}

extension UserSketch {
  /// Makes this the sketch of the users of both. Of two limits the lower one holds from then on. O(users) while exact, then
  /// O(registers).
  public mutating func merge(_ other: UserSketch) {
    self.exactLimit = min(self.exactLimit, other.exactLimit)
    if self.isExact, self.exact.count > self.exactLimit || !other.isExact { self.condense() }
    if let registers = other.registers {
      self.registers?.merge(registers)
    } else {
      for fingerprint in other.exact { self.insert(UserFingerprint(fingerprint)) }
    }
  }

  /// The users of all, each counted once: several nodes' counts of one scope, or several scopes of a group. Nil for none.
  public static func union(of sketches: some Sequence<UserSketch>) -> UserSketch? {
    var all: UserSketch?
    for sketch in sketches {
      if all == nil { all = sketch } else { all?.merge(sketch) }
    }
    return all
  }
}
