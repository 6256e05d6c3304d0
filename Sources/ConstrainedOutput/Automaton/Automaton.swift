/// A grammar running: sets of places in the program, numbered as they turn up, with what each byte leads to.
///
/// A place is a node and a stack of frames; stacks are shared lists. A set of places is a state; states, their transitions and their
/// masks are kept, so that what has been seen once costs a table look-up. One automaton serves all texts of one grammar; it is used
/// by one thread. When it is full, ``next`` takes over and the old one goes with its last text.
final class Automaton {
  struct Place: Hashable {
    var node: Int32
    var stack: Int32
  }

  private struct Frame: Hashable {
    var node: Int32
    /// How often the loop at `node` has run.
    var count: Int32
    var parent: Int32
  }

  struct State {
    var places: [Place]
    /// The text may end here.
    var isComplete: Bool
    /// The state without the places inside a string's text; -1 while unknown.
    var withoutText: Int32 = -1
  }

  /// A state takes some two kilobytes with its transitions.
  static let stateLimit = 1 << 13
  /// More places at once than any sound grammar needs; those beyond are given up, which only narrows what may be written.
  static let placeLimit = 1 << 12
  static let dead: Int32 = -1
  private static let unknown: Int32 = -2

  private let program: Program
  private(set) var states: [State] = []
  private var numbers: [[Place]: Int32] = [:]
  private var transitions: [Int32] = []
  private var frames: [Frame] = [Frame(node: 0, count: 0, parent: -1)]
  private var depths: [Int32] = [0]
  private var frameNumbers: [Frame: Int32] = [:]
  private var seen: Set<Frame> = []
  private var spacedStart: Int32?
  /// The automaton that took over.
  private(set) var next: Automaton?

  init(_ program: Program) { self.program = program }

  var isFull: Bool { self.states.count >= Self.stateLimit }

  /// The first state of a text.
  ///
  /// - Parameter leadingSpace: one space may stand before the text.
  func start(leadingSpace: Bool) -> Int32 {
    var collector = Collector()
    self.close(Frame(node: self.program.start, count: 0, parent: 0), &collector)
    let plain = self.number(collector)
    guard leadingSpace else { return plain }
    if let spacedStart = self.spacedStart { return spacedStart }
    // A state of its own, which differs in what the space leads to.
    let state = Int32(self.states.count)
    self.states.append(self.states[Int(plain)])
    self.transitions += [Int32](repeating: Self.unknown, count: 256)
    self.transitions[256 * Int(state) + 0x20] = plain
    self.spacedStart = state
    return state
  }

  /// The state after one more byte; ``dead`` where there is none.
  func step(_ state: Int32, _ byte: UInt8) -> Int32 {
    let slot = 256 * Int(state) + Int(byte)
    let known = self.transitions[slot]
    if known != Self.unknown { return known }
    var collector = Collector()
    for place in self.states[Int(state)].places {
      switch self.program.nodes[Int(place.node)] {
      case .byte(let wanted, let next):
        if wanted == byte { self.close(Frame(node: next, count: 0, parent: place.stack), &collector) }
      case .set(let set, let next):
        if set.contains(byte) { self.close(Frame(node: next, count: 0, parent: place.stack), &collector) }
      case .split, .call, .loop, .end: break
      }
    }
    let reached = collector.places.isEmpty && !collector.isComplete ? Self.dead : self.number(collector)
    self.transitions[slot] = reached
    return reached
  }

  /// How many more characters of a string may follow here, `nil` where the state is not at the beginning of one.
  func textCapacity(_ state: Int32) -> Int? {
    self.states[Int(state)].places.reduce(nil) { most, place in
      self.capacity(place).map { max(most ?? 0, $0) } ?? most
    }
  }

  /// The state with those places alone that are not at the beginning of a string's character.
  func withoutText(_ state: Int32) -> Int32 {
    let known = self.states[Int(state)].withoutText
    if known >= 0 { return known }
    var collector = Collector()
    collector.places = self.states[Int(state)].places.filter { self.capacity($0) == nil }
    let number = self.number(collector)
    self.states[Int(state)].withoutText = number
    return number
  }

  /// The same state in the automaton that takes over; its first call makes one.
  func moved(_ state: Int32) -> (automaton: Automaton, state: Int32) {
    let next = self.next ?? Automaton(self.program)
    self.next = next
    var collector = Collector()
    collector.isComplete = self.states[Int(state)].isComplete
    collector.places = self.states[Int(state)].places.map { Place(node: $0.node, stack: self.copy($0.stack, to: next)) }
    return (next, next.number(collector))
  }

  private func copy(_ stack: Int32, to other: Automaton) -> Int32 {
    guard stack > 0 else { return 0 }
    var frame = self.frames[Int(stack)]
    frame.parent = self.copy(frame.parent, to: other)
    return other.push(frame) ?? 0
  }

  // MARK: Places

  private struct Collector {
    var places: [Place] = []
    var isComplete = false
  }

  private func number(_ collector: Collector) -> Int32 {
    // Completeness is a place as well: the node 0 on the empty stack.
    var places = Array(Set(collector.places))
    places.sort { ($0.node, $0.stack) < ($1.node, $1.stack) }
    var key = places
    if collector.isComplete { key.append(Place(node: 0, stack: 0)) }
    if let number = self.numbers[key] { return number }
    let number = Int32(self.states.count)
    self.numbers[key] = number
    self.states.append(State(places: places, isComplete: collector.isComplete))
    self.transitions += [Int32](repeating: Self.unknown, count: 256)
    return number
  }

  /// Adds all places that read a byte and are reached from here without one.
  private func close(_ origin: Frame, _ collector: inout Collector) {
    self.seen.removeAll(keepingCapacity: true)
    var waiting = [origin]
    while let frame = waiting.popLast() {
      guard collector.places.count < Self.placeLimit, self.seen.insert(frame).inserted else { continue }
      let stack = frame.parent
      switch self.program.nodes[Int(frame.node)] {
      case .byte, .set: collector.places.append(Place(node: frame.node, stack: stack))
      case .split(let targets):
        let left = Program.depthLimit - self.depths[Int(stack)]
        for target in targets where target.need <= left {
          waiting.append(Frame(node: target.node, count: 0, parent: stack))
        }
      case .call(let target, let next):
        if let stack = self.push(Frame(node: next, count: 0, parent: stack)) {
          waiting.append(Frame(node: target, count: 0, parent: stack))
        }
      case .loop(let body, let need, let least, let most, let next):
        if frame.count >= least { waiting.append(Frame(node: next, count: 0, parent: stack)) }
        guard frame.count < most, frame.count < least || need <= Program.depthLimit - self.depths[Int(stack)] else { break }
        // Without an upper bound only the lower one matters, so that counting stops there.
        let count = most == .max ? min(frame.count + 1, least) : frame.count + 1
        if let stack = self.push(Frame(node: frame.node, count: count, parent: stack)) {
          waiting.append(Frame(node: body, count: 0, parent: stack))
        }
      case .end:
        guard stack > 0 else {
          collector.isComplete = true
          break
        }
        waiting.append(self.frames[Int(stack)])
      }
    }
  }

  private func push(_ frame: Frame) -> Int32? {
    if let number = self.frameNumbers[frame] { return number }
    let depth = self.depths[Int(frame.parent)] + 1
    guard depth <= Program.depthLimit else { return nil }
    let number = Int32(self.frames.count)
    self.frames.append(frame)
    self.depths.append(depth)
    self.frameNumbers[frame] = number
    return number
  }

  /// For a place at the beginning of a string's character: how many may follow, this one included.
  private func capacity(_ place: Place) -> Int? {
    guard self.program.isCharacterStart(place.node), place.stack > 0 else { return nil }
    let frame = self.frames[Int(place.stack)]
    guard case .loop(_, _, _, let most, _) = self.program.nodes[Int(frame.node)] else { return nil }
    return most == .max ? .max : Int(most - frame.count) + 1
  }
}
